//! What a shard knows of one peer region while it runs; all of it is learnt again after a restart.

use std::collections::BTreeMap;

use types::{RegionId, RegionName, TableId};

/// A peer region.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name.
    pub name: RegionName,
    /// Whether the link to it is up.
    pub connected: bool,
    /// The digest of each table's entry that it said it knows (`P19`).
    pub known: BTreeMap<TableId, u64>,
    /// Bytes under way to it.
    pub bytes_in_flight: usize,
}

impl Peer {
    pub fn new(name: RegionName) -> Self {
        Peer { name, connected: false, known: BTreeMap::new(), bytes_in_flight: 0 }
    }

    pub fn id(&self) -> RegionId {
        self.name.id()
    }
}
