//! A table as regions tell each other of it: a value that only grows, so that any order of telling agrees.
//!
//! Joining two entries is commutative, associative and idempotent; loss, doubling and reordering of messages
//! therefore cannot undo a deletion or make two regions disagree (`P19`).

use std::collections::BTreeMap;

use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::{
    Incarnation, KeyAttribute, KeySchema, KeyType, RegionName, TableDescriptor, TableId, TableName,
    TableState, limits,
};

/// How far a table's life has come; it never goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Life {
    /// Decided by its origin, not confirmed by all.
    Creating,
    /// Confirmed by all.
    Active,
    /// To be dropped by all.
    Deleting,
    /// Dropped by all; the entry stays, so that nothing late brings the table back.
    Deleted,
}

/// How far one region's copy has come; it never goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Copy {
    /// Named by the origin.
    Planned,
    /// Made, as this life.
    Confirmed(Incarnation),
    /// Destroyed.
    Dropped,
}

/// A table as regions tell each other of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The table.
    pub id: TableId,
    /// Its name.
    pub name: TableName,
    /// Its key.
    pub key: KeySchema,
    /// Partitions of each region's copy.
    pub partitions: u32,
    /// How far it has come.
    pub life: Life,
    /// The named regions and their copies.
    pub copies: BTreeMap<RegionName, Copy>,
}

const FORMAT: u8 = 1;

impl Entry {
    /// The least entry that is at or above both. The two must be of one table.
    pub fn join(&self, other: &Entry) -> Entry {
        let mut joined = self.clone();
        joined.life = self.life.max(other.life);
        for (region, copy) in &other.copies {
            let mine = joined.copies.entry(region.clone()).or_insert(*copy);
            *mine = (*mine).max(*copy);
        }
        joined
    }

    /// Takes the steps that follow for a region from what it knows: the origin declares the table active once
    /// all have confirmed; a dropped copy is reported; a table dropped by all is deleted.
    pub fn advance(&mut self, me: &RegionName) {
        let confirmed = self.copies.values().all(|copy| matches!(copy, Copy::Confirmed(_)));
        if self.life == Life::Creating && self.id.origin == me.id() && confirmed {
            self.life = Life::Active;
        }
        if self.life >= Life::Deleting {
            if let Some(copy) = self.copies.get_mut(me) {
                *copy = Copy::Dropped;
            }
            if self.copies.values().all(|copy| *copy == Copy::Dropped) {
                self.life = Life::Deleted;
            }
        }
    }

    /// The life of a region's copy, if it has been confirmed.
    pub fn incarnation(&self, region: &RegionName) -> Option<Incarnation> {
        match self.copies.get(region) {
            Some(Copy::Confirmed(incarnation)) => Some(*incarnation),
            _ => None,
        }
    }

    /// What users see of it.
    pub fn descriptor(&self) -> TableDescriptor {
        TableDescriptor {
            id: self.id,
            name: self.name.clone(),
            key: self.key.clone(),
            regions: self.copies.keys().cloned().collect(),
            partitions: self.partitions,
            state: match self.life {
                Life::Creating => TableState::Creating,
                Life::Active => TableState::Active,
                Life::Deleting | Life::Deleted => TableState::Deleting,
            },
        }
    }

