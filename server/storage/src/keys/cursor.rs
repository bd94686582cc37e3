//! `4 | partition | peer` → a `Cursor`: how far a peer region has durably received a partition's changes.
//!
//! A cursor moves only through the partition's own log, after the peer's acknowledgement (`P13`).

use types::{PartitionId, RegionId};

use super::{Bounds, CURSOR, under};
use crate::Error;
use crate::codec::{Reader, Writer};

const FORMAT: u8 = 1;

/// Where a cursor is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// Whose changes.
    pub partition: PartitionId,
    /// Received by whom.
    pub peer: RegionId,
}

impl Key {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(CURSOR).group(self.partition).region(self.peer).finish()
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::key("cursor key", CURSOR, bytes)?;
        let key = Key { partition: reader.group()?, peer: reader.region()? };
        reader.finish(key)
    }
}

/// All cursors of a partition.
pub fn partition(partition: PartitionId) -> Bounds {
    under(Writer::new(CURSOR).group(partition).finish())
}

/// How far a peer has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Cursor {
    /// The index of the last change that the peer has, all earlier ones included; 0 before the first.
    pub index: u64,
}

impl Cursor {
    /// The stored bytes: `1 | index`.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(FORMAT).u64(self.index).finish()
    }

    /// The inverse of `encode`; any other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::value("cursor", FORMAT, bytes)?;
        let cursor = Cursor { index: reader.u64()? };
        reader.finish(cursor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    fn any_key() -> impl Strategy<Value = Key> {
        (samples::any_group(), any::<u32>())
            .prop_map(|(partition, peer)| Key { partition, peer: RegionId(peer) })
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in any_key(), b in any_key()) {
            prop_assert_eq!(Key::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
            let (from, to) = partition(a.partition);
            prop_assert_eq!(from <= b.encode() && b.encode() < to, a.partition == b.partition);
        }

        #[test]
        fn values_round_trip(index in any::<u64>()) {
            let cursor = Cursor { index };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), &bytes[..]);
            }
            if let Ok(cursor) = Cursor::decode(&bytes) {
                prop_assert_eq!(cursor.encode(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let key = Key { partition: samples::GROUP, peer: samples::incarnation().region };
        let cases = [(key.encode(), Cursor { index: 0x1122_3344 }.encode())];
        fixture::check("cursor", include_str!("../../fixtures/cursor.hex"), &cases, |key, value| {
            Ok((Key::decode(key)?.encode(), Cursor::decode(value)?.encode()))
        });
    }
}
