//! What raft-rs reads: a group's log in the engine, its last entries from memory, and its states at the
//! start.
//!
//! It only reads. What is appended goes into the shard's batch (`ready`) and is noted here, so that raft-rs
//! sees its own log whether the engine has been given the batch or not.
//!
//! raft-rs has no way to hand a failed read on: inside it one ends in a panic, which names the group and the
//! cause and, in a shard, ends the process. What `ready` and `compact` read they read beforehand, with typed
//! errors.

use std::cell::RefCell;
use std::cmp::min;
use std::collections::BTreeSet;

use raft::eraftpb::{Entry, Snapshot};
use raft::{GetEntriesContext, RaftState, Storage, StorageError};
use storage::engine::StateName;
use storage::{Engine, LogEntry};
use types::GroupId;

use crate::create::BEGINNING;
use crate::format::{Truncated, decode_configuration, decode_entry, decode_hard_state, decode_truncated};
use crate::tail::Tail;
use crate::{Error, Members};

/// The log of one group, for reading.
pub struct Store<E> {
    engine: E,
    group: GroupId,
    /// What raft-rs asks for once, when it starts.
    at_open: Option<Box<RaftState>>,
    truncated: Truncated,
    last: u64,
    tail: Tail,
    /// Entries that are about to be asked for, already read.
    fetched: Vec<Entry>,
    /// Replicas that lack what the log no longer holds.
    lacking: RefCell<BTreeSet<u64>>,
}

impl<E: Engine> Store<E> {
    /// Reads where the log of a group begins and ends and what it had committed; `applied` is where its data
    /// ends.
    pub fn open(engine: E, group: GroupId, applied: u64, members: Option<&Members>) -> Result<Self, Error> {
        let failed = |cause| Error::Storage { group, cause };
        let state = |name| engine.state(group, name).map_err(failed)?.ok_or(Error::Unknown { group });
        let created_with = decode_configuration(&state(StateName::Configuration)?).map_err(failed)?;
        let members = members.unwrap_or(&created_with).to_raft();
        let mut hard_state = decode_hard_state(&state(StateName::HardState)?).map_err(failed)?;
        let truncated = decode_truncated(&state(StateName::Truncated)?).map_err(failed)?;
        let begin = truncated.index.saturating_add(1);
        let (first, last) = engine.log_range(group).map_err(failed)?.unwrap_or((begin, truncated.index));
        let first = first.max(begin);
        // A group's data begin where its log does.
        let applied = if truncated.index <= BEGINNING { applied.max(truncated.index) } else { applied };
        if first > begin || applied < truncated.index {
            return Err(Error::LogGap { group, applied, first });
        }
        // What is applied was committed, whatever the hard state says: its commit index is never synced for
        // itself.
        let commit = hard_state.commit.max(applied);
        if last < commit {
            return Err(Error::LogTooShort { group, last, commit });
        }
        hard_state.commit = commit;
        let at_open = Some(Box::new(RaftState::new(hard_state, members)));
        let (tail, fetched, lacking) = Default::default();
        Ok(Store { engine, group, at_open, truncated, last, tail, fetched, lacking })
    }

    /// The members that the group was opened with.
    pub fn members_at_open(&self) -> Members {
        self.at_open.as_ref().map_or_else(Members::default, |state| Members::of_raft(&state.conf_state))
    }

    /// Frees what only the start needed.
    pub fn opened(&mut self) {
        self.at_open = None;
    }

    /// Notes entries that were put into the shard's batch; those at or above the first one's index are
    /// replaced.
    pub fn append(&mut self, entries: Vec<Entry>) {
        if let Some(last) = entries.last() {
            self.last = last.index;
            self.tail.append(entries);
        }
    }

    /// Forgets entries that the engine holds for sure (up to `synced`): those that were handed out to be
    /// applied, and others while too many bytes are kept.
    pub fn trim(&mut self, synced: u64, handed_out: u64, bytes_max: usize) {
        while self.tail.drop_first(min(synced, handed_out)) {}
        while self.tail.bytes() > bytes_max && self.tail.drop_first(synced) {}
        self.fetched = Vec::new();
    }

