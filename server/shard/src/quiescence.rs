//! Groups that have nothing to do do not tick, and which nodes live is watched once for all of them (`P5`).
//!
//! A leader that owes nobody anything tells its followers to rest and stops ticking. Whatever changes what a
//! resting replica believes, or asks something of it, wakes it; a heartbeat that came late does not. A node
//! that was lost wakes the groups that it led, and their timers are past the timeout at once, because they
//! stood still. One that comes back wakes the groups that it has a seat in.

use std::collections::{BTreeMap, BTreeSet};

use consensus::Belief;
use storage::Engine;
use types::{GroupId, NodeId, Planted, limits};

use crate::Shard;
use crate::letters::{Content, Letter};

const NS_PER_MS: u64 = 1_000_000;

/// Which groups rest, and which nodes live.
#[derive(Debug, Default)]
pub(crate) struct Quiescence {
    /// The groups that tick, each with the number of ticks that it has had nothing to do.
    awake: BTreeMap<GroupId, u32>,
    /// The groups that rest.
    resting: BTreeMap<GroupId, Belief>,
    /// Groups that are to wake, and whether their leader is lost.
    waking: BTreeMap<GroupId, bool>,
    others: BTreeMap<NodeId, Other>,
}

/// Another node, as this one hears of it.
#[derive(Debug)]
struct Other {
    heard_ns: u64,
    life: Option<u64>,
    lives: bool,
    /// Ticks since it was last written to.
    unwritten: u32,
}

impl Quiescence {
    /// All nodes are taken to live until they have been silent.
    pub fn new(others: impl Iterator<Item = NodeId>, now_ns: u64) -> Self {
        let other = |node| (node, Other { heard_ns: now_ns, life: None, lives: true, unwritten: 0 });
        Quiescence { others: others.map(other).collect(), ..Quiescence::default() }
    }

    /// A group is new, or must tick again.
    pub fn wake(&mut self, group: GroupId) {
        self.resting.remove(&group);
        self.awake.entry(group).or_default();
    }

    /// A group is gone.
    pub fn forget(&mut self, group: GroupId) {
        self.resting.remove(&group);
        self.awake.remove(&group);
        self.waking.remove(&group);
    }

    /// Whether a group rests.
    pub fn rests(&self, group: GroupId) -> bool {
        self.resting.contains_key(&group)
    }

    /// The groups that tick.
    pub fn awake(&self) -> Vec<GroupId> {
        self.awake.keys().copied().collect()
    }

    /// A node is written to.
    pub fn wrote(&mut self, node: NodeId) {
        if let Some(other) = self.others.get_mut(&node) {
            other.unwritten = 0;
        }
    }

    /// Whether another node was heard of lately.
    fn lives(&self, node: NodeId) -> bool {
        self.others.get(&node).is_some_and(|other| other.lives)
    }

    fn rest(&mut self, group: GroupId, belief: Belief) {
        self.awake.remove(&group);
        self.resting.insert(group, belief);
    }
}

impl<E: Engine> Shard<E> {
    /// Another node's process was heard of.
    pub(crate) fn heard(&mut self, node: NodeId, life: u64) {
        let now_ns = self.now.monotonic_ns;
        let Some(other) = self.quiescence.others.get_mut(&node) else { return };
        let restarted = other.life.replace(life).is_some_and(|before| before != life);
        let returned = !std::mem::replace(&mut other.lives, true);
        other.heard_ns = now_ns;
        if restarted {
            self.wake_groups_of(node, true);
        } else if returned {
            self.wake_groups_of(node, false);
        }
    }

    /// Notices who has been silent for an election timeout, and lets some of those wake that must.
    pub(crate) fn watch_nodes(&mut self) {
        let patience_ns = limits::RAFT_TICK_MS * u64::from(limits::RAFT_ELECTION_TICKS) * NS_PER_MS;
        let now_ns = self.now.monotonic_ns;
        let mut lost = Vec::new();
        for (node, other) in &mut self.quiescence.others {
            other.unwritten += 1;
            if other.lives && other.heard_ns + patience_ns < now_ns {
                other.lives = false;
                lost.push(*node);
            }
            if other.unwritten >= limits::NODE_GREETING_TICKS {
                self.outbox.greet(*node);
            }
        }
        for node in lost {
            if !self.settings.faults.has(Planted::SleepOn) {
                self.wake_groups_of(node, true);
            }
        }
        for _ in 0..limits::WAKES_PER_TICK_MAX {
            let Some((group, is_lost)) = self.quiescence.waking.pop_first() else { return };
            if self.quiescence.rests(group) {
                self.quiescence.wake(group);
                self.dirty.insert(group);
                if is_lost {
                    self.make_overdue(group);
                }
            }
        }
    }

