//! A power cut, made after the fact: what a killed process had written to its logs and not synced is lost.
//!
//! A killed process loses nothing that it handed to the kernel, so the disk is made to look as a power cut
//! would leave it. The file `SYNCED` in the data folder names, for each kind of log file, the newest one and
//! how much of it is durable; the server wrote it after each sync and before it acknowledged anything. Older
//! files are durable to their end, and of a newer one nothing is.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::chance::Chance;

/// Cuts the power of a data folder whose server was killed; tells how many written bytes were lost or
/// garbled.
pub fn cut(data: &Path, chance: &mut Chance) -> u64 {
    let synced = fs::read_to_string(data.join("SYNCED")).expect("a server that ran left SYNCED behind");
    let mut lost = 0;
    for entry in fs::read_dir(data.join("log")).expect("a server that ran left its logs behind") {
        let path = entry.expect("a folder being read stays readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("log files have plain names");
        if let Some(durable) = durable(name, &synced) {
            lost += damage(&path, durable, chance);
        }
    }
    lost
}

/// How many bytes of a file are durable; `None` when all are, or when it is no log file in use.
fn durable(name: &str, synced: &str) -> Option<u64> {
    let (number, kind) = name.split_once('.')?;
    let number: u64 = number.parse().ok()?;
    let newest = synced.lines().find_map(|line| {
        let (file, rest) = line.split_once(' ')?;
        let (newest, newest_kind) = file.split_once('.')?;
        let bytes: u64 = rest.split(' ').next()?.parse().ok()?;
        (newest_kind == kind).then_some((newest.parse::<u64>().ok()?, bytes))
    });
    match newest {
        Some((newest, bytes)) if newest == number => Some(bytes),
        Some((newest, _)) if newest > number => None,
        _ => Some(0),
    }
}

/// Loses what is not durable in one of the ways of disks; tells how many written bytes it held.
fn damage(path: &Path, durable: u64, chance: &mut Chance) -> u64 {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("a log file can be opened");
    let length = file.metadata().expect("an open file has a length").len();
    if length <= durable {
        return 0;
    }
    let mut tail = vec![0; (length - durable) as usize];
    file.read_exact_at(&mut tail, durable).expect("a file can be read up to its length");
    // Files are allocated ahead: zeros at the end were never written.
    let written = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if written == 0 {
        return 0;
    }
    match chance.below(4) {
        0 => file.set_len(durable).expect("a file can be cut"),
        1 => file.write_all_at(&vec![0; written], durable).expect("a file can be written"),
        2 => file.write_all_at(&chance.bytes(written), durable).expect("a file can be written"),
        // A part reached the disk, from a random byte on nothing did.
        _ => {
            let kept = chance.below(written);
            file.write_all_at(&vec![0; written - kept], durable + kept as u64)
                .expect("a file can be written");
        }
    }
    written as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNCED: &str = "0000000000000007.raftlog 00000000000000001000 d23c3f1b\n\
                          0000000000000002.rewrite 00000000000000000064 7c7e6a5d\n";

    #[test]
    fn only_the_newest_files_have_anything_to_lose() {
        assert_eq!(durable("0000000000000006.raftlog", SYNCED), None);
        assert_eq!(durable("0000000000000007.raftlog", SYNCED), Some(1000));
        assert_eq!(durable("0000000000000008.raftlog", SYNCED), Some(0));
        assert_eq!(durable("0000000000000002.rewrite", SYNCED), Some(64));
        assert_eq!(durable("0000000000000001.raftlog", ""), Some(0));
        assert_eq!(durable("LOCK", SYNCED), None);
    }

    #[test]
    fn what_is_durable_stays_and_the_rest_does_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        fs::write(folder.path().join("SYNCED"), SYNCED).unwrap();
        let path = folder.path().join("log/0000000000000007.raftlog");
        let mut whole = vec![7; 1500];
        whole.resize(2000, 0);
        let mut chance = Chance::of_this_run();
        for _ in 0..50 {
            fs::write(&path, &whole).unwrap();
            assert_eq!(cut(folder.path(), &mut chance), 500);
            let left = fs::read(&path).unwrap();
            assert_eq!(left[..1000], whole[..1000]);
            assert_ne!(left, whole);
        }
    }
}
