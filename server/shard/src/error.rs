//! What stops a shard: a failed disk or state that no release of it wrote.
//!
//! Every one is fatal. Whoever meets one stops the process, so that nothing is answered on its strength.

use types::{GroupId, NodeId};

use crate::Identity;

/// Why a shard cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine failed, or holds what it should not.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// A raft group cannot go on.
    #[error(transparent)]
    Consensus(#[from] consensus::Error),
    /// A committed entry that cannot be decoded.
    #[error("group {} has an entry at {index} that this release cannot read: start a later release", group.0)]
    Entry {
        /// Whose log.
        group: GroupId,
        /// Where.
        index: u64,
    },
    /// Another node's disk.
    #[error("this data folder belongs to {found}; it cannot serve {given}")]
    Identity {
        /// Whose it is.
        found: Box<Identity>,
        /// Who was to be started over it.
        given: Box<Identity>,
    },
    /// An empty disk, where there should be a node's.
    #[error(
        "the data folder is empty: if {given}, was made before, it has lost its disk and must not come back \
         under its number; to make it for the first time, add --bootstrap"
    )]
    Blank {
        /// Who was to be started over it.
        given: Box<Identity>,
    },
    /// A node's disk, where there should be an empty one.
    #[error("the data folder belongs to {found} already: leave --bootstrap out")]
    NotBlank {
        /// Whose it is.
        found: Box<Identity>,
    },
    /// The region took this node out for good.
    #[error("node {} was removed from its region: to bring the machine back, join it as a new node", node.0)]
    Removed {
        /// This node.
        node: NodeId,
    },
    /// Data of a partition whose log is gone.
    #[error("partition {} has data up to index {applied} and no log: restore the whole folder", group.0)]
    LogLost {
        /// Which partition.
        group: GroupId,
        /// The applied index found beside the data.
        applied: u64,
    },
}
