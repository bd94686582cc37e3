//! The logs of the in-memory engine: for each group its entries, without gaps, and its small states.

use std::collections::{BTreeMap, VecDeque};

use types::GroupId;

use crate::engine::StateName;
use crate::log::{Extent, Extents, LogWrite};
use crate::{Error, LogBatch, LogEntry};

/// The logs of a disk.
#[derive(Clone, Default)]
pub struct Logs {
    groups: BTreeMap<GroupId, Group>,
}

#[derive(Clone, Default)]
struct Group {
    /// Where the entries begin and end; it outlives them, so that nothing compacted is appended again.
    extent: Extent,
    entries: VecDeque<LogEntry>,
    states: BTreeMap<StateName, Vec<u8>>,
}

impl Group {
    fn append(&mut self, entries: Vec<LogEntry>) {
        let Some(first) = entries.first().map(|entry| entry.index) else { return };
        while self.entries.back().is_some_and(|entry| entry.index >= first) {
            self.entries.pop_back();
        }
        self.entries.extend(entries);
        let last = self.entries.back().expect("just appended to").index;
        self.extent = Extent { first: self.entries[0].index, next: last + 1 };
    }

    fn compact(&mut self, to: u64) {
        self.extent = self.extent.compacted(to);
        while self.entries.front().is_some_and(|entry| entry.index < to) {
            self.entries.pop_front();
        }
    }
}

impl Logs {
    /// Checks that no log would get a gap; `apply` relies on it.
    pub fn check(&self, batch: &LogBatch) -> Result<(), Error> {
        let extent = |group| Ok(self.groups.get(&group).map_or(Extent::default(), |log| log.extent));
        let mut extents = Extents::new(extent);
        batch.writes().iter().try_for_each(|write| extents.step(write).map(drop))
    }

    /// Applies a batch that `check` has passed.
    pub fn apply(&mut self, batch: LogBatch) {
        for write in batch.into_writes() {
            match write {
                LogWrite::Entries { group, entries } => {
                    self.groups.entry(group).or_default().append(entries);
                }
                LogWrite::State { group, name, value } => {
                    self.groups.entry(group).or_default().states.insert(name, value);
                }
                LogWrite::Compact { group, to } => self.groups.entry(group).or_default().compact(to),
                LogWrite::Remove { group } => {
                    self.groups.remove(&group);
                }
            }
        }
    }

    /// The entries from `from` up to, not including, `to`: as many as fit into `max_bytes`, and at least one.
    pub fn entries(
        &self,
        group: GroupId,
        from: u64,
        to: u64,
        max_bytes: u64,
    ) -> Result<Vec<LogEntry>, Error> {
        if from >= to {
            return Ok(Vec::new());
        }
        let missing = Error::Missing { group, from, to };
        let (Some(log), Some((first, last))) = (self.groups.get(&group), self.range(group)) else {
            return Err(missing);
        };
        if from < first || to - 1 > last {
            return Err(missing);
        }
        let place = |index: u64| usize::try_from(index - first).expect("a log fits into memory");
        let mut left = max_bytes;
        let fits = |(taken, entry): &(usize, &LogEntry)| {
            let bytes = entry.data.len() as u64;
            let fits = *taken == 0 || bytes <= left;
            left = left.saturating_sub(bytes);
            fits
        };
        let entries = log.entries.range(place(from)..place(to)).enumerate();
        Ok(entries.take_while(fits).map(|(_, entry)| entry.clone()).collect())
    }

    /// The first and last index.
    pub fn range(&self, group: GroupId) -> Option<(u64, u64)> {
        self.groups.get(&group)?.extent.range()
    }

    /// A state.
    pub fn state(&self, group: GroupId, name: StateName) -> Option<Vec<u8>> {
        self.groups.get(&group)?.states.get(&name).cloned()
    }

    /// The groups that have a state or an entry.
    pub fn groups(&self) -> Vec<GroupId> {
        let lives = |group: &Group| !group.entries.is_empty() || !group.states.is_empty();
        self.groups.iter().filter(|(_, group)| lives(group)).map(|(id, _)| *id).collect()
    }

    /// Bytes of all entries.
    pub fn bytes(&self) -> u64 {
        self.groups.values().flat_map(|group| &group.entries).map(LogEntry::bytes).sum()
    }
}
