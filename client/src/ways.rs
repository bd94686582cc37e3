//! The ways to nodes that a client was told of: which are open, which have yet to prove where they lead, and
//! which are left alone after a failure.
//!
//! An address that a server names may lead nowhere from here, or to somebody else. So no call takes a way
//! before the node at its end has shown that it is the one that is meant, and none waits for that. A node
//! that leaves calls unanswered may have stopped, and others lead in its stead by the time that its
//! connections break: it is sent no more meanwhile. There are so many ways at most; those that nobody takes
//! are closed. There is no clock in it, and what a way is made of is somebody else's to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::limits::{DIRECT_IDLE_MS, DIRECT_NODES_MAX, DIRECT_SILENCE_MS};

use crate::choice::Rest;
use crate::routes::Leader;
use crate::throttle::Throttle;

/// The ways to the nodes of one region.
#[derive(Debug)]
pub struct Ways<T> {
    ways: BTreeMap<u64, Way<T>>,
    swept_ms: u64,
}

#[derive(Debug)]
struct Way<T> {
    address: Arc<str>,
    state: State<T>,
    rest: Rest,
    throttle: Throttle,
    used_ms: u64,
    /// Calls that have not ended.
    underway: u64,
    /// When it last answered, or the first of those calls began.
    heard_ms: u64,
}

#[derive(Debug)]
enum State<T> {
    Closed,
    Proving,
    Open(T),
}

/// What to do for a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step<T> {
    /// Take this way, and say when the call has ended.
    Go(T),
    /// Take it, but the node would most likely refuse: hold the call back.
    Hold(T),
    /// Have the node prove itself, and take another way meanwhile. What comes of it has to be told.
    Prove,
    /// Take another way.
    Around,
}

impl<T> Default for Ways<T> {
    fn default() -> Self {
        Ways { ways: BTreeMap::new(), swept_ms: 0 }
    }
}

impl<T: Clone> Ways<T> {
    /// Which way to go to a node; `random` is any number.
    pub fn step(&mut self, to: &Leader, now_ms: u64, random: u64) -> Step<T> {
        self.sweep(now_ms);
        if self.ways.get(&to.node).is_none_or(|way| way.address != to.address) {
            if self.ways.len() >= DIRECT_NODES_MAX && !self.ways.contains_key(&to.node) {
                return Step::Around;
            }
            self.ways.insert(to.node, Way::new(to.address.clone()));
        }
        let Some(way) = self.ways.get_mut(&to.node) else { return Step::Around };
        way.used_ms = now_ms;
        match &way.state {
            State::Open(_) if way.is_silent(now_ms) => Step::Around,
            State::Open(open) if way.throttle.admits(now_ms, random) => {
                if way.underway == 0 {
                    way.heard_ms = now_ms;
                }
                way.underway += 1;
                Step::Go(open.clone())
            }
            State::Open(open) => Step::Hold(open.clone()),
            State::Closed if !way.rest.is_on(now_ms) => {
                way.state = State::Proving;
                Step::Prove
            }
            State::Closed | State::Proving => Step::Around,
        }
    }

    /// Opens the way to a node that has proved itself.
    pub fn open(&mut self, to: &Leader, open: T) {
        if let Some(way) = self.way(to) {
            way.state = State::Open(open);
            way.rest = Rest::default();
        }
    }

    /// Closes the way to a node that did not answer, or is another one, and leaves it alone for a while.
    pub fn failed(&mut self, to: &Leader, now_ms: u64) {
        if let Some(way) = self.way(to) {
            way.state = State::Closed;
            way.rest.begin(now_ms);
        }
    }

    /// Notes a node's answer: whether the call was taken in.
    pub fn answered(&mut self, to: &Leader, now_ms: u64, taken: bool) {
        if let Some(way) = self.way(to) {
            way.throttle.answered(now_ms, taken);
            way.heard_ms = now_ms;
        }
    }

    /// Notes that a call has ended, however it did.
    pub fn ended(&mut self, to: &Leader) {
        if let Some(way) = self.way(to) {
            way.underway = way.underway.saturating_sub(1);
        }
    }

    /// How many ways there are.
    pub fn len(&self) -> usize {
        self.ways.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    fn way(&mut self, to: &Leader) -> Option<&mut Way<T>> {
        self.ways.get_mut(&to.node).filter(|way| way.address == to.address)
    }

    /// Now and then drops the ways that nobody took of late.
    fn sweep(&mut self, now_ms: u64) {
        if now_ms < self.swept_ms.saturating_add(DIRECT_IDLE_MS / 4) {
            return;
        }
        self.swept_ms = now_ms;
        self.ways.retain(|_, way| way.used_ms.saturating_add(DIRECT_IDLE_MS) > now_ms);
    }
}

impl<T> Way<T> {
    fn new(address: Arc<str>) -> Self {
        let (rest, throttle) = Default::default();
        Way { address, state: State::Closed, rest, throttle, used_ms: 0, underway: 0, heard_ms: 0 }
    }

