//! The disk as a whole: it behaves as the in-memory engine does, and refuses what is damaged.

mod conformance;
mod damage;
mod machine;
mod recycling;
mod use_at_once;

use std::path::Path;

use storage::log::LogWrite;
use storage::{Batch, Engine, LogBatch, LogEntry};
use types::GroupId;

use crate::{Budget, Disk, Options};

const GROUP: GroupId = GroupId(1);

fn options() -> Options {
    Options::new(Budget::new(0), 4096)
}

fn open(folder: &Path) -> Disk {
    Disk::open(folder, &options()).unwrap()
}

fn put(disk: &Disk, key: &str, value: &str) {
    let mut batch = Batch::new();
    batch.put(key.into(), value.into());
    disk.write(batch).unwrap();
}

fn entry(index: u64, bytes: usize) -> LogEntry {
    LogEntry { index, term: 1, data: vec![index as u8; bytes] }
}

fn append(disk: &Disk, entries: Vec<LogEntry>) {
    let mut batch = LogBatch::new();
    batch.push(LogWrite::Entries { group: GROUP, entries });
    disk.append(batch).unwrap();
}

fn compact(disk: &Disk, group: GroupId, to: u64) {
    let mut batch = LogBatch::new();
    batch.push(LogWrite::Compact { group, to });
    disk.append(batch).unwrap();
}
