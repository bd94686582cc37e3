//! Histories told by hand, random ones against a search through everything, and those of a real register.

use proptest::prelude::*;

use super::{Action, Operation, State, Verdict, check, effect, outcome};

const AMPLE: u64 = 20_000;
const ABSENT: Action = Action::Read { saw: None };
const DELETE: Action = Action::Write { new: None };

fn known(begun: u64, ended: u64, action: Action) -> Operation {
    Operation { client: begun, begun, ended: Some(ended), action }
}

fn unknown(begun: u64, action: Action) -> Operation {
    Operation { client: begun, begun, ended: None, action }
}

fn read(value: u64) -> Action {
    Action::Read { saw: Some(value) }
}

fn write(value: u64) -> Action {
    Action::Write { new: Some(value) }
}

fn swap(expected: u64, new: u64, done: bool) -> Action {
    Action::Swap { expected: Some(expected), new: Some(new), done }
}

fn add(by: u64, gave: u64) -> Action {
    Action::Add { by, gave }
}

#[track_caller]
fn is_right(operations: &[Operation]) {
    assert_eq!(check(None, operations, AMPLE), Verdict::Linearizable);
}

#[track_caller]
fn is_wrong(operations: &[Operation]) {
    let verdict = check(None, operations, AMPLE);
    assert!(matches!(verdict, Verdict::Violation { .. }), "{verdict:?}");
}

#[test]
fn a_read_after_an_acknowledged_write_shows_it() {
    is_right(&[known(1, 2, write(1)), known(3, 4, read(1))]);
    is_wrong(&[known(1, 2, write(1)), known(3, 4, ABSENT)]);
    is_wrong(&[known(1, 2, write(1)), known(3, 4, write(2)), known(5, 6, read(1))]);
    is_right(&[known(1, 2, write(1)), known(3, 6, write(2)), known(4, 5, read(1))]);
    is_right(&[known(1, 3, write(1)), known(3, 4, ABSENT)]);
}

#[test]
fn no_update_is_lost() {
    is_right(&[known(1, 4, add(1, 1)), known(2, 3, add(1, 2)), known(5, 6, read(2))]);
    is_wrong(&[known(1, 4, add(1, 1)), known(2, 3, add(1, 2)), known(5, 6, read(1))]);
    is_wrong(&[known(1, 4, add(1, 1)), known(2, 3, add(1, 1))]);
    is_right(&[known(1, 2, write(7)), known(3, 4, DELETE), known(5, 6, add(2, 2))]);
}

#[test]
fn of_two_swaps_from_one_state_one_is_done() {
    let begin = known(1, 2, write(1));
    is_wrong(&[begin, known(3, 6, swap(1, 2, true)), known(4, 5, swap(1, 3, true))]);
    is_right(&[begin, known(3, 6, swap(1, 2, true)), known(4, 5, swap(1, 3, false))]);
    is_wrong(&[begin, known(3, 4, swap(1, 2, false))]);
}

#[test]
fn two_readers_do_not_see_old_after_new() {
    let begin = [known(1, 2, write(1)), known(3, 20, write(2)), known(5, 6, read(2))];
    is_wrong(&[&begin[..], &[known(11, 12, read(1))]].concat());
    is_right(&[&begin[..], &[known(6, 12, read(1))]].concat());
}

#[test]
fn what_is_unknown_happens_once_or_never_and_stays_seen() {
    let begin = [known(1, 2, write(1)), unknown(3, write(2))];
    is_right(&[&begin[..], &[known(5, 6, read(1)), known(7, 8, read(2)), known(9, 10, read(2))]].concat());
    is_wrong(&[&begin[..], &[known(5, 6, read(2)), known(7, 8, read(1))]].concat());
    is_right(&[&begin[..], &[unknown(3, ABSENT), known(5, 6, read(1))]].concat());
    let twice = [known(5, 6, read(2)), known(7, 8, write(1)), known(9, 10, read(2))];
    is_wrong(&[&begin[..], &twice[..]].concat());
    is_right(&[&begin[..], &twice[..], &[unknown(4, write(2))]].concat());
    is_wrong(&[known(1, 2, read(2)), unknown(3, write(2))]);
    is_wrong(&[begin[0], unknown(3, swap(3, 2, true)), known(4, 5, read(2))]);
    is_right(&[begin[0], unknown(3, swap(1, 2, false)), known(4, 5, read(2))]);
    is_right(&[
        known(1, 2, add(1, 1)),
        known(9, 10, add(1, 6)),
        unknown(3, add(1, 0)),
        unknown(4, add(3, 0)),
    ]);
}

#[test]
fn more_steps_than_allowed_are_told() {
    let operations: Vec<_> = (0..100).map(|time| known(time, time + 100, write(time))).collect();
    assert_eq!(check(None, &operations, 5), Verdict::GaveUp { steps: 6 });
}

