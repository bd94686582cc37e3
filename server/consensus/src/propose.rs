//! Proposing at the leader.

use storage::Engine;

use crate::{Group, ProposeError};

impl<E: Engine> Group<E> {
    /// Appends a command to the leader's log and returns the index it was accepted at. An error means that
    /// nothing was proposed; after success every failure is *outcome unknown* (`P3`), and only the entry's
    /// coming back through `Ready::committed`, with the same term, says that it was decided.
    ///
    /// # Panics
    ///
    /// When `data` is empty: that is how a leader's first entry is told apart.
    pub fn propose(&mut self, data: Vec<u8>) -> Result<u64, ProposeError> {
        assert!(!data.is_empty(), "an empty entry is a leader's first");
        // A follower of raft-rs would forward the proposal, and a later "not leader" would be a lie.
        if !self.is_leader() {
            return Err(ProposeError::NotLeader { leader: self.leader() });
        }
        if self.is_transferring() {
            return Err(ProposeError::Transferring);
        }
        self.raft.propose(Vec::new(), data).map_err(|_| ProposeError::TooMuchUncommitted)?;
        Ok(self.last_index())
    }
}
