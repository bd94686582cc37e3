//! The key space at a glance: one tag, one file and one fixture per kind of key.
//!
//! | tag | kind | key after the tag | value |
//! | --- | --- | --- | --- |
//! | 1 | `record` | table 12, hash 8, item key | `Record` |
//! | 2 | `change` | partition 8, index 8, ordinal 4 | `Change` |
//! | 3 | `tombstone` | partition 8, time 8, hash 8, item key | `Version` |
//! | 4 | `cursor` | partition 8, peer 4 | `Cursor` |
//! | 5 | `partition` | group 8 | `PartitionState` |
//! | 6 | `request` | root 8, hash 8, request id 16 | `RequestOutcome` |
//! | 7 | retired: once listed requests by the time when they expire | | |
//! | 8 | `ledger` | table 12, hash 8, length 2, item key, lost version 17 | `LedgerEntry` |
//! | 9 | `catalog` | sub-kind 1, its own key | opaque, `region`'s |
//! | 10 | `members` | group 8 | opaque, `consensus`'s |
//!
//! Tags are for ever and never reused; numbers are big-endian, so that keys sort as their parts do; every
//! value begins with the version of its format. Under each tag stands what its range functions can name in
//! one piece: a table's records of a hash range, a partition's changes after an index, its tombstones up to a
//! time.

pub mod catalog;
pub mod change;
pub mod cursor;
pub mod ledger;
pub mod members;
pub mod partition;
pub mod record;
pub mod request;
pub mod tombstone;

#[cfg(test)]
mod fixture;

pub use change::Change;
pub use cursor::Cursor;
pub use ledger::LedgerEntry;
pub use partition::{Collecting, PartitionState};
pub use request::RequestOutcome;

/// The first key of a range, and the first key after it.
pub type Bounds = (Vec<u8>, Vec<u8>);

const RECORD: u8 = 1;
const CHANGE: u8 = 2;
const TOMBSTONE: u8 = 3;
const CURSOR: u8 = 4;
const PARTITION: u8 = 5;
const REQUEST: u8 = 6;
const RETIRED: u8 = 7;
const LEDGER: u8 = 8;
const CATALOG: u8 = 9;
const MEMBERS: u8 = 10;

/// What earlier builds kept and this one does not read.
pub fn retired() -> Bounds {
    under(vec![RETIRED])
}

/// Every key that begins with these bytes.
fn under(prefix: Vec<u8>) -> Bounds {
    let after = after(prefix.clone());
    (prefix, after)
}

/// The first key that is greater than every key beginning with these bytes.
fn after(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return prefix;
        }
    }
    unreachable!("every key begins with a tag, and no tag is 255")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_prefix_carries_over_full_bytes() {
        assert_eq!(after(vec![1, 2]), vec![1, 3]);
        assert_eq!(after(vec![1, 255, 255]), vec![2]);
    }
}
