//! The end of a log in memory: entries that the engine may not hold yet, or that are about to be applied.
//!
//! Between `ready` and the engine's append only these entries know what was proposed, so none may be dropped
//! before it is synced. Keeping them until they are applied saves reading back what was just written. Entry
//! data is shared with raft-rs, not copied.

use std::collections::VecDeque;

use raft::eraftpb::Entry;
use types::limits::RAFT_IDLE_ENTRIES_MAX;

/// What an entry takes beside its data, roughly.
const ENTRY_OVERHEAD_BYTES: usize = size_of::<Entry>();

/// Consecutive entries up to the last of the log, or none.
#[derive(Default)]
pub struct Tail {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Tail {
    /// The first index held.
    pub fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.index)
    }

    /// An entry, if it is held.
    pub fn get(&self, index: u64) -> Option<&Entry> {
        let place = index.checked_sub(self.first()?)?;
        self.entries.get(usize::try_from(place).ok()?)
    }

    /// The entries held from an index on, which must not lie below the first.
    pub fn from(&self, index: u64) -> impl Iterator<Item = &Entry> {
        let skipped = self.first().map_or(0, |first| index - first);
        self.entries.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends consecutive entries; those at or above the first one's index are replaced.
    pub fn append(&mut self, entries: Vec<Entry>) {
        let Some(first) = entries.first().map(|entry| entry.index) else { return };
        while self.entries.back().is_some_and(|last| last.index >= first) {
            self.bytes -= self.entries.pop_back().as_ref().map_or(0, bytes);
        }
        if let Some(last) = self.entries.back() {
            assert_eq!(last.index + 1, first, "raft-rs appends without gaps");
        }
        self.bytes += entries.iter().map(bytes).sum::<usize>();
        self.entries.extend(entries);
    }

    /// Drops the first entry, if it lies at or below an index.
    pub fn drop_first(&mut self, at_most: u64) -> bool {
        if self.first().is_none_or(|first| first > at_most) {
            return false;
        }
        self.bytes -= self.entries.pop_front().as_ref().map_or(0, bytes);
        if self.entries.is_empty() {
            self.entries.shrink_to(RAFT_IDLE_ENTRIES_MAX);
        }
        true
    }
}

fn bytes(entry: &Entry) -> usize {
    ENTRY_OVERHEAD_BYTES + entry.data.len()
}