    /// Notes the resting groups with a seat on a node as to be woken. Their leader is lost, if it sat there
    /// and the node or its process is.
    fn wake_groups_of(&mut self, node: NodeId, is_lost: bool) {
        let resting: Vec<_> = self.quiescence.resting.keys().copied().collect();
        for group in resting {
            let has_seat = self.seats_of(group).iter().any(|(seat, _)| *seat == node);
            if has_seat {
                let led = self.leader_of(group) == Some(node);
                let overdue = self.quiescence.waking.entry(group).or_default();
                *overdue |= is_lost && led;
            }
        }
    }

    /// The timer of a follower that rested stood still: it is past the timeout at once. The first whose node
    /// lives stands; the others no longer hold votes back for a leader that is gone.
    fn make_overdue(&mut self, group: GroupId) {
        let (me, lost) = (self.settings.node, self.leader_of(group));
        let lives = |node: NodeId| node == me || self.quiescence.lives(node);
        let seats = self.seats_of(group);
        let first = seats.iter().map(|(node, _)| *node).find(|node| Some(*node) != lost && lives(*node));
        let Some((raft, random)) = self.group_and_random(group) else { return };
        if raft.is_leader() {
            return;
        }
        for _ in 0..limits::RAFT_ELECTION_TICKS {
            raft.tick(random);
        }
        if first == Some(me) {
            raft.campaign(random);
        }
    }

    /// Lets an awake group rest, if it has led for long enough without anything to do.
    pub(crate) fn rest_if_quiet(&mut self, group: GroupId) {
        let quiet = !self.dirty.contains(&group) && self.is_quiet(group);
        let Some(idle) = self.quiescence.awake.get_mut(&group) else { return };
        *idle = if quiet { *idle + 1 } else { 0 };
        if *idle < limits::QUIET_TICKS {
            return;
        }
        let belief = self.group_mut(group).expect("it is awake here").belief();
        self.quiescence.rest(group, belief);
        let content = Content::Rest { term: belief.term, last: belief.last };
        for node in self.others(group) {
            self.write_to(node, Letter { group, content: content.clone() });
        }
    }

    /// The leader rests: so does this replica, if it believes the same.
    pub(crate) fn rest_with(&mut self, node: NodeId, group: GroupId, term: u64, last: u64) {
        let is_leader = self.leader_of(group) == Some(node);
        let dirty = self.dirty.contains(&group);
        let Some(raft) = self.group_mut(group) else { return };
        let belief = raft.belief();
        if is_leader && !dirty && (belief.term, belief.last) == (term, last) && raft.is_settled() {
            self.quiescence.rest(group, belief);
        }
    }

    /// Something happened to a group: one that rests wakes if it has something to do, or believes something
    /// else than it did.
    pub(crate) fn stir(&mut self, group: GroupId) {
        let Some(belief) = self.quiescence.resting.get(&group).copied() else { return };
        let Some(raft) = self.group_mut(group) else { return };
        let (same, leads, settled) = (raft.belief() == belief, raft.is_leader(), raft.is_settled());
        if !same || !settled || leads && !self.is_quiet(group) {
            self.quiescence.wake(group);
        }
    }

    fn is_quiet(&mut self, group: GroupId) -> bool {
        let (me, seats) = (self.settings.node, self.seats_of(group));
        let others = &self.quiescence.others;
        let silent =
            |(node, _): &&(NodeId, u64)| *node != me && !others.get(node).is_some_and(|other| other.lives);
        let silent: BTreeSet<u64> = seats.iter().filter(silent).map(|(_, replica)| *replica).collect();
        self.group_mut(group).is_some_and(|raft| raft.is_quiet(|member| !silent.contains(&member)))
    }

    /// The nodes that a group's members sit on, each with its member.
    fn seats_of(&self, group: GroupId) -> Vec<(NodeId, u64)> {
        match self.replicas.get(&group) {
            // A node's catalog replica has the node's number.
            None => self.settings.nodes.iter().map(|node| (*node, node.0)).collect(),
            Some(replica) => replica.seats.iter().map(|seat| (seat.node, seat.replica)).collect(),
        }
    }

    /// The node that leads a group, as far as this one knows.
    fn leader_of(&self, group: GroupId) -> Option<NodeId> {
        match self.replicas.get(&group) {
            None => self.catalog.group.leader().map(NodeId),
            Some(replica) => replica.leader_node(),
        }
    }
}
