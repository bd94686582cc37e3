//! What can go wrong with a group, one enum for each kind of caller.
//!
//! `Error` is fatal: whoever meets it stops the process, because the disk holds less than the group has
//! promised. The others concern one message or one proposal, and the group goes on.

use types::GroupId;

/// A group that must not run. Never shown to a client, never tried a second time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The engine failed.
    #[error("group {}: {cause}", .group.0)]
    Storage {
        /// Whose log or state was read.
        group: GroupId,
        /// The engine's reason, or what is wrong with the stored bytes.
        cause: storage::Error,
    },
    /// A group that was never created on this disk.
    #[error("group {} is not on this disk", .group.0)]
    Unknown {
        /// Which.
        group: GroupId,
    },
    /// The log ends before what the group had already committed: its tail is lost.
    #[error(
        "group {} committed up to {commit} but its log ends at {last}: the disk lost synced data; \
         give this replica a fresh disk and a new id",
        .group.0
    )]
    LogTooShort {
        /// Whose log.
        group: GroupId,
        /// Its last index.
        last: u64,
        /// The last index known to be committed.
        commit: u64,
    },
    /// The log begins behind the end of the applied data: what lies between is lost.
    #[error(
        "group {} applied up to {applied} but its log begins at {first}: the disk lost flushed data; \
         give this replica a fresh disk and a new id",
        .group.0
    )]
    LogGap {
        /// Whose log.
        group: GroupId,
        /// The index up to which its data is there.
        applied: u64,
        /// The first index of its log.
        first: u64,
    },
    /// A replica that its own stored configuration does not name.
    #[error("replica {replica} is no member of group {}", .group.0)]
    NotAMember {
        /// Whose configuration.
        group: GroupId,
        /// The replica opened.
        replica: u64,
    },
}

/// Why a message was not taken in. The group is as it was before.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StepError {
    /// Bytes that are no raft message, or one that contradicts itself.
    #[error("group {}: malformed raft message", .group.0)]
    Malformed {
        /// To which group it came.
        group: GroupId,
    },
    /// A message for another replica.
    #[error("group {}: a message for replica {to} came to replica {replica}", .group.0)]
    Misrouted {
        /// To which group it came.
        group: GroupId,
        /// To which replica it came.
        replica: u64,
        /// For which replica it was.
        to: u64,
    },
    /// An answer of a replica that is no member, or a message of nobody's.
    #[error("group {}: an answer of replica {from}, which is no member", .group.0)]
    UnknownSender {
        /// To which group it came.
        group: GroupId,
        /// Who sent it.
        from: u64,
    },
    /// A kind of message that no replica of this release sends to another, such as a forwarded proposal
    /// (`P3`).
    #[error("group {}: unexpected raft message of kind {kind}", .group.0)]
    Unexpected {
        /// To which group it came.
        group: GroupId,
        /// Its number in raft-rs's protocol.
        kind: i32,
    },
    /// The leader knows this replica to hold entries that it does not: fatal, the disk lost synced data.
    #[error(transparent)]
    Fatal(#[from] Error),
}

/// Why nothing was proposed (`P3`): the caller may try elsewhere or later without fear of doing it twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProposeError {
    /// This replica does not lead.
    #[error("not the leader")]
    NotLeader {
        /// Who leads, as far as this replica knows.
        leader: Option<u64>,
    },
    /// Leadership is being handed over.
    #[error("leadership is being handed over")]
    Transferring,
    /// Another change of members is not over yet, or this leader does not decide yet.
    #[error("another change of members is under way")]
    ChangeUnderWay,
    /// A change of members that leaves no voter, says nothing or removes the leader.
    #[error("a change of members that cannot be made")]
    BadChange,
    /// More is proposed and not committed than `RAFT_UNCOMMITTED_BYTES_MAX`.
    #[error("too much of the log is not committed yet")]
    TooMuchUncommitted,
}
