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
use crate::clock::NS_PER_MS;
use crate::letters::{Content, Letter};

/// Which groups rest, and which nodes live.
#[derive(Debug, Default)]
pub(crate) struct Quiescence {
    /// The groups that tick, each with the number of ticks that it has had nothing to do.
    awake: BTreeMap<GroupId, u32>,
    /// The groups that rest.
    resting: BTreeMap<GroupId, Belief>,
    /// Groups that are to wake, and why.
    waking: BTreeMap<GroupId, Cause>,
    others: BTreeMap<NodeId, Other>,
}

/// Why a group is to wake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cause {
    /// A node with a seat in it is back.
    Back,
    /// The process that led it has ended.
    Restarted,
    /// The node that led it is silent.
    Silent(NodeId),
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
    /// The region's other nodes; whoever is new is taken to live.
    pub fn know(&mut self, others: BTreeSet<NodeId>, now_ns: u64) {
        self.others.retain(|node, _| others.contains(node));
        for node in others {
            let new = || Other { heard_ns: now_ns, life: None, lives: true, unwritten: 0 };
            self.others.entry(node).or_insert_with(new);
        }
    }

    /// Whether the region has other nodes.
    pub fn knows_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// The region's other nodes.
    pub fn others(&self) -> Vec<NodeId> {
        self.others.keys().copied().collect()
    }

    /// Whether a node is one of them.
    pub fn knows(&self, node: NodeId) -> bool {
        self.others.contains_key(&node)
    }

    /// A group is new, or must tick again.
    pub fn wake(&mut self, group: GroupId) {
        self.resting.remove(&group);
        self.awake.entry(group).or_default();
    }

    /// A group must tick again, if it rests.
    pub fn wake_if_resting(&mut self, group: GroupId) {
        if self.rests(group) {
            self.wake(group);
        }
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
    pub fn lives(&self, node: NodeId) -> bool {
        self.others.get(&node).is_some_and(|other| other.lives)
    }

    /// Whether another node has been silent for so long that logs are not kept for it.
    pub fn has_been_silent(&self, node: NodeId, now_ns: u64) -> bool {
        let patience_ns = limits::LOG_KEPT_FOR_MS * NS_PER_MS;
        self.others.get(&node).is_some_and(|other| other.heard_ns + patience_ns < now_ns)
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
        self.catalog.unplanned |= returned;
        if restarted {
            self.wake_groups_of(node, Cause::Restarted);
        } else if returned {
            self.wake_groups_of(node, Cause::Back);
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
                self.wake_groups_of(node, Cause::Silent(node));
            }
        }
        for _ in 0..limits::WAKES_PER_TICK_MAX {
            let Some((group, cause)) = self.quiescence.waking.pop_first() else { return };
            let rested = self.quiescence.rests(group);
            self.quiescence.wake_if_resting(group);
            let is_lost = match cause {
                Cause::Back => false,
                Cause::Restarted => rested,
                Cause::Silent(node) => !self.quiescence.lives(node) && self.leader_of(group) == Some(node),
            };
            if is_lost {
                self.make_overdue(group);
            }
            if is_lost || rested {
                self.dirty.insert(group);
            }
        }
    }

    /// Notes the groups that must wake because of a node. Those that are awake have something to learn only
    /// when the node that leads them is silent: their timers are a while behind what this node knows.
    fn wake_groups_of(&mut self, node: NodeId, cause: Cause) {
        let groups: Vec<_> = match cause {
            Cause::Silent(_) => self.replicas.keys().copied().chain([GroupId::CATALOG]).collect(),
            Cause::Back | Cause::Restarted => self.quiescence.resting.keys().copied().collect(),
        };
        for group in groups {
            let led = self.leader_of(group) == Some(node);
            let concerns = led || self.quiescence.rests(group) && self.has_seat(group, node);
            if concerns {
                self.quiescence.waking.insert(group, if led { cause } else { Cause::Back });
            }
        }
    }

    fn has_seat(&self, group: GroupId, node: NodeId) -> bool {
        self.seats(group).iter().any(|seat| seat.node == node)
    }

    /// Another replica of a group looks for a leader: whoever rests may be that leader, or else its leader
    /// must be heard of before this one, too, takes it for lost.
    pub(crate) fn wake_for_candidate(&mut self, group: GroupId) {
        if !self.quiescence.rests(group) {
            return;
        }
        self.quiescence.wake(group);
        let leader = self.leader_of(group).filter(|node| *node != self.settings.node);
        if let Some(leader) = leader {
            self.write_to(leader, Letter { group, content: Content::Wake });
        }
    }

    /// The timer of a follower that rested stood still: it is past the timeout at once. The first whose node
    /// lives stands; the others no longer hold votes back for a leader that is gone.
    fn make_overdue(&mut self, group: GroupId) {
        let (me, lost) = (self.settings.node, self.leader_of(group));
        let mut nodes = self.seats(group).iter().map(|seat| seat.node);
        let first = nodes.find(|node| Some(*node) != lost && self.lives(*node));
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
        let quiet = self.is_quiet(group);
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
        let Some(raft) = self.group_mut(group) else { return };
        let belief = raft.belief();
        if is_leader && (belief.term, belief.last) == (term, last) && raft.is_settled() {
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
        let silent = self.seats(group).iter().filter(|seat| !self.lives(seat.node));
        let silent: BTreeSet<_> = silent.map(|seat| seat.replica).collect();
        self.group_mut(group).is_some_and(|raft| raft.is_quiet(|member| !silent.contains(&member)))
    }

    /// Whether a node was heard of lately, or is this one.
    pub(crate) fn lives(&self, node: NodeId) -> bool {
        node == self.settings.node || self.quiescence.lives(node)
    }

    /// The node that leads a group, as far as this one knows.
    pub(crate) fn leader_of(&self, group: GroupId) -> Option<NodeId> {
        if group == GroupId::CATALOG {
            return self.catalog.group.leader().map(NodeId);
        }
        let leader = match self.replicas.get(&group) {
            Some(replica) => replica.group.leader(),
            None => self.arriving.get(&group)?.group.leader(),
        }?;
        self.seats(group).iter().find(|seat| seat.replica == leader).map(|seat| seat.node)
    }
}
