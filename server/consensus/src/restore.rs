//! Beginning again from another replica's data.
//!
//! A replica that lacks what no log holds any more gets the data themselves. Moving them is the shard's
//! business; here is only what raft must be told. The leader's raft is never told: the acknowledgement of the
//! restored replica says all that it needs.

use protobuf::Message as _;
use raft::eraftpb::{HardState, Message, MessageType, Snapshot};
use rand::Rng;
use storage::engine::StateName;
use storage::log::LogWrite;
use storage::{Engine, LogBatch};
use types::GroupId;

use crate::format::{Truncated, encode_configuration, encode_hard_state, encode_truncated};
use crate::{Group, Members, StepError};

/// What data stand at: everything up to an index is in them, and nothing beyond.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// The index of the last entry applied.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// The members as of then.
    pub members: Members,
}

/// Puts into a batch what the log store holds of a group whose members this replica has yet to be told. It
/// neither votes nor campaigns until it is restored.
pub fn join(group: GroupId, batch: &mut LogBatch) {
    for (name, value) in [
        (StateName::Configuration, encode_configuration(&Members::default())),
        (StateName::Truncated, encode_truncated(Truncated { index: 0, term: 0 })),
        (StateName::HardState, encode_hard_state(&HardState::default())),
    ] {
        batch.push(LogWrite::State { group, name, value });
    }
}

impl<E: Engine> Group<E> {
    /// Whether it was told who the members are.
    pub fn knows_members(&self) -> bool {
        !self.members().voters.is_empty()
    }

    /// Whether its log begins behind data that are not in place.
    pub(crate) fn is_restoring(&self) -> bool {
        self.raft.snap().is_some() || self.applied_index() + 1 < self.first_index()
    }

    /// Says to the leader again how far this replica holds the log. The acknowledgement that follows restored
    /// data may be lost, and a leader whose log does not hold what it takes for lacking sends nothing that
    /// another would answer.
    pub fn acknowledge(&self) -> Option<crate::Message> {
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgAppendResponse);
        (message.from, message.to, message.term) = (self.replica(), self.leader()?, self.term());
        // What is committed is the leader's; what lies behind may be another's.
        message.index = self.commit_index().min(self.persisted_index());
        let bytes =
            message.write_to_bytes().expect("a message without required fields can always be written");
        Some(crate::Message { to: message.to, bytes })
    }

    /// Says that data of the replica `from`, which leads as far as this one knows, are here, whole and
    /// durable but not in place. If raft wants them, the next `ready` says so in `restored`; the caller puts
    /// them in place once `persisted` was told, and then calls `applied`. False if nothing comes of it:
    /// another leads, or the log has gone on beyond them.
    pub fn restore(&mut self, from: u64, point: &Point, random: &mut impl Rng) -> Result<bool, StepError> {
        if self.leader() != Some(from) || !point.members.contains(self.replica()) {
            return Ok(false);
        }
        let mut snapshot = Snapshot::default();
        let metadata = snapshot.mut_metadata();
        (metadata.index, metadata.term) = (point.index, point.term);
        metadata.set_conf_state(point.members.to_raft());
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgSnapshot);
        (message.from, message.to, message.term) = (from, self.replica(), self.term());
        message.set_snapshot(snapshot);
        let group = self.id;
        self.raft.step(message).map_err(|_| StepError::UnknownSender { group, from })?;
        self.settle(random);
        Ok(self.raft.snap().is_some())
    }
}