    /// Tells entries apart: two regions of equal digest know the same.
    pub fn digest(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&self.encode())
    }

    /// The bytes that are stored and sent.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        out.extend_from_slice(&self.id.to_bytes());
        put_sized(&mut out, self.name.as_str().as_bytes());
        out.push(u8::from(self.key.sort.is_some()));
        for attribute in self.key.attributes() {
            put_sized(&mut out, attribute.name.as_bytes());
            out.push(attribute.key_type as u8);
        }
        put_varint(&mut out, u64::from(self.partitions));
        out.push(self.life as u8);
        put_varint(&mut out, self.copies.len() as u64);
        for (region, copy) in &self.copies {
            put_sized(&mut out, region.as_str().as_bytes());
            match copy {
                Copy::Planned => out.push(0),
                Copy::Confirmed(incarnation) => {
                    out.push(1);
                    out.extend_from_slice(&incarnation.to_bytes());
                }
                Copy::Dropped => out.push(2),
            }
        }
        out
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Entry, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(Malformed);
        }
        let id = reader.table()?;
        let name = TableName::new(reader.text()?).map_err(|_| Malformed)?;
        let sorted = reader.bool()?;
        let partition = attribute(&mut reader)?;
        let sort = sorted.then(|| attribute(&mut reader)).transpose()?;
        let partitions = u32::try_from(reader.varint()?).map_err(|_| Malformed)?;
        if !(1..=limits::PARTITIONS_MAX).contains(&partitions) {
            return Err(Malformed);
        }
        let life = match reader.u8()? {
            0 => Life::Creating,
            1 => Life::Active,
            2 => Life::Deleting,
            3 => Life::Deleted,
            _ => return Err(Malformed),
        };
        let count = reader.count(3)?;
        let copies = (0..count).map(|_| copy(&mut reader)).collect::<Result<BTreeMap<_, _>, _>>()?;
        reader.finish()?;
        if copies.len() != count || count > limits::REGIONS_MAX {
            return Err(Malformed);
        }
        Ok(Entry { id, name, key: KeySchema { partition, sort }, partitions, life, copies })
    }
}

fn attribute(reader: &mut Reader<'_>) -> Result<KeyAttribute, Malformed> {
    let name = reader.text()?.to_owned();
    let key_type = match reader.u8()? {
        0 => KeyType::S,
        1 => KeyType::N,
        2 => KeyType::B,
        _ => return Err(Malformed),
    };
    Ok(KeyAttribute { name, key_type })
}

fn copy(reader: &mut Reader<'_>) -> Result<(RegionName, Copy), Malformed> {
    let region = RegionName::new(reader.text()?).map_err(|_| Malformed)?;
    let copy = match reader.u8()? {
        0 => Copy::Planned,
        1 => Copy::Confirmed(reader.incarnation()?),
        2 => Copy::Dropped,
        _ => return Err(Malformed),
    };
    Ok((region, copy))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use types::{HybridTime, RegionId};

    use super::*;

    pub(crate) fn name(text: &str) -> RegionName {
        RegionName::new(text).expect("a region's name")
    }

    pub(crate) fn key() -> KeySchema {
        KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None }
    }

    pub(crate) fn any_entry() -> impl Strategy<Value = Entry> {
        let copy = prop_oneof![
            Just(Copy::Planned),
            Just(Copy::Confirmed(Incarnation { region: RegionId(3), counter: 1 })),
            Just(Copy::Dropped)
        ];
        let life =
            prop_oneof![Just(Life::Creating), Just(Life::Active), Just(Life::Deleting), Just(Life::Deleted)];
        let copies = proptest::collection::btree_map("[abc]".prop_map(|text| name(&text)), copy, 1..4);
        (copies, life, any::<bool>()).prop_map(|(copies, life, sorted)| Entry {
            id: TableId { created: HybridTime::from_u64(9), origin: name("a").id() },
            name: TableName::new("movies").expect("a table's name"),
            key: KeySchema {
                partition: KeyAttribute { name: "k".into(), key_type: KeyType::S },
                sort: sorted.then(|| KeyAttribute { name: "s".into(), key_type: KeyType::N }),
            },
            partitions: 4,
            life,
            copies,
        })
    }

    proptest! {
        #[test]
        fn joining_is_a_semilattice(a in any_entry(), b in any_entry(), c in any_entry()) {
            let (b, c) = (Entry { key: a.key.clone(), ..b }, Entry { key: a.key.clone(), ..c });
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.join(&a), a);
        }

        #[test]
        fn entries_round_trip(entry in any_entry()) {
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Entry::decode(&bytes);
        }
    }
}
