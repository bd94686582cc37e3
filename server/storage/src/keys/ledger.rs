//! `8 | table | hash | length | item key | lost version` → a `LedgerEntry`: a local write that
//! last-writer-wins lost (`P14`).
//!
//! The key's length stands before it because a version follows; so the losses of one item lie together,
//! oldest first, while items of one hash are in no useful order.

use types::{HashRange, KeyHash, TableId, Version};

use super::{Bounds, LEDGER, after, under};
use crate::codec::{Reader, Writer};
use crate::{Error, Record};

const FORMAT: u8 = 1;

/// Where a loss is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key<'a> {
    /// The table.
    pub table: TableId,
    /// The hash of the item's encoded partition key.
    pub hash: KeyHash,
    /// The encoded item key, at most 64 KiB.
    pub key: &'a [u8],
    /// The version of the write that was lost.
    pub lost: Version,
}

impl<'a> Key<'a> {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(LEDGER).table(self.table).hash(self.hash).item_key(self.key).version(self.lost).finish()
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::key("ledger key", LEDGER, bytes)?;
        let (table, hash, key) = (reader.table()?, reader.hash()?, reader.item_key()?);
        let key = Key { table, hash, key, lost: reader.version()? };
        reader.finish(key)
    }
}

/// All losses of a table.
pub fn table(table: TableId) -> Bounds {
    under(Writer::new(LEDGER).table(table).finish())
}

/// The losses of a table whose hashes lie in a range.
pub fn hashes(table: TableId, range: HashRange) -> Bounds {
    let edge = |hash| Writer::new(LEDGER).table(table).hash(hash).finish();
    (edge(range.first), after(edge(range.last)))
}

/// The losses of one item, oldest first.
pub fn item(table: TableId, hash: KeyHash, key: &[u8]) -> Bounds {
    under(Writer::new(LEDGER).table(table).hash(hash).item_key(key).finish())
}

/// A local write that did not win and that nobody built upon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerEntry {
    /// The record that was lost.
    pub lost: Record,
    /// The version that replaced it.
    pub winner: Version,
    /// Whether an arriving record turned out to have seen it after all.
    pub superseded: bool,
}

impl LedgerEntry {
    /// The stored bytes: `1 | winner | superseded | lost record`.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(FORMAT).version(self.winner).flag(self.superseded).bytes(&self.lost.encode()).finish()
    }

    /// The inverse of `encode`; any other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::value("ledger entry", FORMAT, bytes)?;
        let (winner, superseded) = (reader.version()?, reader.flag("superseded")?);
        Ok(LedgerEntry { lost: Record::decode(reader.rest())?, winner, superseded })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    type Parts = (TableId, KeyHash, Vec<u8>, Version);

    fn any_parts() -> impl Strategy<Value = Parts> {
        (samples::any_table(), samples::any_hash(), samples::any_item_key(), samples::any_version())
    }

    fn key(parts: &Parts) -> Key<'_> {
        Key { table: parts.0, hash: parts.1, key: &parts.2, lost: parts.3 }
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_the_losses_of_an_item_sort(a in any_parts(), lost in samples::any_version()) {
            let a = key(&a);
            let b = Key { lost, ..a };
            let encoded = a.encode();
            prop_assert_eq!(Key::decode(&encoded), Ok(a));
            prop_assert_eq!(a.lost.cmp(&b.lost), encoded.cmp(&b.encode()));
        }

        #[test]
        fn keys_sort_by_table_and_hash(a in any_parts(), b in any_parts()) {
            prop_assume!((a.0, a.1) != (b.0, b.1));
            prop_assert_eq!((a.0, a.1).cmp(&(b.0, b.1)), key(&a).encode().cmp(&key(&b).encode()));
        }

        #[test]
        fn ranges_hold_what_they_say(
            parts in any_parts(),
            edges in any::<(u64, u64)>(),
            other in samples::any_item_key(),
        ) {
            let range = HashRange {
                first: KeyHash(edges.0.min(edges.1)),
                last: KeyHash(edges.0.max(edges.1)),
            };
            let encoded = key(&parts).encode();
            let holds = |(from, to): Bounds| from <= encoded && encoded < to;
            prop_assert!(holds(table(parts.0)));
            prop_assert_eq!(holds(hashes(parts.0, range)), range.contains(parts.1));
            prop_assert_eq!(holds(item(parts.0, parts.1, &other)), parts.2 == other);
        }

        #[test]
        fn values_round_trip(
            lost in samples::any_record(),
            winner in samples::any_version(),
            superseded in any::<bool>(),
        ) {
            let entry = LedgerEntry { lost, winner, superseded };
            prop_assert_eq!(LedgerEntry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), &bytes[..]);
            }
            if let Ok(entry) = LedgerEntry::decode(&bytes) {
                prop_assert_eq!(entry.encode(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let key = Key {
            table: samples::table(),
            hash: KeyHash(0x0123_4567_89ab_cdef),
            key: b"\x01song\x00",
            lost: samples::version(),
        };
        let entry = LedgerEntry { lost: samples::record(), winner: samples::expired(), superseded: true };
        let cases = [(key.encode(), entry.encode())];
        fixture::check("ledger", include_str!("../../fixtures/ledger.hex"), &cases, |key, value| {
            Ok((Key::decode(key)?.encode(), LedgerEntry::decode(value)?.encode()))
        });
    }
}
