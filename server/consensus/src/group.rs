//! A group as its shard sees it, and what can be asked of it.
//!
//! The verbs have files of their own: `open`, `campaign` (and `tick`), `step`, `propose`, `change`,
//! `transfer`, `read_index`, `quiet`, `ready` (with `persisted` and `applied`), `compact`, `restore`.

use std::collections::VecDeque;

use raft::{RawNode, StateRole};
use rand::{Rng, RngExt};
use storage::Engine;
use types::GroupId;
use types::limits::RAFT_ELECTION_TICKS;

use crate::ready::Waiting;
use crate::store::Store;

/// One replica of one raft group.
pub struct Group<E: Engine> {
    pub(crate) id: GroupId,
    pub(crate) raft: RawNode<Store<E>>,
    /// What waits for syncs, oldest first: as many as the shard has syncs under way.
    pub(crate) waiting: VecDeque<Waiting>,
    /// The last entry that `ready` handed out to be applied.
    pub(crate) handed_out: u64,
    pub(crate) standing: Standing,
    /// Ticks until this replica campaigns, drawn afresh for each standing.
    pub(crate) election_ticks: u32,
    /// While it leads: the index of the empty entry of its term.
    pub(crate) own_first: u64,
    /// Whether it began to hand leadership over in this standing.
    pub(crate) transferred: bool,
}

/// What an election decides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub term: u64,
    pub role: StateRole,
    pub leader: u64,
}

impl<E: Engine> Group<E> {
    /// Whose replica it is.
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Its own raft id.
    pub fn replica(&self) -> u64 {
        self.raft.raft.id
    }

    /// The term it is in.
    pub fn term(&self) -> u64 {
        self.standing.term
    }

    /// Whether it leads. The overlay belongs to one term of leading: drop it whenever this or `term` changed
    /// (`P2`).
    pub fn is_leader(&self) -> bool {
        self.standing.role == StateRole::Leader
    }

    /// Who leads, as far as it knows.
    pub fn leader(&self) -> Option<u64> {
        Some(self.standing.leader).filter(|leader| *leader != raft::INVALID_ID)
    }

    /// Whether it may decide commands: it leads and has applied the empty entry of its own term, hence
    /// everything that earlier leaders had accepted (`P2`).
    pub fn decides(&self) -> bool {
        self.is_leader() && self.applied_index() >= self.own_first
    }

    /// Whether it is the only voter. Such a group needs no ticks.
    pub fn is_single_voter(&self) -> bool {
        self.raft.raft.prs().is_singleton() && self.raft.raft.promotable()
    }

    /// While it leads: the index of the empty entry of its term.
    pub fn own_first(&self) -> u64 {
        self.own_first
    }

    /// The index of the first entry in its log; one past the last when it is empty.
    pub fn first_index(&self) -> u64 {
        self.raft.store().first()
    }

    /// The index of the last entry in its log, synced or not.
    pub fn last_index(&self) -> u64 {
        self.raft.raft.raft_log.last_index()
    }

    /// The index up to which it knows the log to be committed; some of that may not be handed out yet.
    pub fn commit_index(&self) -> u64 {
        self.raft.raft.raft_log.committed
    }

    /// The index up to which its log is synced.
    pub fn persisted_index(&self) -> u64 {
        self.raft.raft.raft_log.persisted
    }

    /// The index up to which it was told that entries are applied.
    pub fn applied_index(&self) -> u64 {
        self.raft.raft.raft_log.applied
    }

    /// To be called after whatever may have changed the standing. raft-rs then draws a timeout from the
    /// thread's own randomness; ours takes its place, drawn afresh for each standing and so for each term
    /// (`P1`). Whether to draw must not depend on raft-rs's number, or runs of one seed would differ.
    pub(crate) fn settle(&mut self, random: &mut impl Rng) {
        let raft = &self.raft.raft;
        let standing = Standing { term: raft.term, role: raft.state, leader: raft.leader_id };
        if standing != self.standing {
            if standing.role == StateRole::Leader {
                // Nothing was proposed since the election, so the last entry is the empty one that it
                // appended.
                self.own_first = raft.raft_log.last_index();
            }
            self.standing = standing;
            self.transferred = false;
            self.election_ticks = draw(random);
        }
        self.raft.raft.set_randomized_election_timeout(self.election_ticks as usize);
    }
}

/// Draws an election timeout in ticks.
pub(crate) fn draw(random: &mut impl Rng) -> u32 {
    random.random_range(RAFT_ELECTION_TICKS..2 * RAFT_ELECTION_TICKS)
}
