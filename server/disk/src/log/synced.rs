//! How much of the newest log files certainly is durable, kept in the file `SYNCED`.
//!
//! The file is written after each sync of the log and not synced itself: after a power cut it may be old, but
//! each line it ever had was true when written and stays true, since logs only grow. So a batch that ends
//! within it and does not read back was damaged, while one beyond it may just have been cut short. Tests that
//! cut the power damage whatever lies beyond.
//!
//! A line for each queue: name of its newest file, a space, its durable bytes in 20 digits, a space, the
//! crc32 of the line so far in 8 hexadecimal digits.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::files::{LogName, Queue};

/// The durable length of the newest file of each queue, that has one.
pub type Lengths = [Option<Length>; 2];

/// A file and how much of it is durable; older files are so to their end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Length {
    /// The file's number in its queue.
    pub number: u64,
    /// Bytes.
    pub bytes: u64,
}

const LINE_BYTES: usize = 24 + 1 + 20 + 1 + 8 + 1;

/// The open file.
pub struct Synced {
    file: File,
    lengths: Mutex<Lengths>,
}

impl Synced {
    /// Opens the file, or makes it; a line that does not read says nothing.
    pub fn open(path: &Path) -> Result<Self, crate::Error> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(crate::Error::system("open", path))?;
        let text = std::fs::read(path).map_err(crate::Error::system("read", path))?;
        Ok(Synced { file, lengths: Mutex::new(parse(&text)) })
    }

    /// What is known to be durable.
    pub fn lengths(&self) -> Lengths {
        *self.lengths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a file is durable up to a length.
    pub fn note(&self, name: LogName, bytes: u64) -> io::Result<()> {
        let length = Some(Length { number: name.number, bytes });
        let mut lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        let place = name.queue as usize;
        if lengths[place] < length {
            lengths[place] = length;
            self.file.write_all_at(line(name, bytes).as_bytes(), (place * LINE_BYTES) as u64)?;
        }
        Ok(())
    }
}

fn line(name: LogName, bytes: u64) -> String {
    let text = format!("{name} {bytes:020}");
    let checksum = crc32fast::hash(text.as_bytes());
    format!("{text} {checksum:08x}\n")
}

fn parse(text: &[u8]) -> Lengths {
    let mut lengths = Lengths::default();
    for (queue, found) in [Queue::Append, Queue::Rewrite].into_iter().zip(text.chunks(LINE_BYTES)) {
        let parts = std::str::from_utf8(found).ok().and_then(|found| found.split_once(' '));
        let parts =
            parts.and_then(|(name, rest)| Some((LogName::parse(name)?, rest.get(..20)?.parse().ok()?)));
        if let Some((name, bytes)) = parts
            && name.queue == queue
            && line(name, bytes).as_bytes() == found
        {
            lengths[queue as usize] = Some(Length { number: name.number, bytes });
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(queue: Queue, number: u64) -> LogName {
        LogName { queue, number }
    }

    #[test]
    fn lengths_grow_and_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("SYNCED");
        let synced = Synced::open(&path).unwrap();
        assert_eq!(synced.lengths(), [None, None]);
        synced.note(name(Queue::Append, 7), 1000).unwrap();
        synced.note(name(Queue::Append, 7), 900).unwrap();
        synced.note(name(Queue::Append, 6), 5000).unwrap();
        assert_eq!(Synced::open(&path).unwrap().lengths(), [Some(Length { number: 7, bytes: 1000 }), None]);
        synced.note(name(Queue::Rewrite, 1), 64).unwrap();
        synced.note(name(Queue::Append, 8), 10).unwrap();
        let both = [Some(Length { number: 8, bytes: 10 }), Some(Length { number: 1, bytes: 64 })];
        assert_eq!(Synced::open(&path).unwrap().lengths(), both);
    }

    #[test]
    fn a_line_that_was_not_written_whole_says_nothing() {
        let whole = line(name(Queue::Append, 7), 1000);
        assert_eq!(whole.len(), LINE_BYTES);
        assert_eq!(parse(whole.as_bytes())[0], Some(Length { number: 7, bytes: 1000 }));
        for at in 0..whole.len() {
            let mut damaged = whole.clone().into_bytes();
            damaged[at] ^= 1;
            assert_eq!(parse(&damaged), [None, None], "byte {at}");
            assert_eq!(parse(&whole.as_bytes()[..at]), [None, None], "length {at}");
        }
    }

    #[test]
    fn the_fixture_still_reads() {
        let fixture = include_str!("../../fixtures/SYNCED");
        let both = [Some(Length { number: 7, bytes: 1000 }), Some(Length { number: 2, bytes: 64 })];
        assert_eq!(parse(fixture.as_bytes()), both);
        let lines = [line(name(Queue::Append, 7), 1000), line(name(Queue::Rewrite, 2), 64)];
        assert_eq!(fixture, lines.concat());
    }
}
