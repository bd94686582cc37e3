//! `Disk`: the real `Engine`, and the rule that the first failure is the last thing it does.

use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use storage::engine::{StateName, Visit};
use storage::{Batch, Direction, Engine, Error, LogBatch, LogEntry, Read, Room};
use types::{GroupId, limits};

use crate::folder::Folder;
use crate::log::Log;
use crate::room;
use crate::space::{Budget, Space, View};

/// How to open a disk.
#[derive(Clone)]
pub struct Options {
    /// Memory for block cache and write buffers, shared by the disks that are given clones of it.
    pub budget: Budget,
    /// Memory for values that were read lately, of this disk alone.
    pub recent_bytes: usize,
    /// Bytes of one log file.
    pub log_file_bytes: u64,
    /// Bytes of log files above which compacted ones are recycled; at least one file's.
    pub log_files_bytes_max: u64,
    /// Bytes to keep free; `None` is a part of what the file system holds.
    pub reserve_bytes: Option<u64>,
}

impl Options {
    /// The usual sizes, with this budget and room for values that were read lately.
    pub fn new(budget: Budget, recent_bytes: usize) -> Self {
        Options {
            budget,
            recent_bytes,
            log_file_bytes: limits::LOG_FILE_BYTES,
            log_files_bytes_max: limits::LOG_FILES_BYTES_MAX,
            reserve_bytes: None,
        }
    }
}

/// A handle on a data folder; the folder is let go when the last handle and snapshot are dropped.
#[derive(Clone)]
pub struct Disk {
    shared: Arc<Shared>,
}

struct Shared {
    space: Space,
    log: Log,
    /// Bytes appended since the last flush.
    unflushed_log_bytes: AtomicU64,
    /// The first failure; whatever is tried later fails with it.
    failure: OnceLock<Error>,
    reserve_bytes: Option<u64>,
    /// Dropped last, when nothing uses the folder any more.
    folder: Arc<Folder>,
}

/// A view of the key space that later writes do not change.
pub struct Snapshot {
    view: View,
    _folder: Arc<Folder>,
}

impl Disk {
    /// Opens a data folder, or makes one.
    ///
    /// Refuses a folder that is in use, not ours, of a later format, or damaged where it was durable.
    pub fn open(path: &Path, options: &Options) -> Result<Disk, crate::Error> {
        let folder = Folder::open(path)?;
        let space = Space::open(&folder.join("db"), &options.budget, options.recent_bytes)?;
        let log = Log::open(&folder, options)?;
        folder.sync()?;
        Ok(Disk {
            shared: Arc::new(Shared {
                space,
                unflushed_log_bytes: AtomicU64::new(log.found_bytes()),
                log,
                failure: OnceLock::new(),
                reserve_bytes: options.reserve_bytes,
                folder: Arc::new(folder),
            }),
        })
    }

    /// Recycles log files whose entries were compacted. Called now and then from a thread that may wait;
    /// names the groups whose old entries keep files alive: they should be flushed and compacted.
    pub fn maintain(&self) -> Result<Vec<GroupId>, Error> {
        self.attempt(|shared| shared.log.recycle())
    }

    /// Does something unless something failed before, and remembers if it fails.
    fn attempt<T>(&self, act: impl FnOnce(&Shared) -> Result<T, Error>) -> Result<T, Error> {
        let shared = &*self.shared;
        if let Some(failure) = shared.failure.get() {
            return Err(failure.clone());
        }
        act(shared).inspect_err(|error| {
            if !is_refusal(error) {
                shared.failure.get_or_init(|| error.clone());
            }
        })
    }

    #[cfg(test)]
    pub(crate) fn log(&self) -> &Log {
        &self.shared.log
    }
}

/// Whether the caller asked for what cannot be, so that nothing was tried.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Missing { .. } | Error::Discontinuous { .. })
}

impl Read for Disk {
    fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        self.attempt(|shared| shared.space.look(key, look))
    }

    fn scan(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        self.attempt(|shared| shared.space.scan((from, to), direction, visit))
    }
}

impl Engine for Disk {
    type Snapshot = Snapshot;

    fn snapshot(&self) -> Snapshot {
        Snapshot { view: self.shared.space.view(), _folder: self.shared.folder.clone() }
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        self.attempt(|shared| shared.space.write(batch))
    }

    fn flush(&self) -> Result<(), Error> {
        self.attempt(|shared| {
            let covered = shared.unflushed_log_bytes.load(Ordering::Acquire);
            shared.space.flush()?;
            // What was appended meanwhile is not covered, and another flush may have counted this already.
            let rest = |bytes: u64| Some(bytes.saturating_sub(covered));
            let _ = shared.unflushed_log_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, rest);
            Ok(())
        })
    }

    fn append(&self, batch: LogBatch) -> Result<(), Error> {
        self.attempt(|shared| {
            let bytes = storage::log::bytes(&batch);
            shared.log.append(batch)?;
            shared.unflushed_log_bytes.fetch_add(bytes, Ordering::AcqRel);
            Ok(())
        })
    }

    fn sync(&self) -> Result<(), Error> {
        self.attempt(|shared| shared.log.sync())
    }

    fn entries(&self, group: GroupId, from: u64, to: u64, max_bytes: u64) -> Result<Vec<LogEntry>, Error> {
        self.attempt(|shared| shared.log.entries(group, from, to, max_bytes))
    }

    fn log_range(&self, group: GroupId) -> Result<Option<(u64, u64)>, Error> {
        self.attempt(|shared| Ok(shared.log.extent(group)?.range()))
    }

    fn state(&self, group: GroupId, name: StateName) -> Result<Option<Vec<u8>>, Error> {
        self.attempt(|shared| Ok(shared.log.state(group, name)))
    }

    fn groups(&self) -> Result<Vec<GroupId>, Error> {
        self.attempt(|shared| shared.log.groups())
    }

    fn is_pressed(&self) -> Result<bool, Error> {
        self.attempt(|shared| shared.space.is_pressed())
    }

    fn bytes(&self, bounds: &storage::keys::Bounds) -> Result<u64, Error> {
        Ok(self.shared.space.bytes(bounds))
    }

    fn room(&self) -> Result<Option<Room>, Error> {
        self.attempt(|shared| {
            let failed =
                |error: std::io::Error| Error::Failed { operation: "look for room", kind: error.kind() };
            room::look(shared.folder.path(), shared.reserve_bytes).map(Some).map_err(failed)
        })
    }

    fn log_bytes(&self) -> u64 {
        self.shared.unflushed_log_bytes.load(Ordering::Acquire)
    }
}

impl Read for Snapshot {
    fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        self.view.look(key, look)
    }

    fn scan(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        self.view.scan((from, to), direction, visit)
    }
}
