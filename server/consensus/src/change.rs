//! Changing who is in the group.

use raft::{Changer, StateRole};
use rand::Rng;
use storage::Engine;

use crate::members::{Change, Members};
use crate::{Group, ProposeError};

impl<E: Engine> Group<E> {
    /// The members, as of the last entry that was applied.
    pub fn members(&self) -> Members {
        Members::of_raft(&self.raft.raft.prs().conf().to_conf_state())
    }

    /// Proposes a change of members and returns the index it was accepted at. A change of more than one step
    /// makes the group joint until all of it is committed. One at a time: while one is under way, another is
    /// refused. The leader cannot remove itself; it hands leadership over first.
    pub fn propose_change(&mut self, change: &Change) -> Result<u64, ProposeError> {
        if !self.is_leader() {
            return Err(ProposeError::NotLeader { leader: self.leader() });
        }
        // raft-rs would turn a change that it refuses into an empty entry, and say nothing.
        if self.raft.raft.has_pending_conf() || self.members().is_joint() || !self.decides() {
            return Err(ProposeError::ChangeUnderWay);
        }
        let raft_change = change.to_raft();
        let mut changer = Changer::new(self.raft.raft.prs());
        let outcome = match raft_change.enter_joint() {
            Some(auto_leave) => changer.enter_joint(auto_leave, &raft_change.changes),
            None => changer.simple(&raft_change.changes),
        };
        let keeps_me =
            outcome.is_ok_and(|(outcome, _)| outcome.to_conf_state().voters.contains(&self.replica()));
        if change.steps.is_empty() || !keeps_me {
            return Err(ProposeError::BadChange);
        }
        self.raft
            .propose_conf_change(Vec::new(), raft_change)
            .map_err(|_| ProposeError::TooMuchUncommitted)?;
        Ok(self.last_index())
    }

    /// Whether a change of members is proposed and not applied.
    pub fn changes(&self) -> bool {
        self.raft.raft.has_pending_conf()
    }

    /// Applies a change that `ready` handed out, in its place among the committed entries, before `applied`
    /// is called for it; returns the members from then on, which belong to the data at that index.
    ///
    /// A leader may find itself removed by a change that an earlier one proposed. raft-rs would let it lead
    /// on; it steps down, and the others elect one of themselves.
    pub fn apply_change(&mut self, change: &Change, random: &mut impl Rng) -> Members {
        let applied = self.raft.apply_conf_change(&change.to_raft());
        let members = Members::of_raft(&applied.expect("the leader tried it before it proposed it"));
        let raft = &mut self.raft.raft;
        if raft.state == StateRole::Leader && raft.prs().get(raft.id).is_none() {
            raft.become_follower(raft.term, raft::INVALID_ID);
        }
        self.settle(random);
        members
    }
}
