//! The log's files as raft-engine sees them, so that we can sync them ourselves and know how much is durable.
//!
//! A queue's files are written one after the other, and raft-engine syncs each when it ends; so only the
//! newest one of a queue can hold what is not durable.

use std::fmt;
use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use raft_engine::env::{DefaultFileSystem, FileSystem, Handle, Permission, WriteExt};

use super::synced::Synced;

type SystemFile = <DefaultFileSystem as FileSystem>::Handle;
type SystemReader = <DefaultFileSystem as FileSystem>::Reader;
type SystemWriter = <DefaultFileSystem as FileSystem>::Writer;

/// raft-engine's two sequences of files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Queue {
    /// What is appended.
    Append = 0,
    /// What recycling writes again, because it is old and still needed.
    Rewrite = 1,
}

impl Queue {
    fn suffix(self) -> &'static str {
        match self {
            Queue::Append => "raftlog",
            Queue::Rewrite => "rewrite",
        }
    }
}

/// The name of a log file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LogName {
    /// Its queue.
    pub queue: Queue,
    /// Its number in the queue; a later file has a greater one.
    pub number: u64,
}

impl LogName {
    /// The inverse of `fmt`; `None` when it is no log file's name.
    pub fn parse(name: &str) -> Option<LogName> {
        let (number, suffix) = name.split_once('.')?;
        let queue = [Queue::Append, Queue::Rewrite].into_iter().find(|queue| queue.suffix() == suffix)?;
        let named = LogName { queue, number: number.parse().ok()? };
        (named.to_string() == name).then_some(named)
    }

    fn of(path: &Path) -> Option<LogName> {
        LogName::parse(path.file_name()?.to_str()?)
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016}.{}", self.number, self.queue.suffix())
    }
}

/// The file system that raft-engine is given.
pub struct Files {
    system: DefaultFileSystem,
    synced: Arc<Synced>,
    /// The file that each queue writes to.
    newest: Mutex<[Option<Arc<LogFile>>; 2]>,
}

/// An open log file.
pub struct LogFile {
    file: Arc<SystemFile>,
    /// Absent for what raft-engine keeps under other names, for later use.
    name: Option<LogName>,
    /// Where the last write ended; 0 before the first since it was opened.
    written: AtomicU64,
    synced: Arc<Synced>,
    /// Where each write since the last sync ended.
    #[cfg(test)]
    ends: Mutex<Vec<u64>>,
}

impl LogFile {
    /// Syncs the file and notes how much of it is durable. Writes may go on meanwhile.
    fn sync(&self) -> Result<()> {
        let written = self.written.load(Ordering::Acquire);
        self.file.sync()?;
        #[cfg(test)]
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).retain(|end| *end > written);
        match self.name {
            Some(name) if written > 0 => self.synced.note(name, written),
            _ => Ok(()),
        }
    }
}

impl Files {
    /// A file system that notes in `synced` what is durable.
    pub fn new(synced: Synced) -> Self {
        Files { system: DefaultFileSystem, synced: Arc::new(synced), newest: Mutex::default() }
    }

    /// Makes durable what was written to a queue before this call.
    pub fn sync(&self, queue: Queue) -> Result<()> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner)[queue as usize].clone();
        newest.map_or(Ok(()), |file| file.sync())
    }

    /// The durable length of a queue's newest file, and where each later write ended.
    #[cfg(test)]
    pub fn ends(&self, queue: Queue) -> (u64, Vec<u64>) {
        let newest = self.newest.lock().unwrap()[queue as usize].clone().unwrap();
        let durable = self.synced.lengths()[queue as usize];
        let durable = durable.filter(|length| Some(length.number) == newest.name.map(|name| name.number));
        (durable.map_or(0, |length| length.bytes), newest.ends.lock().unwrap().clone())
    }

    /// A file just opened; if it is open for writing, it is its queue's newest.
    fn opened(&self, path: &Path, file: SystemFile, permission: Permission) -> OpenFile {
        let name = LogName::of(path);
        let file = Arc::new(LogFile {
            file: Arc::new(file),
            name,
            written: AtomicU64::new(0),
            synced: self.synced.clone(),
            #[cfg(test)]
            ends: Mutex::default(),
        });
        if let (Some(name), Permission::ReadWrite) = (name, permission) {
            self.newest.lock().unwrap_or_else(PoisonError::into_inner)[name.queue as usize] =
                Some(file.clone());
        }
        OpenFile(file)
    }
}

/// raft-engine's handle of a file.
pub struct OpenFile(Arc<LogFile>);

/// Reads a file.
pub struct FileReader(SystemReader);

/// Writes a file.
pub struct FileWriter {
    writer: SystemWriter,
    file: Arc<LogFile>,
}

impl FileSystem for Files {
    type Handle = OpenFile;
    type Reader = FileReader;
    type Writer = FileWriter;

    fn create<P: AsRef<Path>>(&self, path: P) -> Result<OpenFile> {
        let file = self.system.create(&path)?;
        Ok(self.opened(path.as_ref(), file, Permission::ReadWrite))
    }

    fn open<P: AsRef<Path>>(&self, path: P, permission: Permission) -> Result<OpenFile> {
        let file = self.system.open(&path, permission)?;
        Ok(self.opened(path.as_ref(), file, permission))
    }

    fn delete<P: AsRef<Path>>(&self, path: P) -> Result<()> {
        self.system.delete(path)
    }

    fn rename<P: AsRef<Path>>(&self, from: P, to: P) -> Result<()> {
        self.system.rename(from, to)
    }

    fn new_reader(&self, handle: Arc<OpenFile>) -> Result<FileReader> {
        self.system.new_reader(handle.0.file.clone()).map(FileReader)
    }

    fn new_writer(&self, handle: Arc<OpenFile>) -> Result<FileWriter> {
        let writer = self.system.new_writer(handle.0.file.clone())?;
        Ok(FileWriter { writer, file: handle.0.clone() })
    }
}

impl Handle for OpenFile {
    fn truncate(&self, offset: usize) -> Result<()> {
        self.0.file.truncate(offset)
    }

    fn file_size(&self) -> Result<usize> {
        self.0.file.file_size()
    }

    fn sync(&self) -> Result<()> {
        self.0.sync()
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.0.seek(to)
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let length = self.writer.write(bytes)?;
        let end = self.writer.stream_position()?;
        self.file.written.store(end, Ordering::Release);
        #[cfg(test)]
        self.file.ends.lock().unwrap_or_else(PoisonError::into_inner).push(end);
        Ok(length)
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }
}

impl Seek for FileWriter {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.writer.seek(to)
    }
}

impl WriteExt for FileWriter {
    fn truncate(&mut self, offset: usize) -> Result<()> {
        self.writer.truncate(offset)
    }

    fn allocate(&mut self, offset: usize, size: usize) -> Result<()> {
        self.writer.allocate(offset, size)
    }
}