/// Whether some order of some operations, all of known outcome among them, explains every answer. Tries all.
fn explained(value: State, operations: &[Operation]) -> bool {
    if operations.iter().all(|operation| operation.ended.is_none()) {
        return true;
    }
    (0..operations.len()).any(|at| {
        let (mut others, operation) = (operations.to_vec(), operations[at]);
        others.remove(at);
        let precedes = |other: &Operation| other.ended.is_some_and(|ended| ended < operation.begun);
        let after = match operation.ended {
            Some(_) => outcome(operation.action, value),
            None => Some(effect(operation.action, value)),
        };
        !others.iter().any(precedes) && after.is_some_and(|after| explained(after, &others))
    })
}

fn few() -> impl Strategy<Value = State> {
    proptest::option::of(0..3u64)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => few().prop_map(|saw| Action::Read { saw }),
        3 => few().prop_map(|new| Action::Write { new }),
        2 => (few(), few(), any::<bool>())
            .prop_map(|(expected, new, done)| Action::Swap { expected, new, done }),
        1 => (0..3u64, 0..4u64).prop_map(|(by, gave)| Action::Add { by, gave }),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let times = (0..12u64, 1..8u64, prop::bool::weighted(0.8));
    (times, action()).prop_map(|((begun, takes, is_known), action)| {
        let ended = is_known.then_some(begun + takes);
        Operation { client: 0, begun, ended, action }
    })
}

/// What clients of a real register were told: each asks, is answered at some moment, and learns of it later,
/// if ever.
fn real(steps: &[(usize, Action, bool)], clients: usize) -> Vec<Operation> {
    let (mut value, mut history) = (None, Vec::<Operation>::new());
    let mut open: Vec<Option<(usize, bool)>> = vec![None; clients];
    for (time, (client, action, is_lost)) in steps.iter().enumerate() {
        let (client, time) = (client % clients, time as u64);
        match open[client] {
            None => {
                // What is written is like nothing else, sums included.
                let (client, begun, fresh) = (client as u64, time, 1000 * (time + 1));
                let action = match *action {
                    Action::Write { new } => Action::Write { new: new.map(|_| fresh) },
                    Action::Swap { expected, done, .. } => Action::Swap { expected, new: Some(fresh), done },
                    other => other,
                };
                history.push(Operation { client, begun, ended: None, action });
                open[client as usize] = Some((history.len() - 1, false));
            }
            Some((at, false)) => {
                let told = &mut history[at].action;
                match told {
                    Action::Read { saw } => *saw = value,
                    Action::Write { .. } => {}
                    Action::Swap { expected, done, .. } => {
                        // Half of them expect what is there.
                        *expected = if *done { value } else { *expected };
                        *done = *expected == value;
                    }
                    Action::Add { by, gave } => *gave = value.unwrap_or(0) + *by,
                }
                value = effect(*told, value);
                open[client] = Some((at, true));
            }
            Some((at, true)) => {
                history[at].ended = (!is_lost).then_some(time);
                open[client] = None;
            }
        }
    }
    history
}

/// A read, and what one write put and another had replaced before the read began. Every write puts something
/// else.
fn replaced(history: &[Operation]) -> Option<(usize, State)> {
    let puts = |operation: &&Operation| matches!(operation.action, Action::Write { new: Some(_) });
    let is_read =
        |operation: &Operation| matches!(operation.action, Action::Read { .. }) && operation.ended.is_some();
    let read = history.iter().rposition(is_read)?;
    let later = history.iter().filter(puts).filter(|later| later.ended < Some(history[read].begun));
    let later = later.filter(|later| later.ended.is_some()).max_by_key(|later| later.begun)?;
    let mut earlier = history.iter().filter(puts);
    let earlier = earlier.find(|earlier| earlier.ended.is_some_and(|ended| ended < later.begun))?;
    Some((read, effect(earlier.action, None)))
}

fn steps() -> impl Strategy<Value = Vec<(usize, Action, bool)>> {
    proptest::collection::vec((0..64usize, action(), prop::bool::weighted(0.03)), 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_agrees_with_a_search_through_everything(
        initial in few(),
        operations in proptest::collection::vec(operation(), 1..7),
    ) {
        let verdict = match explained(initial, &operations) {
            true => matches!(check(initial, &operations, AMPLE), Verdict::Linearizable),
            false => matches!(check(initial, &operations, AMPLE), Verdict::Violation { .. }),
        };
        prop_assert!(verdict);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_real_register_is_linearizable_and_its_past_does_not_come_back(
        steps in steps(),
        clients in 1..8usize,
    ) {
        let mut history = real(&steps, clients);
        let few_steps = 50 * history.len() as u64 + 1000;
        prop_assert_eq!(check(None, &history, few_steps), Verdict::Linearizable, "{:?}", history);
        if let Some((read, old)) = replaced(&history) {
            history[read].action = Action::Read { saw: old };
            let verdict = check(None, &history, AMPLE);
            prop_assert!(!matches!(verdict, Verdict::Linearizable), "{read} {old:?} {history:?}");
        }
    }
}
