//! Taking in a message of another replica.
//!
//! raft-rs trusts its peers: what contradicts itself would panic or be obeyed. So everything is checked here
//! that can be told from the message alone.

use protobuf::Message as _;
use raft::eraftpb::{EntryType, Message, MessageType};
use rand::Rng;
use storage::Engine;

use crate::{Change, Error, Group, StepError};

impl<E: Engine> Group<E> {
    /// Takes in the bytes of a `Message`. Messages may come late, twice or in another order. Tells whether it
    /// asks for a vote: its sender has heard of no leader for a while.
    pub fn step(&mut self, bytes: &[u8], random: &mut impl Rng) -> Result<bool, StepError> {
        let group = self.id;
        let message = Message::parse_from_bytes(bytes).map_err(|_| StepError::Malformed { group })?;
        self.check(&message)?;
        if message.msg_type == MessageType::MsgTimeoutNow && self.is_restoring() {
            return Ok(false);
        }
        let asks = matches!(message.msg_type, MessageType::MsgRequestVote | MessageType::MsgRequestPreVote);
        let from = message.from;
        // Of raft-rs's errors only this one is left: proposals and local messages were refused above.
        self.raft.step(message).map_err(|_| StepError::UnknownSender { group, from })?;
        self.settle(random);
        Ok(asks)
    }

    fn check(&self, message: &Message) -> Result<(), StepError> {
        let group = self.id;
        let (to, from) = (message.to, message.from);
        if to != self.replica() {
            return Err(StepError::Misrouted { group, replica: self.replica(), to });
        }
        if !is_expected(message.msg_type) {
            return Err(StepError::Unexpected { group, kind: message.msg_type as i32 });
        }
        // A replica that was away may not know who the members are by now, and has to follow one it has never
        // heard of. Answers, however, can only be to what was asked of members.
        let known = !is_answer(message.msg_type) || self.raft.raft.prs().get(from).is_some();
        if from == to || from == raft::INVALID_ID || !known {
            return Err(StepError::UnknownSender { group, from });
        }
        if !is_consistent(message) {
            return Err(StepError::Malformed { group });
        }
        // A leader's heartbeat carries no more than what this replica has acknowledged, which was synced.
        let last = self.last_index();
        if message.msg_type == MessageType::MsgHeartbeat && message.commit > last {
            return Err(Error::LogTooShort { group, last, commit: message.commit }.into());
        }
        Ok(())
    }
}

/// Whether a message answers another.
fn is_answer(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::MsgAppendResponse
            | MessageType::MsgHeartbeatResponse
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVoteResponse
    )
}

/// Whether replicas send each other such messages. Not proposals: a follower's would be unknown to the
/// leader's overlay (`P2`). Not snapshots: data come by other ways. Not reads: only leaders ask.
fn is_expected(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::MsgAppend
            | MessageType::MsgAppendResponse
            | MessageType::MsgHeartbeat
            | MessageType::MsgHeartbeatResponse
            | MessageType::MsgRequestVote
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVote
            | MessageType::MsgRequestPreVoteResponse
            | MessageType::MsgTimeoutNow
    )
}

/// Whether a message has a term (raft-rs takes one without for its own) and its entries follow one another.
fn is_consistent(message: &Message) -> bool {
    let follows = |(index, entry): (u64, &raft::eraftpb::Entry)| {
        let readable = match entry.entry_type {
            EntryType::EntryNormal => true,
            EntryType::EntryConfChange => false,
            EntryType::EntryConfChangeV2 => Change::of_raft_bytes(&entry.data).is_some(),
        };
        readable && entry.context.is_empty() && entry.index == index && entry.term <= message.term
    };
    let Some(first) = message.index.checked_add(1) else { return false };
    message.term > 0 && (first..).zip(&message.entries).all(follows)
}
