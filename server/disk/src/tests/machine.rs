//! A disk whose power can be cut: what was not synced is zeroed, garbled, cut short or damaged in its midst.

use std::fs;
use std::path::PathBuf;

use storage::Error;
use storage::memory::Torn;
use storage::testing::Machine;

use crate::Disk;

use super::open;

/// A disk in a folder of its own.
pub struct Powered {
    disk: Option<Disk>,
    folder: tempfile::TempDir,
    cuts: usize,
}

impl Powered {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Powered { disk: Some(open(folder.path())), folder, cuts: 0 }
    }

    fn newest_log_file(&self) -> PathBuf {
        let files = fs::read_dir(self.folder.path().join("log")).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|suffix| suffix == "raftlog")).max().unwrap()
    }
}

impl Machine for Powered {
    type Engine = Disk;

    fn engine(&self) -> &Disk {
        self.disk.as_ref().unwrap()
    }

    fn crash(&mut self, torn: Torn) -> Result<Torn, Error> {
        let disk = self.disk.take().unwrap();
        let synced = self.folder.path().join("SYNCED");
        let (durable, mut ends) = disk.log().ends();
        ends.retain(|end| *end > crate::log::HEADER_BYTES as u64);
        let kept = torn.log_batches.min(ends.len());
        // Dropping the disk syncs its log, which a crash does not: what is known to be durable is put back.
        let known = fs::read(&synced).unwrap();
        drop(disk);
        fs::write(&synced, known).unwrap();
        if kept < ends.len() {
            let begin = if kept == 0 { durable } else { ends[kept - 1] };
            let file = self.newest_log_file();
            let mut bytes = fs::read(&file).unwrap();
            damage(&mut bytes, begin as usize, ends[kept] as usize, self.cuts);
            fs::write(&file, bytes).unwrap();
        }
        self.cuts += 1;
        self.disk = Some(open(self.folder.path()));
        Ok(Torn { log_batches: kept, write_batches: 0 })
    }
}

/// Damages what lies beyond a point; the first batch there ends at `end`.
fn damage(bytes: &mut Vec<u8>, begin: usize, end: usize, way: usize) {
    match way % 4 {
        0 => bytes[begin..].fill(0),
        1 => bytes[begin..].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 31 + 7) as u8),
        2 => {
            bytes.truncate(end - 1);
            bytes.resize(end + 5000, 0);
        }
        // Later batches came to the disk before this one did.
        _ => bytes[(begin + end) / 2] ^= 0x40,
    }
}
