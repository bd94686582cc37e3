//! Decides whether what clients were told of one register could have come of an atomic one.
//!
//! An atomic register does every operation in one instant between its beginning and its end. The search
//! builds the order of those instants from its front: whatever began before any other operation ended may
//! come next (Wing and Gong), and a situation that was reached before is not tried again (Lowe). An operation
//! that shows what the register holds and changes nothing comes as soon as it fits, for it stands in nobody's
//! way. One of unknown outcome may come at any time, or never: it is tried last.
//!
//! It must not recurse, since histories are long, and it knows neither clocks nor tables.

use std::collections::BTreeSet;

/// What a register holds; `None` when there is no item.
pub type State = Option<u64>;

/// What a client asked for, and what it was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// To see what is there.
    Read {
        /// What was.
        saw: State,
    },
    /// To replace it, or to delete it.
    Write {
        /// By what.
        new: State,
    },
    /// To replace it if it is what was expected.
    Swap {
        /// What was expected.
        expected: State,
        /// By what.
        new: State,
        /// Whether it was; without meaning where the outcome is unknown.
        done: bool,
    },
    /// To add to it; nothing counts as 0.
    Add {
        /// How much.
        by: u64,
        /// The sum; without meaning where the outcome is unknown.
        gave: u64,
    },
}

/// An operation on one register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Who asked, for whoever reads what is wrong.
    pub client: u64,
    /// When.
    pub begun: u64,
    /// When the answer came, later than that; `None` when the outcome is unknown.
    pub ended: Option<u64>,
    /// What was asked, and told.
    pub action: Action,
}

/// What came of the search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// An order explains every answer.
    Linearizable,
    /// None does.
    Violation {
        /// The operation, by its index, that the longest order could not explain.
        operation: usize,
        /// How many operations of known outcome that order holds.
        explained: usize,
        /// What the register holds behind it.
        state: State,
    },
    /// It took more steps than it may.
    GaveUp {
        /// How many.
        steps: u64,
    },
}

/// Judges the history of one register. One operation precedes another if it ended before the other began. A
/// step is a situation that was looked at.
pub fn check(initial: State, operations: &[Operation], steps_max: u64) -> Verdict {
    let mut search = Search::new(operations);
    let mut stack = vec![Situation { value: initial, ..Situation::default() }];
    let mut steps = 0;
    while let Some(mut situation) = stack.pop() {
        search.absorb(&mut situation);
        if situation.first == search.known.len() {
            return Verdict::Linearizable;
        }
        if search.seen.contains(&situation) {
            continue;
        }
        steps += 1;
        if steps > steps_max {
            return Verdict::GaveUp { steps };
        }
        search.note(&situation);
        // The stack gives the last one first: of known outcome before unknown, early ends before late ones.
        stack.extend(search.unknown_next(&situation));
        stack.extend(search.known_next(&situation));
        search.seen.insert(situation);
    }
    let (explained, operation, state) = search.longest;
    Verdict::Violation { operation, explained, state }
}

/// A front of an order.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Situation {
    /// All of known outcome before this one are in it.
    first: usize,
    /// Those of known outcome behind that.
    ahead: BTreeSet<usize>,
    /// Those of unknown outcome.
    used: BTreeSet<usize>,
    /// What the register holds then.
    value: State,
}

struct Search {
    /// Those of known outcome in the order of their beginnings, each with its index.
    known: Vec<(usize, Operation)>,
    /// Those of unknown outcome likewise; reads among them prove nothing and are left out.
    unknown: Vec<Operation>,
    seen: BTreeSet<Situation>,
    /// How many the longest order explains, which it does not, and what the register holds then.
    longest: (usize, usize, State),
}

impl Search {
    fn new(operations: &[Operation]) -> Self {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for (index, operation) in operations.iter().enumerate() {
            match (operation.ended, operation.action) {
                (Some(_), _) => known.push((index, *operation)),
                (None, Action::Read { .. }) => {}
                (None, _) => unknown.push(*operation),
            }
        }
        known.sort_by_key(|(index, operation)| (operation.begun, *index));
        unknown.sort_by_key(|operation| operation.begun);
        Search { known, unknown, seen: BTreeSet::new(), longest: Default::default() }
    }

