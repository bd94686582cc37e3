//! Splitting a partition in two (`P12`): the one keeps its number and its lower hashes, and a child gets the
//! others.
//!
//! Records, the ledger and the outcomes of requests lie under table and hash, and belong to whoever owns the
//! hash. What lies under the partition's number is moved: changes, with the indices that they have, since the
//! child's log goes on from that of the split; tombstones; and copies of the cursors. So each half ships what
//! the whole had not shipped yet, and neither skips anything. This is the one step whose application reads:
//! what it moves is applied state, the same on every replica.

use storage::keys::{self, PartitionState};
use storage::{Batch, Error, Read};
use types::{GroupId, HashRange, KeyHash};

use crate::Home;

/// The other half of a partition that was split.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Child {
    /// Its place.
    pub home: Home,
    /// Its first state: that of the whole.
    pub state: PartitionState,
}

/// Splits a partition whose state has just reached the split: moves what lies under its number, narrows its
/// range, and gives its other half, of which neither state nor log is written here.
pub fn divide(
    engine: &impl Read,
    home: &mut Home,
    state: &mut PartitionState,
    at: KeyHash,
    child: GroupId,
    writes: &mut Batch,
) -> Result<Child, Error> {
    let upper = HashRange { first: at, last: home.range.last };
    let lower = HashRange { first: home.range.first, last: KeyHash(at.0 - 1) };
    move_renamed(engine, &keys::change::partition(home.partition), writes, |key, value| {
        let key = keys::change::Key { partition: child, ..keys::change::Key::decode(key)? };
        Ok((keys::Change::decode(value)?.hash >= at).then(|| key.encode()))
    })?;
    move_renamed(engine, &keys::tombstone::partition(home.partition), writes, |key, _| {
        let key = keys::tombstone::Key { partition: child, ..keys::tombstone::Key::decode(key)? };
        Ok((key.hash >= at).then(|| key.encode()))
    })?;
    storage::engine::each(engine, &keys::cursor::partition(home.partition), |key, value| {
        let key = keys::cursor::Key { partition: child, ..keys::cursor::Key::decode(key)? };
        writes.put(key.encode(), value.to_vec());
        Ok(true)
    })?;
    // A round of collection is for all tombstones of a range; each half begins its own.
    let of_child = PartitionState { last: Some(upper.last), collecting: None, ..*state };
    (state.last, home.range) = (Some(lower.last), lower);
    let home = Home { partition: child, range: upper, ..home.clone() };
    Ok(Child { home, state: of_child })
}

/// Whether a split would have to look at more than so many changes and tombstones, of which it moves those of
/// the child.
pub fn is_too_much(engine: &impl Read, home: &Home, most: usize) -> Result<bool, Error> {
    let mut count = 0;
    for bounds in [keys::change::partition(home.partition), keys::tombstone::partition(home.partition)] {
        storage::engine::each(engine, &bounds, |_, _| {
            count += 1;
            Ok(count <= most)
        })?;
    }
    Ok(count > most)
}

