//! What a shard is told of itself when it starts.

use std::collections::BTreeMap;

use types::{Faults, NodeId, RegionName, limits};

/// Whether a node starts for the first time. A node that lost its disk must never come back under its number:
/// what it had promised to the others would be forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirstStart {
    /// It does: its disk must be empty.
    Yes,
    /// It does not: its disk must be its own.
    No,
    /// The others gave it a number that was never used: its disk is empty, or its own. It is told of the rest
    /// by them.
    Joining,
    /// Its disk says so. Only where nobody was promised anything, or whoever starts it knows the disk.
    Unsaid,
}

/// A shard's settings; fixed while it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The region it belongs to.
    pub region: RegionName,
    /// This node.
    pub node: NodeId,
    /// The nodes that the region was begun with, ascending; or those that a node that joined later was told
    /// of, itself included. Who came and went since is in the catalog.
    pub nodes: Vec<NodeId>,
    /// Where those are that this one was told of; the catalog keeps it for nodes that join.
    pub addresses: BTreeMap<NodeId, String>,
    /// What an empty disk means.
    pub first_start: FirstStart,
    /// The other regions that it may link to.
    pub peers: Vec<RegionName>,
    /// Bytes of items above which a partition is split.
    pub partition_bytes_max: u64,
    /// Seeds its random generator.
    pub seed: u64,
    /// The bug planted for a checker; `Faults::default()` is none, and all there is in the shipped server.
    pub faults: Faults,
}

impl Settings {
    /// Of the only node of a region, without peers.
    pub fn alone(region: RegionName, seed: u64) -> Self {
        let (node, nodes, peers) = (NodeId::ONLY, vec![NodeId::ONLY], Vec::new());
        let first_start = FirstStart::Unsaid;
        let (addresses, faults) = Default::default();
        let partition_bytes_max = limits::PARTITION_BYTES_MAX;
        Settings { region, node, nodes, addresses, first_start, peers, partition_bytes_max, seed, faults }
    }
}
