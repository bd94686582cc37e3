//! Packs rows into batches so that no key is under way twice.
//!
//! DynamoDB refuses two writes of one key in a batch, and two batches under way have no order. A row whose
//! key is busy waits until the other one is done, and the file's last row of a key is the one that stays.

use std::collections::BTreeSet;

use item::Key;
use types::limits::{BATCH_WRITE_ITEMS_MAX, IMPORT_BATCH_BYTES_MAX};

use crate::shape::Attributes;

/// A row that may be sent.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ready {
    /// From 1.
    pub(super) number: u64,
    /// Its attributes.
    pub(super) item: Attributes,
    /// Its key.
    pub(super) key: Key,
    /// Its size by DynamoDB's rules.
    pub(super) bytes: usize,
}

/// Rows of different keys, to be sent together.
pub(super) type Batch = Vec<Ready>;

/// What became of an offered row.
#[derive(PartialEq, Debug)]
pub(super) enum Offer {
    /// It was packed; the batch that was full before it, if any, is to be sent.
    Taken(Option<Batch>),
    /// Its key is busy: send the batch, if any, wait until one is done, and offer the row again.
    Busy {
        /// The row.
        row: Ready,
        /// The batch that was being packed.
        batch: Option<Batch>,
    },
}

/// The batch that is being packed, and the keys that are busy in it and under way.
#[derive(Default)]
pub(super) struct Packer {
    batch: Batch,
    bytes: usize,
    busy: BTreeSet<Key>,
}

impl Packer {
    /// Packs a row unless its key is busy.
    pub(super) fn offer(&mut self, row: Ready) -> Offer {
        if self.busy.contains(&row.key) {
            return Offer::Busy { row, batch: self.take() };
        }
        let full = self.batch.len() >= BATCH_WRITE_ITEMS_MAX
            || self.bytes.saturating_add(row.bytes) > IMPORT_BATCH_BYTES_MAX;
        let batch = if full { self.take() } else { None };
        self.busy.insert(row.key.clone());
        self.bytes += row.bytes;
        self.batch.push(row);
        Offer::Taken(batch)
    }

    /// Takes what is packed so far.
    pub(super) fn take(&mut self) -> Option<Batch> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() { None } else { Some(batch) }
    }

    /// Frees the keys of a batch that was sent.
    pub(super) fn done(&mut self, keys: &[Key]) {
        for key in keys {
            self.busy.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::KeyHash;

    use super::*;

    fn row(number: u64, key: u8, bytes: usize) -> Ready {
        Ready { number, item: Attributes::new(), key: Key { hash: KeyHash(0), bytes: vec![key] }, bytes }
    }

    #[test]
    fn batches_are_full_by_rows_or_by_bytes() {
        let mut packer = Packer::default();
        for key in 0..25 {
            assert_eq!(packer.offer(row(0, key, 1)), Offer::Taken(None));
        }
        let Offer::Taken(Some(batch)) = packer.offer(row(0, 25, IMPORT_BATCH_BYTES_MAX)) else { panic!() };
        assert_eq!(batch.len(), 25);
        let Offer::Taken(Some(batch)) = packer.offer(row(0, 26, 1)) else { panic!() };
        assert_eq!(batch.len(), 1);
    }

    #[test]
    fn a_key_waits_for_itself() {
        let mut packer = Packer::default();
        packer.offer(row(1, 7, 1));
        let Offer::Busy { row: second, batch: Some(batch) } = packer.offer(row(2, 7, 1)) else { panic!() };
        assert_eq!(batch[0].number, 1);
        let Offer::Busy { row: second, batch: None } = packer.offer(second) else { panic!() };
        packer.done(&[batch[0].key.clone()]);
        assert_eq!(packer.offer(second), Offer::Taken(None));
    }

    proptest! {
        #[test]
        fn no_key_is_under_way_twice_and_rows_of_a_key_keep_their_order(
            keys in proptest::collection::vec(0u8..40, 0..300),
        ) {
            let mut packer = Packer::default();
            let mut under_way: Vec<Batch> = Vec::new();
            let mut last = std::collections::BTreeMap::new();
            let mut finish = |under_way: &mut Vec<Batch>, packer: &mut Packer| {
                let done = under_way.pop().expect("a busy key is under way");
                let keys: Vec<Key> = done.iter().map(|row| row.key.clone()).collect();
                packer.done(&keys);
                for row in done {
                    assert!(last.insert(row.key, row.number).is_none_or(|before| before < row.number));
                }
            };
            for (number, key) in keys.iter().enumerate() {
                let mut ready = row(number as u64, *key, 1);
                loop {
                    match packer.offer(ready) {
                        Offer::Taken(batch) => {
                            under_way.extend(batch);
                            break;
                        }
                        Offer::Busy { row, batch } => {
                            ready = row;
                            under_way.extend(batch);
                            finish(&mut under_way, &mut packer);
                        }
                    }
                }
                let mut keys: Vec<_> = under_way.iter().flatten().map(|row| row.key.clone()).collect();
                let count = keys.len();
                keys.sort();
                keys.dedup();
                prop_assert_eq!(keys.len(), count);
            }
            under_way.extend(packer.take());
            while !under_way.is_empty() {
                finish(&mut under_way, &mut packer);
            }
            for (number, key) in keys.iter().enumerate() {
                let key = row(0, *key, 1).key;
                prop_assert!(last[&key] >= number as u64);
            }
        }
    }
}
