//! `1 | table | hash | item key` → the `Record` of an item.
//!
//! The hash comes first so that a partition is one contiguous range, and the items of one partition key lie
//! together in the order of their sort keys. The item key is opaque here; it delimits itself.

use types::{HashRange, KeyHash, TableId};

use super::{Bounds, RECORD, after, under};
use crate::Error;
use crate::codec::{Reader, Writer};

const WHAT: &str = "record key";

/// Where an item's record is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key<'a> {
    /// The table.
    pub table: TableId,
    /// The hash of the item's encoded partition key.
    pub hash: KeyHash,
    /// Partition and sort key, encoded.
    pub key: &'a [u8],
}

impl<'a> Key<'a> {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(RECORD).table(self.table).hash(self.hash).bytes(self.key).finish()
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::key(WHAT, RECORD, bytes)?;
        Ok(Key { table: reader.table()?, hash: reader.hash()?, key: reader.rest() })
    }
}

/// All records of a table.
pub fn table(table: TableId) -> Bounds {
    under(Writer::new(RECORD).table(table).finish())
}

/// The records of a table whose hashes lie in a range.
pub fn hashes(table: TableId, range: HashRange) -> Bounds {
    let edge = |hash| Writer::new(RECORD).table(table).hash(hash).finish();
    (edge(range.first), after(edge(range.last)))
}

/// The records whose item keys begin with a prefix: an encoded partition key, whole or with the beginning of
/// an encoded sort key behind it.
pub fn prefix(table: TableId, hash: KeyHash, prefix: &[u8]) -> Bounds {
    under(Key { table, hash, key: prefix }.encode())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::{Record, samples};

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(
            a in (samples::any_table(), any::<u64>(), samples::any_item_key()),
            b in (samples::any_table(), any::<u64>(), samples::any_item_key()),
        ) {
            let a = Key { table: a.0, hash: KeyHash(a.1), key: &a.2 };
            let b = Key { table: b.0, hash: KeyHash(b.1), key: &b.2 };
            let encoded = a.encode();
            prop_assert_eq!(Key::decode(&encoded), Ok(a));
            prop_assert_eq!(a.cmp(&b), encoded.cmp(&b.encode()));
        }

        #[test]
        fn ranges_hold_what_they_say(
            of in samples::any_table(),
            edges in any::<(u64, u64)>(),
            hash in any::<u64>(),
            key in samples::any_item_key(),
            longer in samples::any_item_key(),
        ) {
            let range = HashRange {
                first: KeyHash(edges.0.min(edges.1)),
                last: KeyHash(edges.0.max(edges.1)),
            };
            let hash = KeyHash(hash);
            let encoded = Key { table: of, hash, key: &key }.encode();
            let holds = |(from, to): Bounds| from <= encoded && encoded < to;
            prop_assert!(holds(table(of)));
            prop_assert_eq!(holds(hashes(of, range)), range.contains(hash));
            prop_assert_eq!(holds(prefix(of, hash, &longer)), key.starts_with(&longer));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let key = Key { table: samples::table(), hash: KeyHash(0x0123_4567_89ab_cdef), key: b"\x01song\x00" };
        let live = samples::record();
        let gone = Record { body: None, version: samples::expired(), ..samples::record() };
        let cases = [(key.encode(), live.encode()), (key.encode(), gone.encode())];
        fixture::check("record", include_str!("../../fixtures/record.hex"), &cases, |key, value| {
            Ok((Key::decode(key)?.encode(), Record::decode(value)?.encode()))
        });
    }
}
