//! `2 | partition | index | ordinal` → a `Change`: this key got this version at this index (`P12`).
//!
//! The index is that of the log entry and the ordinal counts the records of one entry, so a segment is read
//! in the order in which it was applied. No body is kept: whoever ships a change reads the current record.

use types::{HybridTime, Incarnation, KeyHash, PartitionId, Version};

use super::{Bounds, CHANGE, under};
use crate::Error;
use crate::codec::{Reader, Writer};

const FORMAT: u8 = 1;
const WHAT: &str = "change";

/// Where a change is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// Whose segment.
    pub partition: PartitionId,
    /// The log entry that applied it.
    pub index: u64,
    /// Which of that entry's records, from 0.
    pub ordinal: u32,
}

impl Key {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(CHANGE).group(self.partition).u64(self.index).u32(self.ordinal).finish()
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::key("change key", CHANGE, bytes)?;
        let key = Key { partition: reader.group()?, index: reader.u64()?, ordinal: reader.u32()? };
        reader.finish(key)
    }
}

/// All changes of a partition.
pub fn partition(partition: PartitionId) -> Bounds {
    under(Writer::new(CHANGE).group(partition).finish())
}

/// The changes of a partition from one index up to, not including, another.
pub fn indices(partition: PartitionId, from: u64, to: u64) -> Bounds {
    let edge = |index| Key { partition, index, ordinal: 0 }.encode();
    (edge(from), edge(to))
}

/// A key got a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The version it got.
    pub version: Version,
    /// The incarnation whose stream brought it, or our own.
    pub maker: Incarnation,
    /// The version's time or, for a derived tombstone, the moment of derivation.
    pub time: HybridTime,
    /// The hash of the item's encoded partition key.
    pub hash: KeyHash,
    /// The encoded item key, at most 64 KiB.
    pub key: Vec<u8>,
    /// Bytes of the encoded record, so that pending bytes are known without reading it.
    pub bytes: u32,
}

impl Change {
    /// The stored bytes: `1 | version | maker | time | hash | bytes | item key`.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(FORMAT)
            .version(self.version)
            .incarnation(self.maker)
            .time(self.time)
            .hash(self.hash)
            .u32(self.bytes)
            .bytes(&self.key)
            .finish()
    }

    /// The inverse of `encode`; any other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::value(WHAT, FORMAT, bytes)?;
        Ok(Change {
            version: reader.version()?,
            maker: reader.incarnation()?,
            time: reader.time()?,
            hash: reader.hash()?,
            bytes: reader.u32()?,
            key: reader.rest().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    fn any_key() -> impl Strategy<Value = Key> {
        (samples::any_group(), any::<u64>(), any::<u32>()).prop_map(|(partition, index, ordinal)| Key {
            partition,
            index,
            ordinal,
        })
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in any_key(), b in any_key()) {
            prop_assert_eq!(Key::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
        }

        #[test]
        fn ranges_hold_what_they_say(key in any_key(), from in any::<u64>(), to in any::<u64>()) {
            let encoded = key.encode();
            let holds = |(from, to): Bounds| from <= encoded && encoded < to;
            prop_assert!(holds(partition(key.partition)));
            prop_assert_eq!(
                holds(indices(key.partition, from, to)),
                (from..to).contains(&key.index)
            );
        }

        #[test]
        fn values_round_trip(
            version in samples::any_version(),
            maker in samples::any_incarnation(),
            numbers in any::<(u64, u64, u32)>(),
            key in samples::any_item_key(),
        ) {
            let (time, hash) = (HybridTime::from_u64(numbers.0), KeyHash(numbers.1));
            let change = Change { version, maker, time, hash, key, bytes: numbers.2 };
            prop_assert_eq!(Change::decode(&change.encode()), Ok(change));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), &bytes[..]);
            }
            if let Ok(change) = Change::decode(&bytes) {
                prop_assert_eq!(change.encode(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let key = Key { partition: samples::GROUP, index: 77, ordinal: 3 };
        let change = Change {
            version: samples::version(),
            maker: samples::incarnation(),
            time: HybridTime::from_u64(0x0001_0203_0405_0607),
            hash: KeyHash(0x0123_4567_89ab_cdef),
            key: b"\x01song\x00".to_vec(),
            bytes: 250,
        };
        let cases = [(key.encode(), change.encode())];
        fixture::check("change", include_str!("../../fixtures/change.hex"), &cases, |key, value| {
            Ok((Key::decode(key)?.encode(), Change::decode(value)?.encode()))
        });
    }
}
