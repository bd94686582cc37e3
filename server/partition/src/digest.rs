//! Digests of a table's live records, for comparing regions.
//!
//! Tombstones are left out and the form is canonical (`P11`), so that equal data has equal digests whatever
//! the order, the encoding on disk or the state of collection.

use storage::{Error, Read, Record, keys};
use types::command::PartDigest;
use types::{HashRange, KeyHash, TableId};
use xxhash_rust::xxh3::xxh3_128;

/// Digests part of a table, cut into `parts` pieces of nearly equal width.
pub fn read(
    engine: &impl Read,
    table: TableId,
    range: HashRange,
    parts: u32,
) -> Result<Vec<PartDigest>, Error> {
    pieces(range, parts).into_iter().map(|piece| digest(engine, table, piece)).collect()
}

fn digest(engine: &impl Read, table: TableId, range: HashRange) -> Result<PartDigest, Error> {
    let bounds = keys::record::hashes(table, range);
    let mut part = PartDigest { range, count: 0, digest: 0 };
    storage::engine::each(engine, &bounds, |key, value| {
        if let Some(record) = live(value)? {
            part.count += 1;
            // A sum does not depend on the order, and unlike xor it does not cancel out twins.
            part.digest = part.digest.wrapping_add(of_record(keys::record::Key::decode(key)?.key, &record));
        }
        Ok(true)
    })?;
    Ok(part)
}

/// The record of a stored value, `None` for a tombstone.
pub(crate) fn live(value: &[u8]) -> Result<Option<Record>, Error> {
    Ok(Some(Record::decode(value)?).filter(|record| !record.is_tombstone()))
}

/// The digest of one live record at its key.
pub(crate) fn of_record(key: &[u8], record: &Record) -> u128 {
    xxh3_128(&[key, &record.encode()[..]].concat())
}

/// Cuts a range into at most `parts` pieces of nearly equal width.
fn pieces(range: HashRange, parts: u32) -> Vec<HashRange> {
    let width = u128::from(range.last.0 - range.first.0) + 1;
    let parts = u128::from(parts.max(1)).min(width);
    let edge = |at: u128| (u128::from(range.first.0) + width * at / parts) as u64;
    (0..parts)
        .map(|at| HashRange {
            first: KeyHash(edge(at)),
            last: if at + 1 == parts { range.last } else { KeyHash(edge(at + 1) - 1) },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_tile_the_range(a in any::<u64>(), b in any::<u64>(), parts in 1u32..300) {
            let range = HashRange { first: KeyHash(a.min(b)), last: KeyHash(a.max(b)) };
            let pieces = pieces(range, parts);
            prop_assert_eq!(pieces[0].first, range.first);
            prop_assert_eq!(pieces[pieces.len() - 1].last, range.last);
            for pair in pieces.windows(2) {
                prop_assert_eq!(pair[0].last.0 + 1, pair[1].first.0);
            }
        }
    }
}
