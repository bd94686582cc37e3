//! Taking in a message of another replica.
//!
//! raft-rs trusts its peers: what contradicts itself would panic or be obeyed. So everything is checked here
//! that can be told from the message alone.

use protobuf::Message as _;
use raft::eraftpb::{EntryType, Message, MessageType};
use rand::Rng;
use storage::Engine;

use crate::{Error, Group, StepError};

impl<E: Engine> Group<E> {
    /// Takes in the bytes of a `Message`. Messages may come late, twice or in another order.
    pub fn step(&mut self, bytes: &[u8], random: &mut impl Rng) -> Result<(), StepError> {
        let group = self.id;
        let message = Message::parse_from_bytes(bytes).map_err(|_| StepError::Malformed { group })?;
        self.check(&message)?;
        let from = message.from;
        // Of raft-rs's errors only this one is left: proposals and local messages were refused above.
        self.raft.step(message).map_err(|_| StepError::UnknownSender { group, from })?;
        self.settle(random);
        Ok(())
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
        if from == to || self.raft.raft.prs().get(from).is_none() {
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

/// Whether replicas send each other such messages. Not proposals: a follower's would be unknown to the
/// leader's overlay (`P2`). Not snapshots, transfers or reads: nobody asks for them yet.
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
    )
}

/// Whether a message has a term (raft-rs takes one without for its own) and its entries follow one another.
fn is_consistent(message: &Message) -> bool {
    let follows = |(index, entry): (u64, &raft::eraftpb::Entry)| {
        let normal = entry.entry_type == EntryType::EntryNormal && entry.context.is_empty();
        normal && entry.index == index && entry.term <= message.term
    };
    let Some(first) = message.index.checked_add(1) else { return false };
    message.term > 0 && (first..).zip(&message.entries).all(follows)
}
