//! Where a group's data lie in the key space: what is destroyed with it, and what is given to a replica that
//! comes.

use storage::Batch;
use storage::keys::{self, Bounds};
use types::{GroupId, HashRange, TableId};

/// A group, as far as its data are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Data {
    /// The catalog's.
    Catalog,
    /// A partition's.
    Partition {
        /// Whose.
        table: TableId,
        /// Which.
        group: GroupId,
        /// Which it has come from by splits, or the same.
        root: GroupId,
        /// Of which hashes.
        range: HashRange,
    },
}

impl Data {
    /// The group.
    pub fn group(&self) -> GroupId {
        match self {
            Data::Catalog => GroupId::CATALOG,
            Data::Partition { group, .. } => *group,
        }
    }

    /// The ranges of the key space that hold it, ascending; the group's own state and members stand beside.
    pub fn ranges(&self) -> Vec<Bounds> {
        match *self {
            Data::Catalog => vec![keys::catalog::all()],
            Data::Partition { table, group, root, range } => vec![
                keys::record::hashes(table, range),
                keys::change::partition(group),
                keys::tombstone::partition(group),
                keys::cursor::partition(group),
                keys::request::hashes(root, range),
                keys::ledger::hashes(table, range),
            ],
        }
    }

    /// Destroys it all.
    pub fn destroy(&self, writes: &mut Batch) {
        for (from, to) in self.ranges() {
            writes.delete_range(from, to);
        }
        writes.delete(keys::partition::encode(self.group()));
        writes.delete(keys::members::encode(self.group()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_ascend_and_do_not_touch() {
        let table = TableId { created: types::HybridTime::from_u64(9), origin: types::RegionId(1) };
        let (group, root) = (GroupId(17), GroupId(16));
        let partition = Data::Partition { table, group, root, range: HashRange::ALL };
        for data in [Data::Catalog, partition] {
            let ranges = data.ranges();
            assert!(ranges.iter().all(|(from, to)| from < to));
            assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
    }
}
