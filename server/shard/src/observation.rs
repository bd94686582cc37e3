//! What a checker cannot read off the disk: told under the feature `observe`, absent from the shipped server.

use region::Seat;
use storage::Engine;
use types::command::SeatState;
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
    /// How far the catalog is applied, and where it wants the replicas of a table's partitions to sit; of one
    /// that is being split, all of them as if they came or went.
    pub fn seated(&self, table: TableId) -> (u64, Vec<(HashRange, Vec<Seat>)>) {
        let table =
            self.catalog.applied.tables.get(&table).filter(|table| table.is_here(&self.settings.region));
        let seats = |table: &region::Table| {
            let seat = |group, seat: &Seat| match table.is_splitting(group) {
                true => Seat { state: SeatState::Joining, ..*seat },
                false => *seat,
            };
            let seats = |group| table.seats(group).iter().map(|at| seat(group, at)).collect();
            table.partitions().map(|(group, range)| (range, seats(group))).collect()
        };
        (self.catalog.state.applied, table.map(seats).unwrap_or_default())
    }

    /// The closed times taken in since the last call.
    pub fn take_closed_received(&mut self) -> Vec<ClosedReceived> {
        std::mem::take(&mut self.closed_received)
    }
}
