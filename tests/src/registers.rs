//! What clients were told of keys that they share, and whether one copy of each key could have told it.
//!
//! A key is a register that holds a number or nothing. Whoever records an operation takes the time before it
//! sends and after it was answered, all from one clock. What was certainly not done leaves no trace; what may
//! have been done may be done at any later time.

use std::collections::BTreeMap;
use std::time::Instant;

use linearize::{Action, Operation, State, Verdict};

/// Situations that may be looked at for one key. A history that takes more counts as a failure.
const STEPS_MAX: u64 = 300_000;
/// Operations before and after the one that nothing explains which are told in any case.
const TOLD_BESIDE: usize = 12;

/// The one clock of a test.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Begins at 0.
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// Nanoseconds since the start.
    pub fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

/// An operation that was asked for, before anything is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// By whom.
    pub client: u64,
    /// When, in nanoseconds.
    pub begun_ns: u64,
    /// What for.
    pub action: Action,
}

/// Registers by key, with what was told of them.
#[derive(Clone, Debug, Default)]
pub struct Histories {
    registers: BTreeMap<String, Register>,
    /// How many operations were answered.
    pub answered: u64,
    /// How many may have been done.
    pub unknown: u64,
    /// How many were certainly not done, or were reads without an answer.
    pub not_done: u64,
}

#[derive(Clone, Debug, Default)]
struct Register {
    initial: State,
    operations: Vec<Operation>,
}

impl Histories {
    /// Records what came of an operation: the action with what was told, or the library's error. Panics on
    /// a refusal, since nobody here asks for what must be refused.
    pub fn note(&mut self, key: &str, asked: Asked, came: Result<Action, client::Error>, ended_ns: u64) {
        let Asked { client, begun_ns: begun, action } = asked;
        let (ended, action) = match came {
            Ok(told) => (Some(ended_ns), told),
            Err(client::Error::OutcomeUnknown { .. }) => (None, action),
            Err(client::Error::NotDone { .. } | client::Error::NoAnswer { .. }) => {
                self.not_done += 1;
                return;
            }
            Err(other) => panic!("{action:?} of {key} came to: {other}"),
        };
        match ended {
            Some(_) => self.answered += 1,
            None => self.unknown += 1,
        }
        self.of(key).operations.push(Operation { client, begun, ended, action });
    }

    /// Takes in what another client recorded.
    pub fn merge(&mut self, other: Histories) {
        self.answered += other.answered;
        self.unknown += other.unknown;
        self.not_done += other.not_done;
        for (key, register) in other.registers {
            let known = self.of(&key);
            known.initial = known.initial.or(register.initial);
            known.operations.extend(register.operations);
        }
    }

    fn of(&mut self, key: &str) -> &mut Register {
        self.registers.entry(key.to_owned()).or_default()
    }

    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        self.registers.keys().cloned().collect()
    }

    /// How many operations were under way for all of the time between two moments.
    pub fn spanning(&self, from_ns: u64, until_ns: u64) -> usize {
        let all = self.registers.values().flat_map(|register| &register.operations);
        all.filter(|operation| operation.begun <= from_ns && operation.ended >= Some(until_ns)).count()
    }

    /// Says of each key what no single copy of it could have told; nothing, if all is well.
    pub fn violations(&self) -> Vec<String> {
        self.registers.iter().filter_map(|(key, register)| register.violation(key)).collect()
    }

    /// What is left to hold once the last word on each key was a read that nothing overlapped: that it holds
    /// what was read, unless something of unknown outcome is done after all.
    pub fn rest(self) -> Histories {
        let rest = |mut register: Register| {
            let last = register.operations.iter().max_by_key(|operation| operation.begun);
            let Some(Operation { action: Action::Read { saw }, .. }) = last else {
                panic!("the last word is no read: {last:?}")
            };
            let initial = *saw;
            register.operations.retain(|operation| operation.ended.is_none());
            Register { initial, operations: register.operations }
        };
        let registers = self.registers.into_iter().map(|(key, register)| (key, rest(register))).collect();
        Histories { registers, ..Histories::default() }
    }
}

impl Register {
    fn violation(&self, key: &str) -> Option<String> {
        let count = self.operations.len();
        match linearize::check(self.initial, &self.operations, STEPS_MAX) {
            Verdict::Linearizable => None,
            Verdict::GaveUp { steps } => {
                Some(format!("{key}: {count} operations are undecided after {steps} steps"))
            }
            Verdict::Violation { operation, explained, state } => {
                let strange = self.operations[operation];
                let beside: Vec<String> =
                    self.beside(strange).iter().map(|operation| format!("  {operation:?}")).collect();
                Some(format!(
                    "{key}: no order of {count} operations explains {strange:?}: behind {explained} of them \
                     it holds {state:?}; beside it:\n{}",
                    beside.join("\n")
                ))
            }
        }
    }

