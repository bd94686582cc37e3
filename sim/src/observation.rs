//! What the world sees a region do, read off its disk as it happens.
//!
//! Checkers must not believe what a shard says of itself. So the simulated disk decodes every batch that is
//! written to the key space: which record was applied at which index, which loss entered the ledger, which
//! tombstone was collected. Only the closed times that a region has received are kept in memory alone; those
//! the shard reports, under its feature `observe`.

use shard::observation::ClosedReceived;
use storage::batch::Write;
use storage::keys::{Change, LedgerEntry, PartitionState, RequestOutcome, change, ledger, partition, record};
use storage::keys::{request, tombstone};
use storage::{Batch, Error, Record};
use types::{GroupId, HashRange, HybridTime, Incarnation, KeyHash, PartitionId, RequestId, TableId};

/// The place of an item: its table, its hash, its encoded key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The table.
    pub table: TableId,
    /// The hash of the partition key.
    pub hash: KeyHash,
    /// The encoded key.
    pub key: Vec<u8>,
}

/// One thing that a region did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Observation {
    /// A record took its place, and a change says who made it.
    Applied(Applied),
    /// The outcome of a named write was kept; if it wrote, its record was applied just before.
    Remembered {
        /// The partition that decided it.
        partition: PartitionId,
        /// The item's hash.
        hash: KeyHash,
        /// The request.
        request: RequestId,
        /// As `partition` encodes it: equal outcomes are equal bytes.
        outcome: Vec<u8>,
    },
    /// An entry of the conflict ledger was written or marked.
    Ledgered {
        /// The item.
        place: Place,
        /// The entry as it reads from here on.
        entry: LedgerEntry,
    },
    /// A tombstone was collected.
    Collected {
        /// Who collected it.
        partition: PartitionId,
        /// The item.
        place: Place,
        /// The time of the tombstone's change.
        time: HybridTime,
    },
    /// A record was removed that was not collected: a replicated table never does that.
    Erased {
        /// The item.
        place: Place,
    },
    /// A partition's floor as of a batch.
    Floor {
        /// The partition.
        partition: PartitionId,
        /// The last hash of its range, as far as a split has set it.
        last: KeyHash,
        /// The time at or below which an absent key counts as deleted.
        floor: HybridTime,
    },
    /// How far a group's log is appended, applied or not: what arrived before a closed time may be under way.
    Appended {
        /// The group.
        group: GroupId,
        /// The last index.
        last: u64,
    },
    /// The region learnt a closed time.
    Closed(ClosedReceived),
}

/// A record that took its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The partition that applied it.
    pub partition: PartitionId,
    /// At which entry of its log.
    pub index: u64,
    /// As which record of that entry.
    pub ordinal: u32,
    /// The item.
    pub place: Place,
    /// The record.
    pub record: Record,
    /// The incarnation whose stream brought it, or the region's own (`P12`).
    pub maker: Incarnation,
    /// The time of the change (`P12`).
    pub time: HybridTime,
}

/// Decodes a batch into what it did, in the order in which it did it.
pub fn read(batch: &Batch, into: &mut Vec<Observation>) -> Result<(), Error> {
    let mut put: Option<(Place, Record)> = None;
    let mut removed: Vec<Place> = Vec::new();
    for write in batch.writes() {
        match write {
            Write::Put { key, value } => read_put(key, value, &mut put, into)?,
            Write::Delete { key } => read_delete(key, &mut removed, into)?,
            Write::DeleteRange { .. } => {}
        }
    }
    into.extend(removed.into_iter().map(|place| Observation::Erased { place }));
    Ok(())
}

/// A record's write waits in `put` for the change that follows it.
fn read_put(
    key: &[u8],
    value: &[u8],
    put: &mut Option<(Place, Record)>,
    into: &mut Vec<Observation>,
) -> Result<(), Error> {
    if let Ok(key) = record::Key::decode(key) {
        *put = Some((place(key), Record::decode(value)?));
    } else if let Ok(key) = change::Key::decode(key) {
        let change = Change::decode(value)?;
        if let Some((place, record)) = put.take().filter(|(place, _)| place.key == change.key) {
            let change::Key { partition, index, ordinal } = key;
            let Change { maker, time, .. } = change;
            let applied = Applied { partition, index, ordinal, place, record, maker, time };
            into.push(Observation::Applied(applied));
        }
    } else if let Ok(key) = request::Key::decode(key) {
        let outcome = RequestOutcome::decode(value)?.outcome;
        let request::Key { root: partition, hash, request } = key;
        into.push(Observation::Remembered { partition, hash, request, outcome });
    } else if let Ok(key) = ledger::Key::decode(key) {
        let place = Place { table: key.table, hash: key.hash, key: key.key.to_vec() };
        into.push(Observation::Ledgered { place, entry: LedgerEntry::decode(value)? });
    } else if let Ok(partition) = partition::decode(key) {
        let PartitionState { floor, last, .. } = PartitionState::decode(value)?;
        let last = last.unwrap_or(HashRange::ALL.last);
        into.push(Observation::Floor { partition, last, floor });
    }
    Ok(())
}

