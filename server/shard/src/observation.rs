//! What a checker cannot read off the disk: told under the feature `observe`, absent from the shipped server.

use storage::Engine;
use types::{HashRange, HybridTime, RegionId, TableId};

use crate::Shard;

/// A closed time that a shard has taken in and counts on from here on (`P8`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClosedReceived {
    /// Whose promise it is.
    pub origin: RegionId,
    /// Of which table.
    pub table: TableId,
    /// Of which part of its hash space.
    pub range: HashRange,
    /// Nothing at or below it is still to come.
    pub time: HybridTime,
}

impl<E: Engine> Shard<E> {
    /// The closed times taken in since the last call.
    pub fn take_closed_received(&mut self) -> Vec<ClosedReceived> {
        std::mem::take(&mut self.closed_received)
    }
}
