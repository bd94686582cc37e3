//! What a shard knows of one peer region while it runs; all of it is learnt again after a restart.

use std::collections::{BTreeMap, BTreeSet};

use types::{GroupId, NodeId, RegionId, RegionName, TableId};

/// A peer region.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name.
    pub name: RegionName,
    /// Those of its nodes that the link is up to.
    pub connected: BTreeSet<NodeId>,
    /// The digest of each table's entry that it said it knows (`P19`).
    pub known: BTreeMap<TableId, u64>,
    /// Bytes under way to it.
    pub bytes_in_flight: usize,
}

impl Peer {
    pub fn new(name: RegionName) -> Self {
        Peer { name, connected: BTreeSet::new(), known: BTreeMap::new(), bytes_in_flight: 0 }
    }

    pub fn id(&self) -> RegionId {
        self.name.id()
    }

    /// Whether the link to any of its nodes is up.
    pub fn is_connected(&self) -> bool {
        !self.connected.is_empty()
    }

    /// The node to send a partition's batches to: any will do, and neighbours go to different ones, so that
    /// each has its share of the work. Each new stream goes to the next: the one before may be cut off from
    /// those who lead.
    pub fn receiver(&self, group: GroupId, stream: u64) -> Option<NodeId> {
        let count = self.connected.len() as u64;
        let at = group.0.wrapping_add(stream).checked_rem(count)?;
        self.connected.iter().nth(at as usize).copied()
    }
}
