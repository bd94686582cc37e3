//! The key space of the in-memory engine: one ordered map, and what it takes to go back.
//!
//! Going back is a list of overwritten values: the newest first restores what the last flush saw, and so does
//! a prefix of it for any batch in between. A snapshot keeps its own, by key. So a flush, a write and a
//! snapshot cost what was written since, never what is stored.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::batch::Write;
use crate::engine::Visit;
use crate::{Batch, Direction};

type Key = Vec<u8>;
type Value = Vec<u8>;

/// An ordered key space that can be reverted to its last flush.
#[derive(Default)]
pub struct Space {
    map: BTreeMap<Key, Value>,
    /// Every value overwritten since the last flush, in order.
    undo: Vec<(Key, Option<Value>)>,
    /// Where in `undo` each batch since the last flush begins.
    batches: Vec<usize>,
    /// For each open snapshot, what later writes have overwritten.
    snapshots: BTreeMap<u64, BTreeMap<Key, Option<Value>>>,
    next_snapshot: u64,
}

impl Space {
    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        self.map.get(key)
    }

    /// The value that a key had when a snapshot was taken.
    pub fn get_at(&self, snapshot: u64, key: &[u8]) -> Option<&Value> {
        match self.snapshots.get(&snapshot).and_then(|overwritten| overwritten.get(key)) {
            Some(value) => value.as_ref(),
            None => self.map.get(key),
        }
    }

    /// Applies a batch.
    pub fn write(&mut self, batch: Batch) {
        self.batches.push(self.undo.len());
        for write in batch.into_writes() {
            match write {
                Write::Put { key, value } => self.set(key, Some(value)),
                Write::Delete { key } => self.set(key, None),
                Write::DeleteRange { from, to } if from < to => {
                    let keys: Vec<Key> = self.map.range(from..to).map(|(key, _)| key.clone()).collect();
                    keys.into_iter().for_each(|key| self.set(key, None));
                }
                Write::DeleteRange { .. } => {}
            }
        }
    }

    /// Makes everything written permanent.
    pub fn flush(&mut self) {
        self.undo.clear();
        self.batches.clear();
    }

    /// How many batches a crash could take.
    pub fn unflushed_batches(&self) -> usize {
        self.batches.len()
    }

    /// Takes back what was written since the last flush but for the first `kept` batches, which become
    /// permanent; says how many batches were lost.
    pub fn revert(&mut self, kept: usize) -> usize {
        let lost = self.batches.len().saturating_sub(kept);
        let end = self.batches.get(kept).copied().unwrap_or(self.undo.len());
        let mut undo = std::mem::take(&mut self.undo);
        for (key, value) in undo.drain(end..).rev() {
            self.set(key, value);
        }
        self.flush();
        lost
    }

    /// Begins a snapshot and names it.
    pub fn begin_snapshot(&mut self) -> u64 {
        self.next_snapshot += 1;
        self.snapshots.insert(self.next_snapshot, BTreeMap::new());
        self.next_snapshot
    }

    /// How many snapshots cost writes something.
    #[cfg(test)]
    pub fn snapshots_open(&self) -> usize {
        self.snapshots.len()
    }

    /// Ends a snapshot.
    pub fn end_snapshot(&mut self, snapshot: u64) {
        self.snapshots.remove(&snapshot);
    }

    /// Visits the keys between two bounds, as they are or as a snapshot sees them.
    pub fn scan(
        &self,
        snapshot: Option<u64>,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        direction: Direction,
        visit: Visit<'_>,
    ) {
        if is_empty(bounds) {
            return;
        }
        let current = self.map.range::<[u8], _>(bounds).map(|(key, value)| (key, Some(value)));
        let overwritten = snapshot.and_then(|snapshot| self.snapshots.get(&snapshot));
        let before = overwritten.into_iter().flat_map(|overwritten| {
            overwritten.range::<[u8], _>(bounds).map(|(key, value)| (key, value.as_ref()))
        });
        match direction {
            Direction::Forward => merge(current, before, |a, b| a < b, visit),
            Direction::Backward => merge(current.rev(), before.rev(), |a, b| a > b, visit),
        }
    }

    fn set(&mut self, key: Key, value: Option<Value>) {
        let old = match value {
            Some(value) => self.map.insert(key.clone(), value),
            None => self.map.remove(&key),
        };
        for overwritten in self.snapshots.values_mut() {
            overwritten.entry(key.clone()).or_insert_with(|| old.clone());
        }
        self.undo.push((key, old));
    }
}

/// Whether no key can lie between two bounds; an ordered map would panic at some of them.
fn is_empty((from, to): (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
    }
}

/// Visits two sequences in order; where both have a key, what was before counts, and no value means no key.
fn merge<'a>(
    current: impl Iterator<Item = (&'a Key, Option<&'a Value>)>,
    before: impl Iterator<Item = (&'a Key, Option<&'a Value>)>,
    precedes: impl Fn(&Key, &Key) -> bool,
    visit: Visit<'_>,
) {
    let (mut current, mut before) = (current.peekable(), before.peekable());
    loop {
        let next = match (current.peek(), before.peek()) {
            (Some((key, _)), Some((earlier, _))) if precedes(key, earlier) => current.next(),
            (Some((key, _)), Some((earlier, _))) => {
                if key == earlier {
                    current.next();
                }
                before.next()
            }
            (Some(_), None) => current.next(),
            (None, _) => before.next(),
        };
        match next {
            Some((key, Some(value))) => {
                if visit(key, value).is_break() {
                    return;
                }
            }
            Some((_, None)) => {}
            None => return,
        }
    }
}