    fn is_silent(&self, now_ms: u64) -> bool {
        self.underway > 0 && self.heard_ms.saturating_add(DIRECT_SILENCE_MS) <= now_ms
    }
}

#[cfg(test)]
mod tests {
    use types::limits::ENDPOINT_COOL_DOWN_MS_MIN;

    use super::*;

    fn to(node: u64, address: &str) -> Leader {
        Leader { node, address: address.into() }
    }

    #[test]
    fn a_node_proves_itself_once_before_anybody_goes_there() {
        let (mut ways, two) = (Ways::default(), to(2, "h:2"));
        assert_eq!(ways.step(&two, 0, 0), Step::Prove);
        assert_eq!(ways.step(&two, 0, 0), Step::Around);
        ways.open(&two, 'a');
        assert_eq!(ways.step(&two, 0, 0), Step::Go('a'));
    }

    #[test]
    fn one_that_fails_is_left_alone_and_then_proves_itself_again() {
        let (mut ways, two) = (Ways::default(), to(2, "h:2"));
        ways.step(&two, 0, 0);
        ways.open(&two, 'a');
        ways.failed(&two, 0);
        assert_eq!(ways.step(&two, ENDPOINT_COOL_DOWN_MS_MIN - 1, 0), Step::Around);
        assert_eq!(ways.step(&two, ENDPOINT_COOL_DOWN_MS_MIN, 0), Step::Prove);
        ways.failed(&two, ENDPOINT_COOL_DOWN_MS_MIN);
        assert_eq!(ways.step(&two, 2 * ENDPOINT_COOL_DOWN_MS_MIN, 0), Step::Around, "rests grow");
    }

    #[test]
    fn a_node_that_moved_proves_itself_anew_and_what_comes_of_the_old_place_is_nothing() {
        let (mut ways, old, new) = (Ways::default(), to(2, "h:2"), to(2, "h:9"));
        ways.step(&old, 0, 0);
        assert_eq!(ways.step(&new, 0, 0), Step::Prove);
        ways.open(&old, 'a');
        assert_eq!(ways.step(&new, 0, 0), Step::Around);
        ways.open(&new, 'b');
        ways.failed(&old, 0);
        assert_eq!(ways.step(&new, 0, 0), Step::Go('b'));
    }

    #[test]
    fn ways_are_bounded_and_those_that_nobody_takes_go() {
        let mut ways: Ways<char> = Ways::default();
        for node in 1..=DIRECT_NODES_MAX as u64 {
            assert_eq!(ways.step(&to(node, "h:1"), 0, 0), Step::Prove);
        }
        assert_eq!(ways.step(&to(1000, "h:1"), 0, 0), Step::Around);
        ways.step(&to(1, "h:1"), DIRECT_IDLE_MS - 1, 0);
        assert_eq!(ways.len(), DIRECT_NODES_MAX);
        assert_eq!(ways.step(&to(1000, "h:1"), 2 * DIRECT_IDLE_MS - 2, 0), Step::Prove);
        assert_eq!(ways.len(), 2);
        assert!(!ways.is_empty());
    }

    #[test]
    fn a_node_that_answers_nothing_is_passed_by_until_it_does() {
        let (mut ways, two) = (Ways::default(), to(2, "h:2"));
        ways.step(&two, 0, 0);
        ways.open(&two, 'a');
        assert_eq!(ways.step(&two, 1000, 0), Step::Go('a'));
        assert_eq!(ways.step(&two, 1000 + DIRECT_SILENCE_MS - 1, 0), Step::Go('a'));
        assert_eq!(ways.step(&two, 1000 + DIRECT_SILENCE_MS, 0), Step::Around);
        ways.answered(&two, 1000 + DIRECT_SILENCE_MS, true);
        ways.ended(&two);
        assert_eq!(ways.step(&two, 1000 + DIRECT_SILENCE_MS, 0), Step::Go('a'));
        ways.ended(&two);
        ways.ended(&two);
        assert_eq!(ways.step(&two, 9000, 0), Step::Go('a'), "nothing is under way");
    }

    #[test]
    fn a_node_that_refuses_most_calls_is_spared_some() {
        let (mut ways, two) = (Ways::default(), to(2, "h:2"));
        ways.step(&two, 0, 0);
        ways.open(&two, 'a');
        let mut held = 0;
        for _ in 0..1000 {
            match ways.step(&two, 0, 0) {
                Step::Go(_) => {
                    ways.answered(&two, 0, false);
                    ways.ended(&two);
                }
                Step::Hold(_) => held += 1,
                step => panic!("{step:?}"),
            }
        }
        assert!(held > 900, "{held}");
    }
}
