//! The logs of all groups in raft-engine, which writes them to one sequence of files with one sync.
//!
//! Four things that raft-engine leaves to its user are done here:
//! - Its own sync waits in the queue of writers, and without an entry to write does nothing at all. So `sync`
//!   goes to the file itself (`files`), and appends go on meanwhile.
//! - It silently cuts the newest file at the first byte it cannot read, and takes what is left as durable
//!   when it may not be. So `check` reads all files before it does, tells a write that the crash cut short
//!   from damage to what was durable (`synced`), and syncs the rest.
//! - Recycling may lose the mark of a compaction, so that old entries come back at the next start. So the
//!   mark is kept as a value beside the log, and repeated when it is opened.
//! - It panics at a gap. So appends are checked first, by the same rules as in memory.

mod check;
mod entry;
mod files;
mod reader;
mod synced;

use std::path::PathBuf;
use std::sync::Arc;

use raft_engine::{Command, Config, Engine, ReadableSize, RecoveryMode};
use storage::engine::StateName;
use storage::error::Fault;
use storage::log::{Extent, Extents, LogWrite};
use storage::{Error, LogBatch, LogEntry};
use types::GroupId;

use crate::Options;
use crate::folder::{Folder, sync_folder};

use entry::Entries;
use files::{Files, Queue};
use reader::Reader;
use synced::Synced;

#[cfg(test)]
pub use check::HEADER_BYTES;

/// The value that keeps the first index not compacted, above every `StateName`.
const COMPACTED: u8 = 0xff;

/// The logs of one disk.
pub struct Log {
    engine: Engine<Files>,
    files: Arc<Files>,
    reader: Reader,
    found_bytes: u64,
}

impl Log {
    /// Checks the log files of a data folder and opens them, or makes the first.
    pub fn open(folder: &Folder, options: &Options) -> Result<Log, crate::Error> {
        let path = folder.join("log");
        std::fs::create_dir_all(&path).map_err(crate::Error::system("create", &path))?;
        let synced = Synced::open(&folder.join("SYNCED"))?;
        let found_bytes = check::check(&path, &synced)?;
        let files = Arc::new(Files::new(synced));
        let engine = Engine::open_with_file_system(config(path.clone(), options)?, files.clone())
            .map_err(|source| crate::Error::Log { folder: path.clone(), source })?;
        let log = Log { engine, files, reader: Reader::new(), found_bytes };
        log.repeat_compactions().map_err(|source| crate::Error::Log { folder: path.clone(), source })?;
        log.files.sync(Queue::Append).map_err(crate::Error::system("sync", &path))?;
        // raft-engine does not sync the name of its first file.
        sync_folder(&path)?;
        Ok(log)
    }

    /// Bytes of log that the start found.
    pub fn found_bytes(&self) -> u64 {
        self.found_bytes
    }

    /// Appends a batch, whole or not at all.
    pub fn append(&self, batch: LogBatch) -> Result<(), Error> {
        let mut extents = Extents::new(|group| self.extent(group));
        let mut out = raft_engine::LogBatch::with_capacity(batch.writes().len());
        for write in batch.into_writes() {
            let extent = extents.step(&write)?;
            add(&mut out, write, extent).map_err(|error| failed("append", &error))?;
        }
        self.engine.write(&mut out, false).map_err(|error| failed("append", &error))?;
        Ok(())
    }

    /// Makes everything appended so far durable.
    pub fn sync(&self) -> Result<(), Error> {
        self.files.sync(Queue::Append).map_err(|error| {
            tracing::error!(%error, "the raft log cannot be synced");
            Error::Failed { operation: "sync", kind: error.kind() }
        })
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
        let range = self.extent(group)?.range();
        if !range.is_some_and(|(first, last)| first <= from && to - 1 <= last) {
            return Err(Error::Missing { group, from, to });
        }
        // raft-engine counts encoded bytes, of which there are a few more than we count: ask again for the
        // rest.
        let (mut entries, mut left) = (Vec::new(), max_bytes);
        loop {
            let next = from + entries.len() as u64;
            for entry in self.fetch(group, next, to, left)? {
                let bytes = entry.data.len() as u64;
                if bytes > left && !entries.is_empty() {
                    return Ok(entries);
                }
                left = left.saturating_sub(bytes);
                entries.push(entry);
            }
            if from + entries.len() as u64 == to {
                return Ok(entries);
            }
        }
    }

    /// Where a group's log begins and ends.
    pub fn extent(&self, group: GroupId) -> Result<Extent, Error> {
        let compacted = match self.engine.get(group.0, &[COMPACTED]) {
            None => 0,
            Some(bytes) => compacted_index(&bytes)?,
        };
        Ok(match (self.engine.first_index(group.0), self.engine.last_index(group.0)) {
            (Some(first), Some(last)) if last >= compacted => {
                Extent { first: first.max(compacted), next: last + 1 }
            }
            _ => Extent { first: compacted, next: compacted },
        })
    }

    /// A state.
    pub fn state(&self, group: GroupId, name: StateName) -> Option<Vec<u8>> {
        self.engine.get(group.0, &[name as u8])
    }

