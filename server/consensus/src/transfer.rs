//! Handing leadership over.

use rand::Rng;
use storage::Engine;
use types::limits::RAFT_TRANSFER_ENTRIES_MAX;

use crate::Group;

impl<E: Engine> Group<E> {
    /// Begins to hand leadership to a voter, which campaigns as soon as it has everything; until then nothing
    /// can be proposed. raft-rs gives up after an election timeout. From now on, for the rest of its term,
    /// this leader must not trust a lease (`P4`): the other may lead at any moment.
    pub fn transfer(&mut self, to: u64, random: &mut impl Rng) {
        if self.is_leader() && to != self.replica() {
            self.transferred = true;
            self.raft.transfer_leader(to);
            self.settle(random);
        }
    }

    /// Whether another member, as far as this leader knows, answers and lacks so little that leadership can
    /// be handed to it in a moment.
    pub fn is_close(&self, member: u64) -> bool {
        let Some(progress) = self.raft.raft.prs().get(member) else { return false };
        let lacks = self.last_index().saturating_sub(progress.matched);
        progress.recent_active && progress.matched > 0 && lacks <= RAFT_TRANSFER_ENTRIES_MAX
    }

    /// Whether leadership is being handed over, so that nothing can be proposed.
    pub fn is_transferring(&self) -> bool {
        self.raft.raft.lead_transferee.is_some()
    }

    /// Whether a handing over was begun in this term of leading, whatever came of it (`P4`).
    pub fn has_transferred(&self) -> bool {
        self.transferred
    }
}
