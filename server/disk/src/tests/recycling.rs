//! Files that fill up, are compacted, recycled and opened again, many times over.

use std::path::Path;

use storage::log::LogWrite;
use storage::{Engine, LogBatch};
use types::GroupId;

use crate::{Disk, Options};

use super::{GROUP, append, compact, entry, open, options};

fn open_with_small_files(folder: &Path) -> Disk {
    Disk::open(folder, &Options { log_file_bytes: 4096, log_files_bytes_max: 4 * 4096, ..options() }).unwrap()
}

fn log_files(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("log")).unwrap().count()
}

#[test]
fn a_log_of_many_files_survives_restarts_and_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = GroupId(7);
    let (mut next, mut first) = (1, 1);
    for round in 0..10 {
        let disk = open_with_small_files(folder.path());
        if round == 0 {
            let mut batch = LogBatch::new();
            batch.push(LogWrite::Entries { group: quiet, entries: vec![entry(5, 10), entry(6, 10)] });
            disk.append(batch).unwrap();
        } else {
            assert_eq!(disk.log_range(GROUP).unwrap(), Some((first, next - 1)), "round {round}");
            let entries = disk.entries(GROUP, first, next, u64::MAX).unwrap();
            assert!(entries.iter().all(|found| *found == entry(found.index, 500)));
            assert_eq!(disk.entries(quiet, 5, 7, 100).unwrap(), vec![entry(5, 10), entry(6, 10)]);
        }
        for _ in 0..40 {
            append(&disk, vec![entry(next, 500)]);
            next += 1;
        }
        disk.sync().unwrap();
        first = next - 5;
        compact(&disk, GROUP, first);
        disk.maintain().unwrap();
        disk.sync().unwrap();
    }
    assert!(log_files(folder.path()) < 30, "{} files", log_files(folder.path()));
}

#[test]
fn what_was_compacted_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    append(&disk, (1..=10).map(|index| entry(index, 10)).collect());
    // The entries move to the other queue, and the file that holds the compaction goes.
    disk.log().turn_over();
    compact(&disk, GROUP, 8);
    disk.log().turn_over();
    disk.sync().unwrap();
    drop(disk);
    let disk = open(folder.path());
    assert_eq!(disk.log_range(GROUP).unwrap(), Some((8, 10)));
    compact(&disk, GROUP, 20);
    disk.log().turn_over();
    disk.sync().unwrap();
    drop(disk);
    let disk = open(folder.path());
    assert_eq!(disk.log_range(GROUP).unwrap(), None);
    let mut early = LogBatch::new();
    early.push(LogWrite::Entries { group: GROUP, entries: vec![entry(19, 1)] });
    assert!(matches!(disk.append(early), Err(storage::Error::Discontinuous { first: 20, .. })));
    append(&disk, vec![entry(20, 1)]);
    disk.sync().unwrap();
    drop(disk);
    assert_eq!(open(folder.path()).log_range(GROUP).unwrap(), Some((20, 20)));
}

#[test]
fn what_was_removed_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    append(&disk, (1..=10).map(|index| entry(index, 10)).collect());
    disk.log().turn_over();
    let mut batch = LogBatch::new();
    batch.push(LogWrite::Remove { group: GROUP });
    disk.append(batch).unwrap();
    disk.log().turn_over();
    disk.sync().unwrap();
    drop(disk);
    let disk = open(folder.path());
    assert_eq!(disk.groups().unwrap(), vec![]);
    append(&disk, vec![entry(3, 10)]);
    disk.log().turn_over();
    disk.sync().unwrap();
    drop(disk);
    assert_eq!(open(folder.path()).log_range(GROUP).unwrap(), Some((3, 3)));
}
