//! Who waits for an index to be applied, and what they are told then.

use global::message::Origin;
use item::operation::BatchWriteEntry;
use item::{Error, Outcome};
use types::{GroupId, NodeId, TableId, TableName};

use crate::PeerNode;
use crate::cluster::Wanted;

/// Waits for an index of a partition.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// A client's single write or read.
    Reply {
        /// The request.
        number: u64,
        /// What it came to.
        result: Result<Outcome, Error>,
    },
    /// One write of a batch.
    Part {
        /// The batch's request.
        number: u64,
        /// Its table.
        table: TableName,
        /// The write.
        entry: BatchWriteEntry,
        /// What it came to.
        result: Result<(), Error>,
    },
    /// A strong scan that may read a group then.
    Confirmed {
        /// Which.
        group: GroupId,
        /// The scan's number among those that wait.
        number: u64,
    },
    /// A partition's share of another region's batch.
    Share {
        /// The partition.
        group: GroupId,
        /// Which batch.
        origin: Origin,
        /// The node that took the batch.
        taken_by: NodeId,
    },
}

/// Waits for an index of the catalog.
#[derive(Debug)]
pub(crate) enum CatalogWaiter {
    /// A client who is answered with the table.
    Table {
        /// The request.
        number: u64,
        /// Which table.
        table: TableId,
    },
    /// A client who is answered with the region's state.
    Region {
        /// The request.
        number: u64,
    },
    /// A client who asked about nodes.
    Cluster {
        /// The request.
        number: u64,
        /// What it is answered.
        wanted: Wanted,
    },
    /// A peer who is told that its entry is known.
    Known {
        /// Who.
        peer: PeerNode,
        /// The table.
        table: TableId,
        /// The digest of what it sent.
        digest: u64,
    },
    /// Nobody.
    Nobody,
}

impl CatalogWaiter {
    /// The client's request, if it is one.
    pub fn request(&self) -> Option<u64> {
        match self {
            CatalogWaiter::Table { number, .. }
            | CatalogWaiter::Region { number }
            | CatalogWaiter::Cluster { number, .. } => Some(*number),
            CatalogWaiter::Known { .. } | CatalogWaiter::Nobody => None,
        }
    }
}
