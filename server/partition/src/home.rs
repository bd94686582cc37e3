//! Where a partition is: its table, its range, and which lives of the table's copies exist.

use types::{Faults, GroupId, HashRange, Incarnation, KeySchema, TableId};

/// What a partition knows of itself; the catalog tells it, the log never carries it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Home {
    /// The partition's raft group.
    pub partition: GroupId,
    /// The partition that it has come from by splits, or itself: outcomes of requests lie there (`P3`).
    pub root: GroupId,
    /// The table it is a part of.
    pub table: TableId,
    /// The table's key.
    pub key: KeySchema,
    /// Its part of the hash space.
    pub range: HashRange,
    /// This region's life of the table.
    pub incarnation: Incarnation,
    /// The other regions' lives that have not ended; empty for a table of one region.
    pub others: Vec<Incarnation>,
    /// The bug planted for a checker.
    pub faults: Faults,
}

impl Home {
    /// Whether other regions hold copies. A table of one region keeps neither tombstones nor changes (`P10`).
    pub fn replicated(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whether an incarnation has not ended.
    pub fn lives(&self, incarnation: Incarnation) -> bool {
        incarnation == self.incarnation || self.others.contains(&incarnation)
    }
}
