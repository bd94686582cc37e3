//! A node's disk: the in-memory engine, watched, and as slow and forgetful as real ones.
//!
//! The shard writes through it as through any engine. The world decides when a sync is done and what a crash
//! takes; what is written to the key space is decoded on its way, so that checkers see what really happened.

use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use storage::engine::{StateName, Visit};
use storage::memory::{Memory, Torn, Volatile};
use storage::{Batch, Direction, Engine, Error, LogBatch, LogEntry, Read, Room};
use types::GroupId;

use crate::chance::Chance;
use crate::observation::{self, Observation};

/// A handle on a simulated disk; clones share it.
#[derive(Clone)]
pub struct Disk {
    memory: Memory,
    seen: Arc<Mutex<Vec<Observation>>>,
}

/// How a process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// `kill -9`: what was appended is in the system's cache and survives; what was only in memory does not.
    Kill,
    /// A power cut: a prefix, often none, of what was not synced survives.
    Power,
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Disk { memory: Memory::new(), seen: Arc::default() }
    }

    /// Moves what was observed since the last call behind what `into` holds.
    pub fn drain(&self, into: &mut Vec<Observation>) {
        into.append(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How far the logs are appended, for `sync_to`.
    pub fn appended(&self) -> u64 {
        self.memory.appended()
    }

    /// Ends a sync that began at this position.
    pub fn sync_to(&self, position: u64) {
        self.memory.sync_to(position);
    }

    /// Loses what a crash of this kind loses.
    pub fn crash(&self, crash: Crash, chance: &mut Chance) -> Volatile {
        let volatile = self.memory.volatile();
        let some = |of: usize, chance: &mut Chance| match chance.below(3) {
            0 => chance.below(of as u64 + 1) as usize,
            _ => 0,
        };
        let write_batches = some(volatile.write_batches, chance);
        let log_batches = match crash {
            Crash::Kill => volatile.log_batches,
            Crash::Power => some(volatile.log_batches, chance),
        };
        self.memory.crash(Torn { log_batches, write_batches })
    }

    /// The last index of each group's log, synced or not.
    pub fn tails(&self) -> Result<Vec<(GroupId, u64)>, Error> {
        let mut tails = Vec::new();
        for group in self.memory.groups()? {
            tails.extend(self.memory.log_range(group)?.map(|(_, last)| (group, last)));
        }
        Ok(tails)
    }

    /// Visits everything the disk holds, keys and logs, in one order.
    pub fn digest(&self, mut visit: impl FnMut(&[u8])) -> Result<(), Error> {
        self.scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward, &mut |key, value| {
            visit(key);
            visit(value);
            std::ops::ControlFlow::Continue(())
        })?;
        for group in self.groups()? {
            let Some((first, last)) = self.log_range(group)? else { continue };
            for entry in self.entries(group, first, last + 1, u64::MAX)? {
                visit(&entry.index.to_be_bytes());
                visit(&entry.term.to_be_bytes());
                visit(&entry.data);
            }
        }
        Ok(())
    }
}

impl Default for Disk {
    fn default() -> Self {
        Disk::new()
    }
}

impl Read for Disk {
    fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        self.memory.look(key, look)
    }

    fn scan(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        self.memory.scan(from, to, direction, visit)
    }
}

impl Engine for Disk {
    type Snapshot = <Memory as Engine>::Snapshot;

    fn snapshot(&self) -> Self::Snapshot {
        self.memory.snapshot()
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        observation::read(&batch, &mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))?;
        self.memory.write(batch)
    }

    fn flush(&self) -> Result<(), Error> {
        self.memory.flush()
    }

    fn append(&self, batch: LogBatch) -> Result<(), Error> {
        self.memory.append(batch)
    }

    fn sync(&self) -> Result<(), Error> {
        self.memory.sync()
    }

    fn entries(&self, group: GroupId, from: u64, to: u64, max_bytes: u64) -> Result<Vec<LogEntry>, Error> {
        self.memory.entries(group, from, to, max_bytes)
    }

    fn log_range(&self, group: GroupId) -> Result<Option<(u64, u64)>, Error> {
        self.memory.log_range(group)
    }

    fn state(&self, group: GroupId, name: StateName) -> Result<Option<Vec<u8>>, Error> {
        self.memory.state(group, name)
    }

    fn groups(&self) -> Result<Vec<GroupId>, Error> {
        self.memory.groups()
    }

    fn is_pressed(&self) -> Result<bool, Error> {
        self.memory.is_pressed()
    }

    fn bytes(&self, bounds: &storage::keys::Bounds) -> Result<u64, Error> {
        self.memory.bytes(bounds)
    }

    fn room(&self) -> Result<Option<Room>, Error> {
        self.memory.room()
    }

    fn log_bytes(&self) -> u64 {
        self.memory.log_bytes()
    }
}

#[cfg(test)]
mod tests {
    use storage::log::LogWrite;

    use super::*;
    use crate::chance::Stream;

    const GROUP: GroupId = GroupId::FIRST;

    fn append(disk: &Disk, index: u64) {
        let mut batch = LogBatch::new();
        let entries = vec![LogEntry { index, term: 1, data: vec![7; 10] }];
        batch.push(LogWrite::Entries { group: GROUP, entries });
        disk.append(batch).unwrap();
    }

    #[test]
    fn a_sync_covers_what_was_appended_when_it_began() {
        let disk = Disk::new();
        append(&disk, 1);
        let position = disk.appended();
        append(&disk, 2);
        disk.sync_to(position);
        let mut chance = Chance::new(1, Stream::Disk);
        while disk.log_range(GROUP).unwrap() == Some((1, 2)) {
            append(&disk, 2);
            disk.crash(Crash::Power, &mut chance);
        }
        assert_eq!(disk.log_range(GROUP), Ok(Some((1, 1))));
    }

    #[test]
    fn a_kill_loses_unflushed_keys_but_no_log() {
        let disk = Disk::new();
        append(&disk, 1);
        let mut batch = Batch::new();
        batch.put(b"key".to_vec(), b"value".to_vec());
        disk.write(batch).unwrap();
        let mut chance = Chance::new(3, Stream::Disk);
        disk.crash(Crash::Kill, &mut chance);
        assert_eq!(disk.log_range(GROUP), Ok(Some((1, 1))));
    }
}