/// Moves those values of a range to whom `renamed` gives another key.
fn move_renamed(
    engine: &impl Read,
    bounds: &keys::Bounds,
    writes: &mut Batch,
    renamed: impl Fn(&[u8], &[u8]) -> Result<Option<Vec<u8>>, Error>,
) -> Result<(), Error> {
    storage::engine::each(engine, bounds, |key, value| {
        if let Some(renamed) = renamed(key, value)? {
            writes.delete(key.to_vec());
            writes.put(renamed, value.to_vec());
        }
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use storage::Engine;
    use storage::keys::{Change, Collecting, Cursor};
    use storage::memory::Memory;
    use types::{
        Faults, HybridTime, Incarnation, KeyAttribute, KeySchema, KeyType, RegionId, TableId, Version,
    };

    use super::*;

    const CHILD: GroupId = GroupId(40);
    const AT: KeyHash = KeyHash(1 << 63);

    fn life(region: u32) -> Incarnation {
        Incarnation { region: RegionId(region), counter: 1 }
    }

    fn home() -> Home {
        Home {
            partition: GroupId::FIRST,
            root: GroupId::FIRST,
            table: TableId::default(),
            key: KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None },
            range: HashRange::ALL,
            incarnation: life(1),
            others: vec![life(2)],
            faults: Faults::default(),
        }
    }

    /// A change and a tombstone at each index, of hashes below and above the split by turns.
    fn filled() -> Memory {
        let (engine, mut writes) = (Memory::new(), Batch::new());
        for index in 1..=6_u64 {
            let (partition, time) = (GroupId::FIRST, HybridTime::from_u64(index));
            let hash = KeyHash(if index % 2 == 0 { AT.0 + index } else { AT.0 - index });
            let version = Version { time, incarnation: life(1), expired: false };
            let change = Change { version, maker: life(1), time, hash, key: vec![1], bytes: 9 };
            writes.put(keys::change::Key { partition, index, ordinal: 0 }.encode(), change.encode());
            let tombstone = keys::tombstone::Key { partition, time, hash, key: &[1] };
            writes.put(tombstone.encode(), keys::tombstone::encode_value(version));
        }
        let cursor = keys::cursor::Key { partition: GroupId::FIRST, peer: RegionId(2) };
        writes.put(cursor.encode(), Cursor { index: 3 }.encode());
        engine.write(writes).expect("written");
        engine
    }

    fn indices(engine: &Memory, partition: GroupId) -> Vec<u64> {
        let mut found = Vec::new();
        storage::engine::each(engine, &keys::change::partition(partition), |key, _| {
            found.push(keys::change::Key::decode(key)?.index);
            Ok(true)
        })
        .expect("read");
        found
    }

    fn tombstones(engine: &Memory, partition: GroupId) -> BTreeMap<u64, KeyHash> {
        let mut found = BTreeMap::new();
        storage::engine::each(engine, &keys::tombstone::partition(partition), |key, _| {
            let key = keys::tombstone::Key::decode(key)?;
            found.insert(key.time.as_u64(), key.hash);
            Ok(true)
        })
        .expect("read");
        found
    }

    #[test]
    fn each_half_has_its_own_and_nothing_else() {
        let (engine, mut home, mut writes) = (filled(), home(), Batch::new());
        let collecting = Some(Collecting { upto: HybridTime::ZERO, mark: HybridTime::MAX });
        let floor = HybridTime::from_u64(5);
        let mut state = PartitionState { applied: 7, floor, collecting, ..PartitionState::default() };
        let too_much = [11, 12].map(|most| is_too_much(&engine, &home, most).expect("read"));
        assert_eq!(too_much, [true, false]);
        let child = divide(&engine, &mut home, &mut state, AT, CHILD, &mut writes).expect("divided");
        engine.write(writes).expect("written");
        assert_eq!(
            (indices(&engine, GroupId::FIRST), indices(&engine, CHILD)),
            (vec![1, 3, 5], vec![2, 4, 6])
        );
        assert!(tombstones(&engine, GroupId::FIRST).values().all(|hash| *hash < AT));
        assert!(tombstones(&engine, CHILD).into_iter().eq([2, 4, 6].map(|i| (i, KeyHash(AT.0 + i)))));
        let cursor = keys::cursor::Key { partition: CHILD, peer: RegionId(2) }.encode();
        assert_eq!(engine.get(&cursor).expect("read"), Some(Cursor { index: 3 }.encode()));
        assert!(home.range.touches(&child.home.range) && child.home.range.last == HashRange::ALL.last);
        assert_eq!((child.home.partition, child.home.root), (CHILD, GroupId::FIRST));
        assert_eq!((state.last, child.state.last), (Some(KeyHash(AT.0 - 1)), Some(HashRange::ALL.last)));
        assert_eq!((child.state.applied, child.state.floor), (7, floor), "its log and floor go on");
        assert_eq!((state.collecting, child.state.collecting), (collecting, None));
    }
}
