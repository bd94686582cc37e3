//! Dropping the beginning of the log.

use storage::engine::StateName;
use storage::log::LogWrite;
use storage::{Engine, LogBatch};

use crate::format::{Truncated, encode_truncated};
use crate::{Error, Group};

impl<E: Engine> Group<E> {
    /// While it leads: the index up to which every member that counts, learners included, has said to hold
    /// the log.
    pub fn held_by_all(&self, counts: impl Fn(u64) -> bool) -> u64 {
        let members = self.raft.raft.prs().iter().filter(|(member, _)| counts(**member));
        members.map(|(_, progress)| progress.matched).min().unwrap_or(0)
    }

    /// Drops the entries below `to`, the first index kept. The caller has flushed what they did; it needs no
    /// sync, for a crash that loses the batch only brings them back. Does nothing when they are dropped
    /// already.
    ///
    /// Whoever lacks a dropped entry has to be given the data; `held_by_all` says which entries nobody lacks.
    ///
    /// # Panics
    ///
    /// When not everything below `to` is applied.
    pub fn compact(&mut self, to: u64, batch: &mut LogBatch) -> Result<(), Error> {
        if to <= self.first_index() {
            return Ok(());
        }
        let index = to - 1;
        assert!(index <= self.applied_index(), "what is not applied is still needed");
        let at = Truncated { index, term: self.raft.store().term_of(index)? };
        let group = self.id;
        batch.push(LogWrite::State { group, name: StateName::Truncated, value: encode_truncated(at) });
        batch.push(LogWrite::Compact { group, to });
        self.raft.mut_store().compacted(at);
        Ok(())
    }
}
