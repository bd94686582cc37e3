//! What a shard is told of itself when it starts.

use types::{Faults, NodeId, RegionName};

/// A shard's settings; fixed while it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The region it belongs to.
    pub region: RegionName,
    /// This node.
    pub node: NodeId,
    /// All nodes of the region, this one included, ascending; the same on each of them, for ever.
    pub nodes: Vec<NodeId>,
    /// The other regions that it may link to.
    pub peers: Vec<RegionName>,
    /// Seeds its random generator.
    pub seed: u64,
    /// The bug planted for a checker; `Faults::default()` is none, and all there is in the shipped server.
    pub faults: Faults,
}
