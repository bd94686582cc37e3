//! Which replica here is asked for a hash.
//!
//! The catalog routes to a child as soon as it is planned, and its parent is split a little later, at each
//! replica in its own time. Until then the parent's replica has all; and one that was split already is right,
//! though the catalog here may not have heard of it.

use item::Error as Refusal;
use region::Table;
use storage::Engine;
use types::{GroupId, HashRange, KeyHash};

use crate::Shard;
use crate::replica::Replica;

impl<E: Engine> Shard<E> {
    /// The partition that has a hash: as the replicas here have it, else as the catalog does.
    pub(crate) fn partition_of(&self, table: &Table, hash: KeyHash) -> GroupId {
        let group = table.partition_of(hash);
        let has = |group: &GroupId| self.replicas.get(group).is_some_and(|it| it.home.range.contains(hash));
        if has(&group) || table.children.is_empty() && !self.replicas.contains_key(&group) {
            return group;
        }
        let mut before = table.parent(group);
        while let Some(parent) = before {
            if has(&parent) {
                return parent;
            }
            before = table.parent(parent);
        }
        // Only between a split and the catalog's word of it.
        let behind = self.replicas.iter().filter(|(_, replica)| replica.home.table == table.entry.id);
        let found = behind.map(|(group, _)| *group).find(has);
        found.unwrap_or(group)
    }

    /// The partitions that have the hashes of a range, each with its part of them, in order.
    pub(crate) fn pieces<'a>(
        &'a self,
        table: &'a Table,
        range: HashRange,
    ) -> impl Iterator<Item = (GroupId, HashRange)> + 'a {
        let overlapping = table.partitions().filter(move |(_, part)| part.overlaps(&range));
        overlapping.flat_map(move |(_, part)| {
            let mut next = Some(part.first.max(range.first));
            let end = part.last.min(range.last);
            std::iter::from_fn(move || {
                let first = next?;
                let group = self.partition_of(table, first);
                let here = self.replicas.get(&group).map(|replica| replica.home.range.last);
                let last = here.map_or(end, |last| last.min(end));
                next = (last < end).then(|| KeyHash(last.0 + 1));
                Some((group, HashRange { first, last }))
            })
        })
    }

    /// The replica that may decide and serve strong reads for some hashes of a partition: not while they are
    /// being given away (`P2`).
    pub(crate) fn leader_for(&self, group: GroupId, last: KeyHash) -> Result<&Replica<E>, Refusal> {
        let replica = self.leader(group)?;
        match replica.gives_away(last) {
            true => Err(Refusal::NotLeader),
            false => Ok(replica),
        }
    }
}