/// A removed record waits in `removed` for the index entry of its tombstone to go as well.
fn read_delete(key: &[u8], removed: &mut Vec<Place>, into: &mut Vec<Observation>) -> Result<(), Error> {
    if let Ok(key) = record::Key::decode(key) {
        removed.push(place(key));
    } else if let Ok(key) = tombstone::Key::decode(key)
        && let Some(at) = removed.iter().position(|place| place.hash == key.hash && place.key == key.key)
    {
        let place = removed.remove(at);
        into.push(Observation::Collected { partition: key.partition, place, time: key.time });
    }
    Ok(())
}

fn place(key: record::Key<'_>) -> Place {
    Place { table: key.table, hash: key.hash, key: key.key.to_vec() }
}

#[cfg(test)]
mod tests {
    use types::{RegionId, Seen, Version};

    use super::*;

    const TABLE: TableId = TableId { created: HybridTime::ZERO, origin: RegionId(1) };
    const LIFE: Incarnation = Incarnation { region: RegionId(1), counter: 1 };

    fn record(time: u64, body: Option<&[u8]>) -> Record {
        let version = Version { time: HybridTime::from_u64(time), incarnation: LIFE, expired: false };
        Record { version, seen: Seen::new(), body: body.map(<[u8]>::to_vec) }
    }

    fn put(batch: &mut Batch, index: u64, key: &[u8], record: &Record) {
        let at = record::Key { table: TABLE, hash: KeyHash(9), key };
        batch.put(at.encode(), record.encode());
        let change = Change {
            version: record.version,
            maker: LIFE,
            time: record.version.time,
            hash: KeyHash(9),
            key: key.to_vec(),
            bytes: 0,
        };
        batch.put(change::Key { partition: PartitionId::FIRST, index, ordinal: 0 }.encode(), change.encode());
    }

    #[test]
    fn records_are_seen_with_their_changes_and_in_order() {
        let mut batch = Batch::new();
        put(&mut batch, 4, b"one", &record(10, Some(b"x")));
        put(&mut batch, 5, b"two", &record(11, None));
        let state = PartitionState { floor: HybridTime::from_u64(3), ..Default::default() };
        batch.put(partition::encode(PartitionId::FIRST), state.encode());
        let mut seen = Vec::new();
        assert_eq!(read(&batch, &mut seen), Ok(()));
        let [Observation::Applied(one), Observation::Applied(two), Observation::Floor { floor, .. }] =
            &seen[..]
        else {
            panic!("{seen:?}")
        };
        assert_eq!((one.index, &one.place.key[..], one.record.is_tombstone()), (4, &b"one"[..], false));
        assert_eq!((two.index, &two.place.key[..], two.record.is_tombstone()), (5, &b"two"[..], true));
        assert_eq!(*floor, HybridTime::from_u64(3));
    }

    #[test]
    fn a_removed_tombstone_is_collected_and_any_other_removal_is_not() {
        let mut batch = Batch::new();
        for key in [b"one", b"two"] {
            batch.delete(record::Key { table: TABLE, hash: KeyHash(9), key }.encode());
        }
        let time = HybridTime::from_u64(11);
        let (partition, hash) = (PartitionId::FIRST, KeyHash(9));
        batch.delete(tombstone::Key { partition, time, hash, key: b"two" }.encode());
        let mut seen = Vec::new();
        assert_eq!(read(&batch, &mut seen), Ok(()));
        let place = |key: &[u8]| Place { table: TABLE, hash, key: key.to_vec() };
        let collected = Observation::Collected { partition, place: place(b"two"), time };
        assert_eq!(seen, [collected, Observation::Erased { place: place(b"one") }]);
    }
}
