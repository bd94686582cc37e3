//! One disk used by several threads, and several disks by one.

use std::thread;

use storage::{Engine, Read};

use crate::{Disk, Error};

use super::{GROUP, append, entry, open, options, put};

#[test]
fn a_folder_in_use_is_refused_until_the_last_user_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    put(&disk, "key", "value");
    let snapshot = disk.snapshot();
    let refused = Disk::open(folder.path(), &options()).err().unwrap();
    assert!(matches!(refused, Error::Locked { .. }), "{refused}");
    drop(disk);
    assert!(matches!(Disk::open(folder.path(), &options()), Err(Error::Locked { .. })));
    assert_eq!(snapshot.get(b"key").unwrap(), Some(b"value".to_vec()));
    drop(snapshot);
    open(folder.path());
}

#[test]
fn one_thread_reads_logs_that_begin_alike() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let disks = folders.each_ref().map(|folder| open(folder.path()));
    let other = storage::LogEntry { data: vec![9; 10], ..entry(1, 10) };
    append(&disks[0], vec![entry(1, 10)]);
    append(&disks[1], vec![other.clone()]);
    assert_eq!(disks[0].entries(GROUP, 1, 2, 100).unwrap(), vec![entry(1, 10)]);
    assert_eq!(disks[1].entries(GROUP, 1, 2, 100).unwrap(), vec![other]);
    assert_eq!(disks[0].entries(GROUP, 1, 2, 100).unwrap(), vec![entry(1, 10)]);
}

#[test]
fn appends_and_syncs_go_on_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let small = crate::Options { log_file_bytes: 4096, ..options() };
    let disk = Disk::open(folder.path(), &small).unwrap();
    let syncing = disk.clone();
    let syncs = thread::spawn(move || (0..50).for_each(|_| syncing.sync().unwrap()));
    for index in 1..=200 {
        append(&disk, vec![entry(index, 100)]);
    }
    syncs.join().unwrap();
    disk.sync().unwrap();
    drop(disk);
    let disk = Disk::open(folder.path(), &small).unwrap();
    assert_eq!(disk.entries(GROUP, 1, 201, u64::MAX).unwrap().len(), 200);
}
