//! Who is in a group, and one step of how that changes.
//!
//! Voters count for quorums; learners only receive. While a change of several replicas is under way the group
//! is *joint*: a quorum of the voters and one of the outgoing voters are needed, so that no two majorities
//! can miss each other. raft-rs leaves that state by itself. Replicas are told apart by raft ids.

use protobuf::Message as _;
use raft::eraftpb::{ConfChangeSingle, ConfChangeType, ConfChangeV2, ConfState};

use crate::format::{decode_configuration, encode_configuration};

/// The members of a group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Members {
    /// Who votes, ascending. Nobody, in a replica that has not been told yet.
    pub voters: Vec<u64>,
    /// Who only receives, ascending.
    pub learners: Vec<u64>,
    /// While joint: who voted before, ascending.
    pub outgoing: Vec<u64>,
    /// While joint: which of them will be learners, ascending.
    pub learners_next: Vec<u64>,
    /// Whether the group leaves the joint state by itself.
    pub auto_leave: bool,
}

/// A step for one replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It votes, whatever it did before.
    Voter(u64),
    /// It only receives, whatever it did before.
    Learner(u64),
    /// It is no member.
    Remove(u64),
}

/// A change of members, as the log carries it: all of its steps at once. Without steps it ends a joint state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// The steps; one replica occurs once.
    pub steps: Vec<Step>,
}

impl Members {
    /// The bytes that are stored beside a group's data.
    pub fn encode(&self) -> Vec<u8> {
        encode_configuration(self)
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Self, storage::Error> {
        decode_configuration(bytes)
    }

    /// Just these voters.
    pub fn of_voters(voters: &[u64]) -> Self {
        let mut voters = voters.to_vec();
        voters.sort_unstable();
        voters.dedup();
        Members { voters, ..Members::default() }
    }

    /// Whether a change of several voters is not over yet.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether the lists can be of one group: raft-rs takes them as they are, and trusts them.
    pub(crate) fn is_consistent(&self) -> bool {
        let Members { voters, learners, outgoing, learners_next, auto_leave } = self;
        let votes = |replica| voters.contains(replica) || outgoing.contains(replica);
        let nobody = voters.is_empty() && learners.is_empty() && outgoing.is_empty();
        (nobody || !voters.is_empty())
            && !learners.iter().any(votes)
            && learners_next.iter().all(|replica| outgoing.contains(replica) && !voters.contains(replica))
            && (self.is_joint() || !auto_leave)
    }

    /// Whether a replica is one of them, in whatever role.
    pub fn contains(&self, replica: u64) -> bool {
        [&self.voters, &self.learners, &self.outgoing].into_iter().any(|members| members.contains(&replica))
    }

    /// Whether those of whom something holds are a quorum: a majority of the voters, and while a change is
    /// under way of those before it as well.
    pub fn has_quorum(&self, holds: impl Fn(u64) -> bool) -> bool {
        let majority = |voters: &[u64]| {
            let count = voters.iter().filter(|voter| holds(**voter)).count();
            voters.is_empty() || 2 * count > voters.len()
        };
        !self.voters.is_empty() && majority(&self.voters) && majority(&self.outgoing)
    }

    pub(crate) fn to_raft(&self) -> ConfState {
        ConfState {
            voters: self.voters.clone(),
            learners: self.learners.clone(),
            voters_outgoing: self.outgoing.clone(),
            learners_next: self.learners_next.clone(),
            auto_leave: self.auto_leave,
            ..ConfState::default()
        }
    }

    pub(crate) fn of_raft(state: &ConfState) -> Self {
        let sorted = |members: &[u64]| {
            let mut members = members.to_vec();
            members.sort_unstable();
            members
        };
        Members {
            voters: sorted(&state.voters),
            learners: sorted(&state.learners),
            outgoing: sorted(&state.voters_outgoing),
            learners_next: sorted(&state.learners_next),
            auto_leave: state.auto_leave,
        }
    }
}

impl Change {
    pub(crate) fn to_raft(&self) -> ConfChangeV2 {
        let mut change = ConfChangeV2::default();
        for step in &self.steps {
            let (kind, replica) = match step {
                Step::Voter(replica) => (ConfChangeType::AddNode, replica),
                Step::Learner(replica) => (ConfChangeType::AddLearnerNode, replica),
                Step::Remove(replica) => (ConfChangeType::RemoveNode, replica),
            };
            let single =
                ConfChangeSingle { change_type: kind, node_id: *replica, ..ConfChangeSingle::default() };
            change.changes.push(single);
        }
        change
    }

    /// What a raft entry's bytes say; `None` for bytes that no replica of ours would write.
    pub(crate) fn of_raft_bytes(bytes: &[u8]) -> Option<Self> {
        let message = ConfChangeV2::parse_from_bytes(bytes).ok()?;
        let step = |single: &ConfChangeSingle| {
            let step = match single.change_type {
                ConfChangeType::AddNode => Step::Voter,
                ConfChangeType::AddLearnerNode => Step::Learner,
                ConfChangeType::RemoveNode => Step::Remove,
            };
            (single.node_id != raft::INVALID_ID).then(|| step(single.node_id))
        };
        let change = Change { steps: message.changes.iter().map(step).collect::<Option<_>>()? };
        (change.to_raft() == message).then_some(change)
    }

    pub(crate) fn to_raft_bytes(&self) -> Vec<u8> {
        self.to_raft().write_to_bytes().expect("a message without required fields can always be written")
    }
}
