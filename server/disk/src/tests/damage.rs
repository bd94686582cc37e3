//! A byte that was durable once and is another today is refused, with its file's name.

use std::fs;
use std::path::{Path, PathBuf};

use storage::error::Fault;
use storage::{Batch, Engine, Read};
use tempfile::TempDir;

use crate::{Disk, Error};

use super::{append, entry, open, options, put};

/// A folder with something flushed and something synced, closed.
fn written() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let disk = open(folder.path());
    put(&disk, "key", "value");
    disk.flush().unwrap();
    append(&disk, vec![entry(1, 10), entry(2, 10)]);
    append(&disk, vec![entry(3, 10_000)]);
    disk.sync().unwrap();
    folder
}

fn refused(folder: &TempDir) -> Error {
    Disk::open(folder.path(), &options()).err().expect("it is refused")
}

fn log_file(folder: &TempDir) -> PathBuf {
    folder.path().join("log/0000000000000001.raftlog")
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 0x40;
    fs::write(file, bytes).unwrap();
}

#[test]
fn any_damaged_byte_of_the_log_is_refused_and_nothing_is_cut_off() {
    let folder = written();
    let file = log_file(&folder);
    let bytes = fs::read(&file).unwrap();
    for at in 0..bytes.len() {
        flip(&file, at);
        let damaged = fs::read(&file).unwrap();
        let error = crate::log::check_folder(folder.path()).expect_err("it is refused");
        assert!(
            matches!(&error, Error::DamagedLog { file: named, .. } if *named == file),
            "byte {at}: {error}"
        );
        assert_eq!(fs::read(&file).unwrap(), damaged);
        fs::write(&file, &bytes).unwrap();
    }
    flip(&file, bytes.len() / 2);
    let message = refused(&folder).to_string();
    assert!(message.contains("0000000000000001.raftlog is damaged at byte"), "{message}");
    assert!(message.contains("restore"), "{message}");
}

#[test]
fn a_log_that_lost_its_end_is_refused() {
    let folder = written();
    let file = log_file(&folder);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(refused(&folder), Error::ShortLog { synced, .. } if synced == bytes.len() as u64));
    fs::remove_file(&file).unwrap();
    assert!(matches!(refused(&folder), Error::ShortLog { found: 0, .. }));
    fs::write(&file, &bytes).unwrap();
    open(folder.path());
}

#[test]
fn a_damaged_table_is_met_when_it_is_read_and_closes_the_disk() {
    let folder = written();
    let files = fs::read_dir(folder.path().join("db")).unwrap().map(|entry| entry.unwrap().path());
    let table = files.filter(|path| path.extension().is_some_and(|suffix| suffix == "sst")).max().unwrap();
    flip(&table, 2);
    let disk = open(folder.path());
    let corrupt = storage::Error::Corrupt { what: "database", fault: Fault::Checksum };
    assert_eq!(disk.get(b"key"), Err(corrupt.clone()));
    assert_eq!(disk.write(Batch::new()), Err(corrupt.clone()));
    assert_eq!(disk.sync(), Err(corrupt));
}

#[test]
fn a_damaged_manifest_is_refused() {
    let folder = written();
    let files = fs::read_dir(folder.path().join("db")).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("MANIFEST");
    flip(&files.filter(named).max().unwrap(), 20);
    let error = refused(&folder);
    assert!(matches!(error, Error::Database { .. }), "{error}");
    assert!(error.to_string().contains("restore"), "{error}");
}

#[test]
fn a_wrong_request_does_not_close_the_disk() {
    let folder = written();
    let disk = open(folder.path());
    let missing = disk.entries(super::GROUP, 1, 9, 100);
    assert!(matches!(missing, Err(storage::Error::Missing { .. })));
    append(&disk, vec![entry(4, 1)]);
    disk.sync().unwrap();
}
