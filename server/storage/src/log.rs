//! What is appended to the raft logs: entries and small states of many groups, one sync for all.

use std::collections::BTreeMap;

use types::GroupId;

use crate::Error;
use crate::engine::StateName;

/// One raft entry, its bytes opaque to the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// Its place in the group's log; indices of a group have no gaps.
    pub index: u64,
    /// The raft term it was proposed in.
    pub term: u64,
    /// The entry in `consensus`'s format, opaque here.
    pub data: Vec<u8>,
}

impl LogEntry {
    /// What it takes in a log: its data, index, term and length.
    pub fn bytes(&self) -> u64 {
        self.data.len() as u64 + 20
    }
}

/// One step of an append, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogWrite {
    /// Appends entries; those at or above the first one's index are replaced.
    Entries {
        /// Whose log.
        group: GroupId,
        /// Consecutive.
        entries: Vec<LogEntry>,
    },
    /// Sets a small value.
    State {
        /// Whose value.
        group: GroupId,
        /// Which.
        name: StateName,
        /// The bytes.
        value: Vec<u8>,
    },
    /// Drops entries below an index; the caller has flushed what they did.
    Compact {
        /// Whose log.
        group: GroupId,
        /// The first index kept.
        to: u64,
    },
    /// Forgets a group: its entries and states.
    Remove {
        /// Which.
        group: GroupId,
    },
}

impl LogWrite {
    /// Whose log it changes.
    pub fn group(&self) -> GroupId {
        match self {
            LogWrite::Entries { group, .. }
            | LogWrite::State { group, .. }
            | LogWrite::Compact { group, .. }
            | LogWrite::Remove { group } => *group,
        }
    }
}

/// Appended whole or, in a crash, not at all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogBatch {
    writes: Vec<LogWrite>,
}

impl LogBatch {
    /// An empty batch.
    pub fn new() -> Self {
        LogBatch::default()
    }

    /// Adds a step.
    pub fn push(&mut self, write: LogWrite) {
        self.writes.push(write);
    }

    /// Whether there is nothing to append.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The steps in order.
    pub fn writes(&self) -> &[LogWrite] {
        &self.writes
    }

    /// The steps, taken out.
    pub fn into_writes(self) -> Vec<LogWrite> {
        self.writes
    }
}

/// Where a group's log begins and ends: its entries are `first` up to, not including, `next`.
///
/// Below `first` everything was compacted or never was; an empty log may be appended to anywhere from there
/// on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    /// The lowest index that an append may begin at.
    pub first: u64,
    /// The index after the last entry; equal to `first` when there is none.
    pub next: u64,
}

impl Extent {
    /// First and last index; `None` when there is no entry.
    pub fn range(&self) -> Option<(u64, u64)> {
        (self.first < self.next).then(|| (self.first, self.next - 1))
    }

    /// What is left after the entries below an index are dropped.
    pub fn compacted(&self, to: u64) -> Extent {
        let first = self.first.max(to);
        Extent { first, next: self.next.max(first) }
    }

    /// What an append makes of it; an error when it would leave a gap or overwrite what was compacted.
    pub fn appended(&self, group: GroupId, entries: &[LogEntry]) -> Result<Extent, Error> {
        let Some(begin) = entries.first().map(|entry| entry.index) else { return Ok(*self) };
        let last = if self.range().is_some() { self.next } else { u64::MAX - 1 };
        if begin < self.first || begin > last {
            return Err(Error::Discontinuous { group, first: self.first, last, index: begin });
        }
        let mut next = begin;
        for entry in entries {
            if entry.index != next {
                return Err(Error::Discontinuous { group, first: next, last: next, index: entry.index });
            }
            next += 1;
        }
        Ok(Extent { first: if self.range().is_some() { self.first } else { begin }, next })
    }
}

/// What the logs that a batch touches become, step by step.
///
/// Both engines refuse a batch that would leave a gap or overwrite what was compacted, and refuse it whole:
/// its harm would show only after a crash.
pub struct Extents<F> {
    known: BTreeMap<GroupId, Extent>,
    look_up: F,
}

impl<F: Fn(GroupId) -> Result<Extent, Error>> Extents<F> {
    /// Begins with the logs as `look_up` finds them.
    pub fn new(look_up: F) -> Self {
        Extents { known: BTreeMap::new(), look_up }
    }

    /// Takes one step and gives the extent that its log then has; an error when the step must be refused.
    pub fn step(&mut self, write: &LogWrite) -> Result<Extent, Error> {
        let group = write.group();
        let extent = match self.known.get(&group) {
            Some(known) => *known,
            None => (self.look_up)(group)?,
        };
        let extent = match write {
            LogWrite::Entries { entries, .. } => extent.appended(group, entries)?,
            LogWrite::State { .. } => extent,
            LogWrite::Compact { to, .. } => extent.compacted(*to),
            LogWrite::Remove { .. } => Extent::default(),
        };
        self.known.insert(group, extent);
        Ok(extent)
    }
}

/// Bytes that a batch adds to what a restart must replay, equal for both engines.
pub fn bytes(batch: &LogBatch) -> u64 {
    let bytes = |write: &LogWrite| match write {
        LogWrite::Entries { entries, .. } => entries.iter().map(LogEntry::bytes).sum(),
        LogWrite::State { value, .. } => value.len() as u64,
        LogWrite::Compact { .. } | LogWrite::Remove { .. } => 0,
    };
    batch.writes().iter().map(bytes).sum()
}
