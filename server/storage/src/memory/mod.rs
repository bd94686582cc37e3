//! The in-memory engine: a disk that forgets exactly what a real one may forget.
//!
//! Simulations and tests run on it. A write is visible at once; `crash` takes back every write after the last
//! flush and every append after the last sync, or leaves a prefix of them, whole batch by whole batch, as a
//! disk does that had begun to write. Handles share one disk and survive its crash.
//!
//! A `Visit` may read the engine that it scans but must not write to it.

mod logs;
mod space;
#[cfg(test)]
mod tests;

use std::ops::Bound;
#[expect(
    clippy::disallowed_types,
    reason = "handles are cloned and sent; in a simulation nobody ever waits"
)]
use std::sync::RwLock;
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use types::GroupId;

use crate::engine::{StateName, Visit};
use crate::log;
use crate::{Batch, Direction, Engine, Error, LogBatch, LogEntry, Read, Room};

use logs::Logs;
use space::Space;

/// A handle on an in-memory disk; clones share it.
#[derive(Clone, Default)]
pub struct Memory {
    #[expect(clippy::disallowed_types, reason = "see the import")]
    disk: Arc<RwLock<Disk>>,
}

#[derive(Default)]
struct Disk {
    space: Space,
    /// The logs as they read.
    logs: Logs,
    /// The logs as the last sync left them.
    synced: Logs,
    /// What was appended since, oldest first.
    unsynced: Vec<LogBatch>,
    /// How many batches were ever appended.
    position: u64,
    /// Bytes appended since the last flush.
    unflushed_log_bytes: u64,
    /// What `is_pressed` says.
    pressed: bool,
    /// What `room` says.
    room: Option<Room>,
}

/// How much of what was not durable a crash leaves, beginning with the oldest: what a disk had happened to
/// write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Torn {
    /// Appended batches kept, of those not synced.
    pub log_batches: usize,
    /// Written batches kept, of those not flushed.
    pub write_batches: usize,
}

/// What would be lost in a crash that leaves nothing, or what a crash has taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Volatile {
    /// Appended batches.
    pub log_batches: usize,
    /// Bytes of entries and states in them.
    pub log_bytes: u64,
    /// Written batches.
    pub write_batches: usize,
}

impl Memory {
    /// An empty disk.
    pub fn new() -> Self {
        Memory::default()
    }

    /// Loses what was neither flushed nor synced, but for what `torn` keeps, and says what was lost.
    pub fn crash(&self, torn: Torn) -> Volatile {
        let mut disk = self.change();
        let kept = torn.log_batches.min(disk.unsynced.len());
        let mut unsynced = std::mem::take(&mut disk.unsynced);
        let lost = unsynced.split_off(kept);
        for batch in unsynced {
            disk.synced.apply(batch);
        }
        disk.logs = disk.synced.clone();
        disk.unflushed_log_bytes = disk.logs.bytes();
        Volatile {
            log_batches: lost.len(),
            log_bytes: lost.iter().map(log::bytes).sum(),
            write_batches: disk.space.revert(torn.write_batches),
        }
    }

    /// Sets what `is_pressed` says: memory by itself is never late.
    pub fn press(&self, pressed: bool) {
        self.change().pressed = pressed;
    }

    /// Sets what `room` says: memory by itself is without limit.
    pub fn limit(&self, room: Option<Room>) {
        self.change().room = room;
    }

    /// What a crash could take.
    pub fn volatile(&self) -> Volatile {
        let disk = self.state();
        Volatile {
            log_batches: disk.unsynced.len(),
            log_bytes: disk.unsynced.iter().map(log::bytes).sum(),
            write_batches: disk.space.unflushed_batches(),
        }
    }

    /// How many batches have been appended so far, for `sync_to`.
    pub fn appended(&self) -> u64 {
        self.state().position
    }

    /// Makes durable what had been appended when `appended` gave this position, and nothing later: a sync
    /// that began then and ends only now.
    pub fn sync_to(&self, position: u64) {
        let mut disk = self.change();
        let before = disk.position - disk.unsynced.len() as u64;
        let count = usize::try_from(position.saturating_sub(before)).unwrap_or(usize::MAX);
        let count = count.min(disk.unsynced.len());
        let batches: Vec<LogBatch> = disk.unsynced.drain(..count).collect();
        for batch in batches {
            disk.synced.apply(batch);
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, Disk> {
        self.disk.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Disk> {
        self.disk.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Memory {
    fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        Ok(look(self.state().space.get(key).map(Vec::as_slice)))
    }

    fn scan(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        self.state().space.scan(None, (from, to), direction, visit);
        Ok(())
    }
}

impl Engine for Memory {
    type Snapshot = Snapshot;

    fn snapshot(&self) -> Snapshot {
        Snapshot { number: self.change().space.begin_snapshot(), memory: self.clone() }
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        self.change().space.write(batch);
        Ok(())
    }

    fn flush(&self) -> Result<(), Error> {
        let mut disk = self.change();
        disk.space.flush();
        disk.unflushed_log_bytes = 0;
        Ok(())
    }

    fn append(&self, batch: LogBatch) -> Result<(), Error> {
        let mut disk = self.change();
        disk.logs.check(&batch)?;
        disk.unflushed_log_bytes += log::bytes(&batch);
        disk.logs.apply(batch.clone());
        disk.unsynced.push(batch);
        disk.position += 1;
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        self.sync_to(u64::MAX);
        Ok(())
    }

    fn entries(&self, group: GroupId, from: u64, to: u64, max_bytes: u64) -> Result<Vec<LogEntry>, Error> {
        self.state().logs.entries(group, from, to, max_bytes)
    }

    fn log_range(&self, group: GroupId) -> Result<Option<(u64, u64)>, Error> {
        Ok(self.state().logs.range(group))
    }

    fn state(&self, group: GroupId, name: StateName) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.state().logs.state(group, name))
    }

    fn groups(&self) -> Result<Vec<GroupId>, Error> {
        Ok(self.state().logs.groups())
    }

    fn is_pressed(&self) -> Result<bool, Error> {
        Ok(self.state().pressed)
    }

    fn bytes(&self, bounds: &crate::keys::Bounds) -> Result<u64, Error> {
        let mut bytes = 0;
        crate::engine::each(self, bounds, |key, value| {
            bytes += (key.len() + value.len()) as u64;
            Ok(true)
        })?;
        Ok(bytes)
    }

    fn room(&self) -> Result<Option<Room>, Error> {
        Ok(self.state().room)
    }

    fn log_bytes(&self) -> u64 {
        self.state().unflushed_log_bytes
    }
}

/// A view of the key space that later writes do not change.
pub struct Snapshot {
    memory: Memory,
    number: u64,
}

impl Read for Snapshot {
    fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        Ok(look(self.memory.state().space.get_at(self.number, key).map(Vec::as_slice)))
    }

    fn scan(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        self.memory.state().space.scan(Some(self.number), (from, to), direction, visit);
        Ok(())
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.memory.change().space.end_snapshot(self.number);
    }
}
