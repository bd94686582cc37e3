//! What a shard tells its driver of the other nodes of its region.

use types::NodeId;

/// Another node of the region, as the catalog here knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Which.
    pub node: NodeId,
    /// Where it is; empty if only settings say.
    pub address: String,
    /// Whether it was removed for good. A node that is not among the members at all may have joined since.
    pub removed: bool,
}