    /// Those of known outcome that may come next, and the time by which whatever comes next must have begun.
    fn eligible(&self, situation: &Situation) -> (Vec<usize>, u64) {
        let (mut eligible, mut end) = (Vec::new(), u64::MAX);
        for (at, (_, operation)) in self.known.iter().enumerate().skip(situation.first) {
            // Sorted by beginnings: nothing behind this one began in time either.
            if operation.begun > end {
                break;
            }
            if !situation.ahead.contains(&at) {
                end = end.min(operation.ended.unwrap_or(u64::MAX));
                eligible.push(at);
            }
        }
        eligible.retain(|at| self.known[*at].1.begun <= end);
        (eligible, end)
    }

    /// Takes in all that fits and never changes anything. Not so what changes nothing at the moment, such as
    /// a write of what is there already: later it may bring it back.
    fn absorb(&self, situation: &mut Situation) {
        let value = situation.value;
        let idle = |at: &usize| {
            let action = self.known[*at].1.action;
            let looks = matches!(action, Action::Read { .. } | Action::Swap { done: false, .. });
            looks && outcome(action, value).is_some()
        };
        loop {
            let (eligible, _) = self.eligible(situation);
            let fitting: Vec<_> = eligible.into_iter().filter(idle).collect();
            if fitting.is_empty() {
                return;
            }
            fitting.into_iter().for_each(|at| self.take(situation, at));
        }
    }

    fn take(&self, situation: &mut Situation, at: usize) {
        situation.ahead.insert(at);
        while situation.ahead.remove(&situation.first) {
            situation.first += 1;
        }
    }

    /// The situations behind one of known outcome, the one that ends first last.
    fn known_next(&self, situation: &Situation) -> Vec<Situation> {
        let (mut eligible, _) = self.eligible(situation);
        eligible.sort_by_key(|at| std::cmp::Reverse(self.known[*at].1.ended));
        let next = |at: usize| {
            let value = outcome(self.known[at].1.action, situation.value)?;
            let mut next = Situation { value, ..situation.clone() };
            self.take(&mut next, at);
            Some(next)
        };
        eligible.into_iter().filter_map(next).collect()
    }

    /// The situations behind one of unknown outcome that changes something.
    fn unknown_next(&self, situation: &Situation) -> Vec<Situation> {
        let (_, end) = self.eligible(situation);
        let begun = self.unknown.iter().enumerate().take_while(|(_, operation)| operation.begun <= end);
        let free = begun.filter(|(at, _)| !situation.used.contains(at));
        let next = |(at, operation): (usize, &Operation)| {
            let value = effect(operation.action, situation.value);
            let mut next = Situation { value, ..situation.clone() };
            next.used.insert(at);
            (value != situation.value).then_some(next)
        };
        free.filter_map(next).collect()
    }

    /// Keeps the longest order for whoever asks what is wrong.
    fn note(&mut self, situation: &Situation) {
        let explained = situation.first + situation.ahead.len();
        if explained >= self.longest.0 {
            let (eligible, _) = self.eligible(situation);
            let stuck = eligible.into_iter().min_by_key(|at| self.known[*at].1.ended);
            let index = stuck.map_or(0, |at| self.known[at].0);
            self.longest = (explained, index, situation.value);
        }
    }
}

/// What a register holds behind an operation, if what was told fits what it held before.
fn outcome(action: Action, value: State) -> Option<State> {
    let fits = match action {
        Action::Read { saw } => saw == value,
        Action::Write { .. } => true,
        Action::Swap { expected, done, .. } => done == (expected == value),
        Action::Add { gave, .. } => effect(action, value) == Some(gave),
    };
    fits.then(|| effect(action, value))
}

/// What a register holds behind an operation, whatever was told.
fn effect(action: Action, value: State) -> State {
    match action {
        Action::Write { new } => new,
        Action::Swap { expected, new, .. } if expected == value => new,
        Action::Read { .. } | Action::Swap { .. } => value,
        Action::Add { by, .. } => Some(value.unwrap_or(0).wrapping_add(by)),
    }
}

#[cfg(test)]
mod tests;
