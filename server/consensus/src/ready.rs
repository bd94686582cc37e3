//! What a group wants done: entries to append, messages to send, commands to apply.
//!
//! The order that keeps promises: a leader's messages may leave at once, since its own log counts for the
//! quorum only when it is synced. Everybody else's wait for the sync, for they promise something: a vote,
//! entries held. And since promises speak of the whole log before them, they wait for the syncs before them,
//! too. Syncs may be under way while what comes next is collected.

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{self, EntryType, MessageType};
use storage::engine::StateName;
use storage::log::LogWrite;
use storage::{Engine, LogBatch};
use types::limits::{RAFT_COMMITTED_BYTES_PER_READY_MAX, RAFT_IDLE_ENTRIES_MAX, RAFT_TAIL_BYTES_MAX};

use crate::format::{Truncated, encode_entry, encode_hard_state, encode_truncated};
use crate::{Change, Error, Group, Members, Point};

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ready {
    /// The number to give to `persisted` once what was put into the batch is synced; `None` when no sync is
    /// needed (the batch may still hold a commit index, which is appended and never waited for).
    pub sync: Option<u64>,
    /// Messages that may leave at once.
    pub messages: Vec<Message>,
    /// The log begins anew behind this point: once `persisted` was called for `sync`, put its data in place
    /// and call `applied`, before anything that is committed is applied.
    pub restored: Option<Point>,
    /// What to apply, in order and without gaps from the last that was handed out; then call `applied`.
    pub committed: Vec<Committed>,
    /// Replicas that lack what the log no longer holds: they need the data themselves.
    pub lacking: Vec<u64>,
}

/// A message to another replica of the group, opaque.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The raft id of its receiver.
    pub to: u64,
    /// For its `step`.
    pub bytes: Vec<u8>,
}

/// A committed entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Its place in the log.
    pub index: u64,
    /// The term it was proposed in.
    pub term: u64,
    /// The command; empty for a leader's first entry, at which there is nothing to do, and for a change.
    pub data: Bytes,
    /// A change of members, for `apply_change`.
    pub change: Option<Change>,
}

/// What waits for a sync.
pub(crate) struct Waiting {
    /// The ready that needs it.
    number: u64,
    /// The last ready that needs no other: those after it had nothing to sync.
    through: u64,
    messages: Vec<Message>,
}

impl<E: Engine> Group<E> {
    /// Collects what is to be done and puts into `batch` what is to be appended; `None` when there is
    /// nothing. Call it again until then: committed entries come in portions. The batches of successive calls
    /// must be appended in their order, but not before the next call.
    pub fn ready(&mut self, batch: &mut LogBatch) -> Result<Option<Ready>, Error> {
        if !self.raft.has_ready() {
            return Ok(None);
        }
        let applicable = self.commit_index().min(self.persisted_index());
        let next = self.handed_out + 1;
        self.raft.mut_store().fetch(next, applicable + 1, RAFT_COMMITTED_BYTES_PER_READY_MAX)?;
        let mut ready = self.raft.ready();
        let (number, must_sync) = (ready.number(), ready.must_sync());
        let entries = ready.take_entries();
        let committed = ready.take_committed_entries();
        let at_once = encode(self.not_beyond_own_log(ready.take_messages()));
        let held = encode(ready.take_persisted_messages());
        let restored = self.begin_anew(ready.snapshot(), batch);
        if !entries.is_empty() {
            let entries = entries.iter().map(encode_entry).collect();
            batch.push(LogWrite::Entries { group: self.id, entries });
        }
        if let Some(state) = ready.hs() {
            let value = encode_hard_state(state);
            batch.push(LogWrite::State { group: self.id, name: StateName::HardState, value });
        }
        // raft-rs reads these entries from the store from here on.
        self.raft.mut_store().append(entries);
        self.raft.advance_append_async(ready);
        if let Some(last) = committed.last() {
            self.handed_out = last.index;
        }
        self.shrink();
        let messages = self.hold(number, must_sync, at_once, held);
        let sync = must_sync.then_some(number);
        let committed = committed.into_iter().map(Committed::from).collect();
        let lacking = self.raft.mut_store().take_lacking().into_iter().collect();
        Ok(Some(Ready { sync, messages, restored, committed, lacking }))
    }