    /// The operations that overlap one of them, tell of the same value, or began shortly before or after.
    fn beside(&self, strange: Operation) -> Vec<Operation> {
        let mut all = self.operations.clone();
        all.sort_by_key(|operation| operation.begun);
        let at = all.iter().position(|operation| *operation == strange).unwrap_or(0);
        let ended = strange.ended.unwrap_or(u64::MAX);
        let overlaps = |operation: &Operation| {
            operation.begun <= ended && operation.ended.is_none_or(|ended| strange.begun <= ended)
        };
        let is_beside = |(index, operation): &(usize, Operation)| {
            let shares = values(operation.action).any(|value| values(strange.action).any(|own| own == value));
            index.abs_diff(at) <= TOLD_BESIDE || overlaps(operation) || shares
        };
        all.into_iter().enumerate().filter(is_beside).map(|(_, operation)| operation).collect()
    }
}

/// The values that an action tells of.
fn values(action: Action) -> impl Iterator<Item = u64> {
    let states = match action {
        Action::Read { saw } => [saw, None],
        Action::Write { new } => [new, None],
        Action::Swap { expected, new, .. } => [expected, new],
        Action::Add { gave, .. } => [Some(gave), None],
    };
    states.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use client::error::Cause;

    use super::*;

    const READ: Action = Action::Read { saw: None };

    fn saw(value: u64) -> Result<Action, client::Error> {
        Ok(Action::Read { saw: Some(value) })
    }

    fn write(value: u64) -> Action {
        Action::Write { new: Some(value) }
    }

    fn late() -> Cause {
        Cause::Deadline { endpoint: "http://127.0.0.1:1".to_owned() }
    }

    /// One client's operations on one key, none overlapping another.
    fn one_by_one<const N: usize>(told: [(Action, Result<Action, client::Error>); N]) -> Histories {
        let mut histories = Histories::default();
        for (at, (action, came)) in told.into_iter().enumerate() {
            let begun_ns = 10 * at as u64;
            histories.note("k", Asked { client: 0, begun_ns, action }, came, begun_ns + 5);
        }
        histories
    }

    #[test]
    fn a_stale_read_is_found_and_the_operation_named() {
        let [first, second] = [write(1), write(2)];
        let good = one_by_one([(first, Ok(first)), (second, Ok(second)), (READ, saw(2))]);
        assert_eq!((good.violations(), good.answered), (vec![], 3));
        let stale = one_by_one([(first, Ok(first)), (second, Ok(second)), (READ, saw(1))]);
        let told = stale.violations();
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("Read { saw: Some(1) }"), "{told:?}");
    }

    #[test]
    fn a_lost_write_is_found_only_if_it_was_acknowledged() {
        let lost = one_by_one([(write(1), Ok(write(1))), (READ, Ok(READ))]);
        assert_eq!(lost.violations().len(), 1);
        let unknown = || Err(client::Error::OutcomeUnknown { cause: late() });
        let absent = one_by_one([(write(1), unknown()), (READ, Ok(READ)), (READ, saw(1))]);
        assert_eq!((absent.violations(), absent.unknown), (vec![], 1));
        let undone = one_by_one([(write(1), unknown()), (READ, saw(1)), (READ, Ok(READ))]);
        assert_eq!(undone.violations().len(), 1);
    }

    #[test]
    fn what_was_called_not_done_and_is_seen_is_found() {
        let not_done = || Err(client::Error::NotDone { cause: late() });
        let good = one_by_one([(write(1), not_done()), (READ, Ok(READ))]);
        assert_eq!((good.violations(), good.not_done), (vec![], 1));
        assert_eq!(one_by_one([(write(1), not_done()), (READ, saw(1))]).violations().len(), 1);
    }

    #[test]
    fn two_swaps_from_one_state_are_found() {
        let swap = |new| Action::Swap { expected: None, new: Some(new), done: true };
        let both = one_by_one([(swap(1), Ok(swap(1))), (swap(2), Ok(swap(2)))]);
        assert_eq!(both.violations().len(), 1);
    }

    #[test]
    fn what_was_read_last_must_stay() {
        let unknown = Err(client::Error::OutcomeUnknown { cause: late() });
        let before = one_by_one([(write(1), Ok(write(1))), (write(2), unknown), (READ, saw(1))]);
        let rest = before.rest();
        let read_again = |came| {
            let mut rest = rest.clone();
            rest.note("k", Asked { client: 1, begun_ns: 100, action: READ }, came, 105);
            rest.violations().len()
        };
        assert_eq!((read_again(saw(1)), read_again(saw(2)), read_again(Ok(READ))), (0, 0, 1));
    }

    #[test]
    #[should_panic(expected = "InvalidEndpoint")]
    fn a_refusal_fails_the_test() {
        let refusal = client::error::Refusal {
            name: "InvalidEndpoint".to_owned(),
            message: String::new(),
            field: String::new(),
        };
        one_by_one([(READ, Err(client::Error::Refused(refusal)))]);
    }

    #[test]
    fn what_spans_two_moments_is_counted() {
        let two = one_by_one([(write(1), Ok(write(1))), (READ, saw(1))]);
        assert_eq!([two.spanning(1, 4), two.spanning(4, 12), two.spanning(10, 15)], [1, 0, 1]);
    }
}
