//! Splitting partitions: the catalog gives the child its number, and both halves are routed to from then on;
//! the parent's leader carries it out, and the child's reports that it was born.

use item::{Error, Invalid};
use types::{GroupId, KeyHash, limits};

use crate::catalog::{Catalog, Table};
use crate::table::Child;
use crate::update::Update;
use crate::{Seat, seat};

impl Catalog {
    /// Decides to split a partition at a hash, which is to be the first of its child.
    pub fn split(&self, table: &Table, group: GroupId, at: KeyHash) -> Result<Update, Error> {
        let choice = |field, allowed| Error::from(Invalid::Choice { field, allowed });
        let range = table.range(group);
        let range = range.ok_or(choice("Partition", "the number of one of the table's partitions"))?;
        if at <= range.first || range.last < at {
            return Err(choice("At", "a hash of the partition's range behind its first"));
        }
        let seats = table.seats(group);
        if seat::is_moving(seats) || table.is_splitting(group) {
            return Err(Error::PartitionInMotion { partition: group });
        }
        if table.count() >= limits::PARTITIONS_MAX as usize {
            let (min, max) = (1, u64::from(limits::PARTITIONS_MAX));
            return Err(Invalid::Range { field: "Partitions", min, max, got: max + 1 }.into());
        }
        let (mut table, mut settings) = (table.clone(), self.settings.clone());
        let child = settings.next_group;
        settings.next_group.0 += 1;
        let seats = self.led_by_the_least(table.seats(group));
        table.children.insert(child, Child { parent: group, first: at, seats, waits: true });
        Ok(Update { table: Some(table), settings: Some(settings), nodes: None })
    }

    /// A split that nobody waits for; `None` while it cannot be made.
    pub fn split_if_possible(&self, group: GroupId, at: KeyHash) -> Option<Update> {
        self.split(self.table_of(group)?, group, at).ok()
    }

    /// The seats of a parent for its child, first the one whose node is to lead least.
    fn led_by_the_least(&self, seats: &[Seat]) -> Vec<Seat> {
        let mut seats = seats.to_vec();
        if let Some(at) = (0..seats.len()).min_by_key(|at| self.shares_of(seats[*at].node).1) {
            seats.swap(0, at);
        }
        seats
    }
}