    /// Tells followers no more to be committed than this leader's own log holds for certain. A quorum without
    /// it may be faster; but it could not apply that yet, and strong reads here would miss what they already
    /// see elsewhere (`P4`).
    fn not_beyond_own_log(&self, mut messages: Vec<eraftpb::Message>) -> Vec<eraftpb::Message> {
        let held = self.persisted_index();
        for message in &mut messages {
            if matches!(message.msg_type, MessageType::MsgAppend | MessageType::MsgHeartbeat) {
                message.commit = message.commit.min(held);
            }
        }
        messages
    }

    /// Drops the whole log for data that replace it, if there are any.
    fn begin_anew(&mut self, snapshot: &eraftpb::Snapshot, batch: &mut LogBatch) -> Option<Point> {
        if snapshot.is_empty() {
            return None;
        }
        let metadata = snapshot.get_metadata();
        let (group, index, term) = (self.id, metadata.index, metadata.term);
        if self.raft.store().last() >= index {
            // Appending replaces what lies behind; the entry itself goes with the rest.
            let entries = vec![encode_entry(&eraftpb::Entry { index, term, ..Default::default() })];
            batch.push(LogWrite::Entries { group, entries });
        }
        let at = Truncated { index, term };
        batch.push(LogWrite::Compact { group, to: index + 1 });
        batch.push(LogWrite::State { group, name: StateName::Truncated, value: encode_truncated(at) });
        self.raft.mut_store().restored(at);
        self.handed_out = index;
        Some(Point { index, term, members: Members::of_raft(metadata.get_conf_state()) })
    }

    /// Says that what went into the batch with this number, and before it, is synced; returns the messages
    /// that waited for it. What has become committed comes with the next `ready`. It may be called after
    /// later numbers were collected; a number that is not waited for is ignored.
    #[must_use = "the messages that waited are to be sent"]
    pub fn persisted(&mut self, number: u64) -> Vec<Message> {
        let mut released = Vec::new();
        while let Some(waiting) = self.waiting.pop_front_if(|waiting| waiting.number <= number) {
            released.extend(waiting.messages);
            self.raft.on_persist_ready(waiting.through);
        }
        released
    }

    /// Says that everything up to an index is applied; it never goes back. Once a leader's empty entry is,
    /// the leader decides (`P2`).
    ///
    /// # Panics
    ///
    /// When `index` was not handed out yet, or goes back.
    pub fn applied(&mut self, index: u64) {
        assert!(index <= self.handed_out, "only what was handed out can be applied");
        self.raft.advance_apply_to(index);
    }

    /// Keeps back what promises something until it is synced, and returns what may leave.
    fn hold(
        &mut self,
        number: u64,
        must_sync: bool,
        mut at_once: Vec<Message>,
        held: Vec<Message>,
    ) -> Vec<Message> {
        if must_sync {
            self.waiting.push_back(Waiting { number, through: number, messages: held });
        } else if let Some(last) = self.waiting.back_mut() {
            last.through = number;
            last.messages.extend(held);
        } else {
            self.raft.on_persist_ready(number);
            at_once.extend(held);
        }
        at_once
    }

    /// Frees entries that nobody needs in memory, and the room they took.
    fn shrink(&mut self) {
        let (synced, handed_out) = (self.persisted_index(), self.handed_out);
        self.raft.mut_store().trim(synced, handed_out, RAFT_TAIL_BYTES_MAX);
        self.raft.raft.raft_log.unstable.entries.shrink_to(RAFT_IDLE_ENTRIES_MAX);
    }
}

impl From<eraftpb::Entry> for Committed {
    fn from(entry: eraftpb::Entry) -> Self {
        let (index, term) = (entry.index, entry.term);
        match entry.entry_type {
            EntryType::EntryNormal => Committed { index, term, data: entry.data, change: None },
            EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => {
                let change = Change::of_raft_bytes(&entry.data);
                let change = change.expect("what enters a log is checked: by `step`, or when it is decoded");
                Committed { index, term, data: Bytes::new(), change: Some(change) }
            }
        }
    }
}

fn encode(messages: Vec<eraftpb::Message>) -> Vec<Message> {
    let encode = |message: eraftpb::Message| Message {
        to: message.to,
        bytes: message.write_to_bytes().expect("a message without required fields can always be written"),
    };
    messages.into_iter().map(encode).collect()
}