    /// Reads from the engine what raft-rs is about to ask for, so that a failure has a type.
    pub fn fetch(&mut self, low: u64, high: u64, bytes_max: u64) -> Result<(), Error> {
        let high = min(high, self.tail_first());
        if low < high {
            self.fetched = self.read(low, high, bytes_max)?;
        }
        Ok(())
    }

    /// Notes that the log begins behind an entry.
    pub fn compacted(&mut self, at: Truncated) {
        self.truncated = at;
        while self.tail.drop_first(at.index) {}
    }

    /// Notes that the log begins anew behind an entry.
    pub fn restored(&mut self, at: Truncated) {
        (self.truncated, self.last) = (at, at.index);
        (self.tail, self.fetched) = Default::default();
    }

    /// The replicas that were found to lack what the log no longer holds, since this was last asked.
    pub fn take_lacking(&mut self) -> BTreeSet<u64> {
        self.lacking.take()
    }

    /// The index of the last entry, synced or not.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The term of an entry that is in the log, or at which it begins.
    pub fn term_of(&self, index: u64) -> Result<u64, Error> {
        if index == self.truncated.index {
            return Ok(self.truncated.term);
        }
        if let Some(entry) = self.tail.get(index) {
            return Ok(entry.term);
        }
        let entries = self.stored(index, index + 1, 0)?;
        Ok(entries.first().expect("an engine gives at least one entry").term)
    }

    /// The first index in the log; one past the last when it is empty.
    pub fn first(&self) -> u64 {
        self.truncated.index + 1
    }

    /// Bytes of entries kept in memory.
    #[cfg(test)]
    pub fn tail_bytes(&self) -> usize {
        self.tail.bytes()
    }

    fn tail_first(&self) -> u64 {
        self.tail.first().unwrap_or(self.last + 1)
    }

    fn stored(&self, low: u64, high: u64, bytes_max: u64) -> Result<Vec<LogEntry>, Error> {
        let failed = |cause| Error::Storage { group: self.group, cause };
        self.engine.entries(self.group, low, high, bytes_max).map_err(failed)
    }

    fn read(&self, low: u64, high: u64, bytes_max: u64) -> Result<Vec<Entry>, Error> {
        let failed = |cause| Error::Storage { group: self.group, cause };
        self.stored(low, high, bytes_max)?.iter().map(|entry| decode_entry(entry).map_err(failed)).collect()
    }

    fn slice(&self, low: u64, high: u64, bytes_max: u64) -> Result<Vec<Entry>, Error> {
        let tail_first = self.tail_first();
        let mut entries = Vec::new();
        if low < tail_first {
            let to = min(high, tail_first);
            if self.fetched.first().is_some_and(|entry| entry.index == low) {
                entries.extend(self.fetched.iter().take_while(|entry| entry.index < to).cloned());
            } else {
                entries = self.read(low, to, bytes_max)?;
            }
            if low + entries.len() as u64 != tail_first {
                return Ok(entries);
            }
        }
        let size = |entry: &Entry| entry.data.len() as u64;
        let mut taken: u64 = entries.iter().map(size).sum();
        for entry in self.tail.from(low.max(tail_first)).take_while(|entry| entry.index < high) {
            taken += size(entry);
            if taken > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        Ok(entries)
    }
}

impl<E: Engine> Storage for Store<E> {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(self.at_open.as_deref().cloned().unwrap_or_default())
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low < self.first() {
            return Err(StorageError::Compacted.into());
        }
        self.slice(low, high, max_size.into().unwrap_or(u64::MAX)).map_err(opaque)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index < self.truncated.index {
            return Err(StorageError::Compacted.into());
        }
        if index > self.last {
            return Err(StorageError::Unavailable.into());
        }
        self.term_of(index).map_err(opaque)
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.first())
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last)
    }

    /// Always "temporarily unavailable", raft-rs's word for "ask again": it must not wait for data that take
    /// minutes to move, and learns from the follower's acknowledgement when they are there.
    fn snapshot(&self, _request_index: u64, to: u64) -> raft::Result<Snapshot> {
        self.lacking.borrow_mut().insert(to);
        Err(StorageError::SnapshotTemporarilyUnavailable.into())
    }
}

fn opaque(error: Error) -> raft::Error {
    StorageError::Other(Box::new(error)).into()
}
