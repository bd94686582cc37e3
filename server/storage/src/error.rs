//! What can go wrong with a disk. Every one of these is fatal: whoever meets one stops the process.
//!
//! Nothing here is ever shown to a client, and nothing may be tried a second time: after a failed write or
//! sync nobody knows what the disk holds until the next start has read it.

use std::io::ErrorKind;

use types::GroupId;

/// A disk that failed or holds what it should not.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// Stored bytes that no release wrote.
    #[error("corrupt {what}: {fault}")]
    Corrupt {
        /// The kind of key or value.
        what: &'static str,
        /// What is wrong with the bytes.
        fault: Fault,
    },
    /// A value written by a later release.
    #[error("{what} has format {found}, this release reads up to {known}: start a later release")]
    TooNew {
        /// The kind of value.
        what: &'static str,
        /// The format met.
        found: u8,
        /// The newest format this release reads.
        known: u8,
    },
    /// A read, write or sync that the system refused, or an engine that an earlier failure closed.
    #[error("{operation} failed: {kind}")]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// The system's reason.
        kind: ErrorKind,
    },
    /// Log entries that were asked for and are not there: the log is shorter than its reader knows it to be.
    #[error("group {} has no entries from {from} up to {to}", .group.0)]
    Missing {
        /// Whose log.
        group: GroupId,
        /// The first index asked for.
        from: u64,
        /// The first index not asked for.
        to: u64,
    },
    /// An append that would leave a gap, or begin below what was compacted; nothing was appended.
    #[error("group {} can be appended to from {first} to {last}, not at {index}", .group.0)]
    Discontinuous {
        /// Whose log.
        group: GroupId,
        /// The lowest index at which an append may begin.
        first: u64,
        /// The highest index at which an append may begin.
        last: u64,
        /// Where it began, or where its own indices broke.
        index: u64,
    },
}

impl Error {
    /// Stored bytes that a layer above cannot read back.
    pub fn undecodable(what: &'static str) -> Self {
        Error::Corrupt { what, fault: Fault::Undecodable }
    }
}

/// What is wrong with stored bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// They end too early.
    #[error("it ends too early")]
    Truncated,
    /// Something follows their end.
    #[error("{bytes} bytes follow its end")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The first byte of a key is another kind's.
    #[error("its tag is {found}")]
    Tag {
        /// The byte met.
        found: u8,
    },
    /// A byte that must be one of a few values is none of them.
    #[error("{field} cannot be {found}")]
    Flag {
        /// Which.
        field: &'static str,
        /// The byte met.
        found: u8,
    },
    /// A list that must ascend does not, so that equal values would have unequal bytes.
    #[error("{field} is not in order")]
    Unsorted {
        /// Which.
        field: &'static str,
    },
    /// Format 0, which no release writes.
    #[error("its format is 0")]
    Format,
    /// A layer above could not read what it had stored.
    #[error("it cannot be decoded")]
    Undecodable,
    /// A checksum that does not match its bytes.
    #[error("its checksum does not match")]
    Checksum,
}