    /// The groups that have a state or an entry, in order.
    pub fn groups(&self) -> Result<Vec<GroupId>, Error> {
        let mut groups = Vec::new();
        for group in self.engine.raft_groups() {
            let mut has_state = false;
            let found = |_: &[u8], _: &[u8]| {
                has_state = true;
                false
            };
            let states = self.engine.scan_raw_messages(group, None, Some(&[COMPACTED]), false, found);
            states.map_err(|error| failed("list", &error))?;
            if has_state || self.extent(GroupId(group))?.range().is_some() {
                groups.push(GroupId(group));
            }
        }
        groups.sort();
        Ok(groups)
    }

    /// Recycles files whose entries were compacted, and names the groups that keep old files alive.
    pub fn recycle(&self) -> Result<Vec<GroupId>, Error> {
        let groups = self.reader.read(|| self.engine.purge_expired_files());
        Ok(groups.map_err(|error| failed("recycle", &error))?.into_iter().map(GroupId).collect())
    }

    fn fetch(&self, group: GroupId, from: u64, to: u64, max_bytes: u64) -> Result<Vec<LogEntry>, Error> {
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let mut entries = Vec::new();
        self.reader
            .read(|| {
                self.engine.fetch_entries_to::<Entries>(group.0, from, to, Some(max_bytes), &mut entries)
            })
            .map_err(|error| failed("read", &error))?;
        entries.into_iter().map(|entry| entry::decode(entry.get_value())).collect()
    }

    /// Compacts again what was compacted before; a start that follows a crash may have brought it back.
    fn repeat_compactions(&self) -> Result<(), raft_engine::Error> {
        let mut batch = raft_engine::LogBatch::default();
        for group in self.engine.raft_groups() {
            let compacted =
                self.engine.get(group, &[COMPACTED]).and_then(|bytes| compacted_index(&bytes).ok());
            if let (Some(index), Some(first)) = (compacted, self.engine.first_index(group))
                && first < index
            {
                batch.add_command(group, Command::Compact { index });
            }
        }
        self.engine.write(&mut batch, false).map(drop)
    }

    /// The durable length of the newest file, and the end of each batch appended after it.
    #[cfg(test)]
    pub fn ends(&self) -> (u64, Vec<u64>) {
        self.files.ends(Queue::Append)
    }

    /// Begins a file, as when one is full, and recycles what it can.
    #[cfg(test)]
    pub fn turn_over(&self) {
        self.reader.read(|| self.engine.purge_manager().must_rewrite_append_queue(None, None));
    }
}

fn config(folder: PathBuf, options: &Options) -> Result<Config, crate::Error> {
    let text = folder.to_str().map(str::to_owned);
    Ok(Config {
        dir: text.ok_or(crate::Error::Path { folder })?,
        // Only the newest file may end in a batch that a crash cut short, and `check` has cut that off.
        recovery_mode: RecoveryMode::AbsoluteConsistency,
        recovery_threads: 2,
        target_file_size: ReadableSize(options.log_file_bytes),
        purge_threshold: ReadableSize(options.log_files_bytes_max.max(options.log_file_bytes)),
        ..Config::default()
    })
}

/// Adds a step that leaves its log with this extent.
fn add(out: &mut raft_engine::LogBatch, write: LogWrite, extent: Extent) -> Result<(), raft_engine::Error> {
    match write {
        LogWrite::Entries { group, entries } => {
            let entries: Vec<_> = entries.iter().map(entry::encode).collect();
            out.add_entries::<Entries>(group.0, &entries)
        }
        LogWrite::State { group, name, value } => out.put(group.0, vec![name as u8], value),
        LogWrite::Compact { group, .. } => {
            out.add_command(group.0, Command::Compact { index: extent.first });
            out.put(group.0, vec![COMPACTED], extent.first.to_be_bytes().to_vec())
        }
        LogWrite::Remove { group } => {
            out.add_command(group.0, Command::Clean);
            Ok(())
        }
    }
}

/// Checks the log of a data folder that nobody has open.
#[cfg(test)]
pub fn check_folder(data: &std::path::Path) -> Result<u64, crate::Error> {
    check::check(&data.join("log"), &Synced::open(&data.join("SYNCED"))?)
}

fn compacted_index(bytes: &[u8]) -> Result<u64, Error> {
    let bytes = bytes.try_into();
    bytes.map(u64::from_be_bytes).map_err(|_| Error::Corrupt { what: "compaction", fault: Fault::Truncated })
}

/// raft-engine's error as ours. Its text goes to the log, since ours cannot hold it.
fn failed(operation: &'static str, error: &raft_engine::Error) -> Error {
    tracing::error!(operation, %error, "the raft log failed");
    match error {
        raft_engine::Error::Io(error) => Error::Failed { operation, kind: error.kind() },
        raft_engine::Error::Corruption(_)
        | raft_engine::Error::Codec(_)
        | raft_engine::Error::Protobuf(_) => Error::Corrupt { what: "raft log", fault: Fault::Checksum },
        _ => Error::Failed { operation, kind: std::io::ErrorKind::Other },
    }
}
