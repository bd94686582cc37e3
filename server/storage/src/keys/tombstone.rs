//! `3 | partition | time | hash | item key` → the `Version` of a tombstone.
//!
//! An index of tombstones by the time of the change that made them, so that collection (`P11`) reads only
//! what is old enough. The version tells whether the record is still that tombstone.

use types::{HybridTime, KeyHash, PartitionId, Version};

use super::{Bounds, TOMBSTONE, under};
use crate::Error;
use crate::codec::{Reader, Writer};

const FORMAT: u8 = 1;

/// Where a tombstone is listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key<'a> {
    /// Whose tombstone.
    pub partition: PartitionId,
    /// The time of the change that made it.
    pub time: HybridTime,
    /// The hash of the item's encoded partition key.
    pub hash: KeyHash,
    /// The encoded item key.
    pub key: &'a [u8],
}

impl<'a> Key<'a> {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(TOMBSTONE).group(self.partition).time(self.time).hash(self.hash).bytes(self.key).finish()
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::key("tombstone key", TOMBSTONE, bytes)?;
        let (partition, time, hash) = (reader.group()?, reader.time()?, reader.hash()?);
        Ok(Key { partition, time, hash, key: reader.rest() })
    }
}

/// All tombstones of a partition.
pub fn partition(partition: PartitionId) -> Bounds {
    under(Writer::new(TOMBSTONE).group(partition).finish())
}

/// The tombstones of a partition made at or before a time.
pub fn until(partition: PartitionId, time: HybridTime) -> Bounds {
    let first = Writer::new(TOMBSTONE).group(partition);
    let last = Writer::new(TOMBSTONE).group(partition).time(time);
    (first.finish(), under(last.finish()).1)
}

/// The stored bytes of a tombstone's version: `1 | version`.
pub fn encode_value(version: Version) -> Vec<u8> {
    Writer::new(FORMAT).version(version).finish()
}

/// The inverse of `encode_value`; any other bytes are an error.
pub fn decode_value(bytes: &[u8]) -> Result<Version, Error> {
    let mut reader = Reader::value("tombstone", FORMAT, bytes)?;
    let version = reader.version()?;
    reader.finish(version)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    type Parts = (PartitionId, HybridTime, KeyHash, Vec<u8>);

    fn any_parts() -> impl Strategy<Value = Parts> {
        (samples::any_group(), samples::any_time(), samples::any_hash(), samples::any_item_key())
    }

    fn key(parts: &Parts) -> Key<'_> {
        Key { partition: parts.0, time: parts.1, hash: parts.2, key: &parts.3 }
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in any_parts(), b in any_parts()) {
            let (a, b) = (key(&a), key(&b));
            let encoded = a.encode();
            prop_assert_eq!(Key::decode(&encoded), Ok(a));
            prop_assert_eq!(a.cmp(&b), encoded.cmp(&b.encode()));
        }

        #[test]
        fn ranges_hold_what_they_say(parts in any_parts(), time in samples::any_time()) {
            let encoded = key(&parts).encode();
            let holds = |(from, to): Bounds| from <= encoded && encoded < to;
            prop_assert!(holds(partition(parts.0)));
            prop_assert_eq!(holds(until(parts.0, time)), parts.1 <= time);
        }

        #[test]
        fn values_round_trip(version in samples::any_version()) {
            prop_assert_eq!(decode_value(&encode_value(version)), Ok(version));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), &bytes[..]);
            }
            if let Ok(version) = decode_value(&bytes) {
                prop_assert_eq!(encode_value(version), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let key = Key {
            partition: samples::GROUP,
            time: HybridTime::from_u64(0x0001_0203_0405_0607),
            hash: KeyHash(0x0123_4567_89ab_cdef),
            key: b"\x01song\x00",
        };
        let cases = [(key.encode(), encode_value(samples::expired()))];
        fixture::check("tombstone", include_str!("../../fixtures/tombstone.hex"), &cases, |key, value| {
            Ok((Key::decode(key)?.encode(), encode_value(decode_value(value)?)))
        });
    }
}
