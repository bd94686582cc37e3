//! Reads every log file before raft-engine does, and refuses damage to what was durable.
//!
//! The newest file of a queue may end in batches that a crash cut short: they were never synced, nobody was
//! told of them, and they are cut off here. Any other byte that does not read back was durable once.
//! raft-engine itself would cut the newest file at either, and verifies entries only when they are asked for.
//!
//! A file is a header of 69 bytes and then batches (raft-engine 0.4, its format 2): length and compression in
//! 8 bytes, the footer's place in 8, entries with their crc32 if there are any, a footer with its crc32,
//! which is combined with the file's number so that a recycled file's old batches do not count.

use std::fs::{self, OpenOptions};
use std::path::Path;

use super::files::{LogName, Queue};
use super::synced::{Length, Synced};
use crate::Error;
use crate::folder::sync_folder;

const MAGIC: &[u8] = b"RAFT-LOG-FILE-HEADER-9986AB3E47F320B394C8E84916EB0ED5";
const VERSION: u64 = 2;
/// A file's header.
pub const HEADER_BYTES: usize = MAGIC.len() + 8 + 8;
const BATCH_HEADER_BYTES: usize = 16;
const CHECKSUM_BYTES: usize = 4;
/// 0 is none, 1 is LZ4.
const COMPRESSION_MAX: u8 = 1;

/// Checks the log files in a folder against what is known to be durable, cuts off what a crash cut short,
/// makes the rest durable, and gives its bytes.
///
/// The rest may never have been synced: a process that was killed leaves it to the system. Raft takes what it
/// finds in its log as durable, so it must be before raft finds it.
pub fn check(folder: &Path, synced: &Synced) -> Result<u64, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::system("list", folder))? {
        let name = entry.map_err(Error::system("list", folder))?.file_name();
        names.extend(name.to_str().and_then(LogName::parse));
    }
    names.sort();
    let mut bytes = 0;
    for queue in [Queue::Append, Queue::Rewrite] {
        let names: Vec<LogName> = names.iter().copied().filter(|name| name.queue == queue).collect();
        bytes += check_queue(folder, queue, &names, synced)?;
    }
    Ok(bytes)
}

fn check_queue(folder: &Path, queue: Queue, names: &[LogName], synced: &Synced) -> Result<u64, Error> {
    let newest = names.last().copied();
    let durable = synced.lengths()[queue as usize];
    if let Some(Length { number, bytes: synced }) = durable
        && newest.is_none_or(|newest| newest.number < number)
    {
        let file = folder.join(LogName { queue, number }.to_string());
        return Err(Error::ShortLog { file, found: 0, synced });
    }
    let mut total = 0;
    for name in contiguous(names) {
        let file = folder.join(name.to_string());
        let contents = fs::read(&file).map_err(Error::system("read", &file))?;
        let (found, whole) = (contents.len() as u64, whole_bytes(&contents, name.number) as u64);
        let durable =
            durable.filter(|durable| durable.number == name.number).map_or(0, |durable| durable.bytes);
        if found < durable {
            return Err(Error::ShortLog { file, found, synced: durable });
        }
        if whole < durable || (Some(*name) != newest && (whole < found || whole == 0)) {
            return Err(Error::DamagedLog { file, offset: whole });
        }
        total += whole;
        if Some(*name) == newest && whole > 0 {
            settle(&file, found, whole)?;
            synced.note(*name, whole).map_err(Error::system("write", &folder.join("../SYNCED")))?;
        } else if whole == 0 {
            // A file that was just begun; the one before it was synced when it ended.
            fs::remove_file(&file).map_err(Error::system("remove", &file))?;
            sync_folder(folder)?;
        }
    }
    Ok(total)
}

/// Cuts the newest file of a queue to what is whole, and makes that durable.
fn settle(file: &Path, found: u64, whole: u64) -> Result<(), Error> {
    if whole < found {
        tracing::info!(file = %file.display(), whole, found, "cutting off what a crash cut short");
    }
    let shorten = |open: fs::File| open.set_len(whole).and_then(|()| open.sync_all());
    let open = OpenOptions::new().write(true).open(file);
    open.and_then(shorten).map_err(Error::system("shorten", file))
}

/// The files after the last gap in their numbers; raft-engine leaves older ones alone, which it meant to
/// recycle.
fn contiguous(names: &[LogName]) -> &[LogName] {
    let gap = |pair: &[LogName]| pair[0].number + 1 != pair[1].number;
    let begin = names.windows(2).rposition(gap).map_or(0, |at| at + 1);
    &names[begin..]
}

/// How many bytes of a file, from its beginning, are a header and whole batches.
fn whole_bytes(contents: &[u8], number: u64) -> usize {
    if !header_is_whole(contents) {
        return 0;
    }
    let mut whole = HEADER_BYTES;
    while let Some(length) = batch_bytes(&contents[whole..], number) {
        whole += length;
    }
    whole
}

fn header_is_whole(contents: &[u8]) -> bool {
    let rest = contents.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<8>());
    let rest = rest.filter(|(version, _)| u64::from_be_bytes(**version) == VERSION);
    // Blocks could be aligned; ours never are.
    let alignment = rest.and_then(|(_, rest)| rest.first_chunk::<8>());
    alignment.is_some_and(|alignment| u64::from_be_bytes(*alignment) == 0)
}

/// The length of the batch that the bytes begin with; `None` when it is not whole.
fn batch_bytes(bytes: &[u8], number: u64) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (footer, _) = rest.split_first_chunk::<8>()?;
    let (length, compression) = (u64::from_be_bytes(*length) >> 8, length[7]);
    let length = usize::try_from(length).ok()?;
    let footer = usize::try_from(u64::from_be_bytes(*footer)).ok()?;
    if footer < BATCH_HEADER_BYTES || compression > COMPRESSION_MAX {
        return None;
    }
    let batch = bytes.get(..length)?;
    let entries = batch.get(BATCH_HEADER_BYTES..footer)?;
    let signature = number as u32;
    let entries_are_whole = entries.is_empty() || checksum_holds(entries, 0);
    (entries_are_whole && checksum_holds(&batch[footer..], signature)).then_some(length)
}

/// Whether bytes end in their own checksum.
fn checksum_holds(bytes: &[u8], signature: u32) -> bool {
    let Some((contents, checksum)) = bytes.split_last_chunk::<CHECKSUM_BYTES>() else { return false };
    !contents.is_empty() && crc32fast::hash(contents) == u32::from_le_bytes(*checksum) ^ signature
}
