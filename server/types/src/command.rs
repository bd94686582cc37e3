//! What operators ask of tables and regions, and the answers, as plain data.
//!
//! `api` makes these from requests, the region's control plane carries them out.

use crate::{
    GroupId, HashRange, HybridTime, KeyAttribute, KeyHash, KeySchema, NodeId, RegionName, TableDescriptor,
    TableId, TableName,
};

/// A command about a table as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableCommand {
    /// Creates a table with replicas in the named regions (the receiving region, when none are named).
    Create {
        /// Its name.
        name: TableName,
        /// Its key.
        key: KeySchema,
        /// Where; empty means the receiving region alone.
        regions: Vec<RegionName>,
        /// Partitions in each region, 1 to 4,096.
        partitions: u32,
    },
    /// Describes one table.
    Describe {
        /// Which.
        name: TableName,
    },
    /// Which node leads which part of a table, as far as the asked one knows.
    Routes {
        /// Which.
        name: TableName,
    },
    /// Lists names in order.
    List {
        /// Start after this name.
        after: Option<TableName>,
        /// At most this many, 1 to 100.
        limit: usize,
    },
    /// Deletes a table in every region.
    Delete {
        /// Which.
        name: TableName,
    },
    /// Digests the live records of part of a table, for comparison with other regions.
    Digest {
        /// Which.
        name: TableName,
        /// Which part of the hash space.
        range: HashRange,
        /// Into how many equal parts to cut it: one digest each.
        parts: u32,
    },
    /// Lists keys and versions of part of a table, to name what differs.
    Versions {
        /// Which.
        name: TableName,
        /// Which part of the hash space.
        range: HashRange,
        /// Start after this key: its attributes, in the canonical encoding of an item.
        after: Option<Vec<u8>>,
        /// At most this many.
        limit: usize,
    },
}

/// A command about the links between regions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegionCommand {
    /// Stops shipping to a region until resumed; survives restarts.
    Pause {
        /// Where nothing is shipped to.
        to: RegionName,
    },
    /// Ships to a region again.
    Resume {
        /// Where.
        to: RegionName,
    },
    /// What this region knows of itself and its peers.
    Status,
}

/// A command about a region's nodes and what sits on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClusterCommand {
    /// A new node asks for its number. Asking again under the same token gives the same number.
    Join {
        /// Chosen by the new node at random, once.
        token: u64,
        /// Where the others reach it.
        address: String,
    },
    /// Lists the nodes.
    Nodes,
    /// Moves everything away from a node, and gives it nothing more.
    Drain {
        /// Which.
        node: NodeId,
    },
    /// Gives a node its share again.
    Resume {
        /// Which.
        node: NodeId,
    },
    /// Takes a node out of the region for ever: one that was drained, or one that is dead.
    Remove {
        /// Which.
        node: NodeId,
    },
    /// Lists a table's partitions.
    Partitions {
        /// Whose.
        table: TableName,
    },
    /// Moves a replica from one node to another.
    Move {
        /// Whose.
        table: TableName,
        /// Of which partition.
        partition: GroupId,
        /// Which node gives it up.
        from: NodeId,
        /// Which takes it.
        to: NodeId,
    },
    /// Splits a partition in two.
    Split {
        /// Whose.
        table: TableName,
        /// Which.
        partition: GroupId,
        /// The first hash of the upper half; the middle of its range, if none is named.
        at: Option<KeyHash>,
    },
}

/// What becomes of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NodeState {
    /// It has its share.
    Active,
    /// It gives up what it has.
    Draining,
    /// It is no node of the region any more.
    Removed,
}

/// What a region knows of one of its nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeStatus {
    /// Which.
    pub node: NodeId,
    /// Where the others reach it; empty if they were told by their settings.
    pub address: String,
    /// What becomes of it.
    pub state: NodeState,
    /// Whether the answering node has heard of it lately.
    pub lives: bool,
    /// Replicas that sit on it.
    pub replicas: u64,
    /// Those of them that are to lead their partitions.
    pub first: u64,
    /// Replicas that are on their way to it or away from it.
    pub moving: u64,
}

/// What a node alone knows of itself, and tells the others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeFigures {
    /// Partitions that it leads.
    pub leads: u64,
    /// Those of them that rest, since nothing is asked of them.
    pub resting: u64,
    /// Bytes of its logs that it would read again if it started now.
    pub log_bytes: u64,
    /// The file system that its data are on, where it has bounds.
    pub disk: Option<DiskFigures>,
    /// Those of the partitions that it leads that decided most in the last second, hottest first.
    pub hottest: Vec<HotPartition>,
}

/// The room of a node's disk, which others than Meridian may use as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskFigures {
    /// All that it could hold, in bytes.
    pub total_bytes: u64,
    /// What may still be written, in bytes.
    pub free_bytes: u64,
    /// What must be free for one that was nearly full to have room again, in bytes.
    pub needed_bytes: u64,
    /// Whether the node refuses what grows.
    pub nearly_full: bool,
}

/// A partition that decides much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HotPartition {
    /// Which.
    pub partition: GroupId,
    /// Reads and writes a second.
    pub per_second: u64,
    /// Whether most of them are of one key, so that a split would not spread them.
    pub one_key: bool,
}

/// A hot partition, and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BusyPartition {
    /// Its table.
    pub table: TableName,
    /// Who leads it.
    pub leader: NodeId,
    /// What it does.
    pub hot: HotPartition,
}

/// A region in sum, as the answering node knows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RegionSummary {
    /// Partitions of all tables.
    pub partitions: u64,
    /// Those with fewer replicas on nodes that live than there should be.
    pub under_replicated: u64,
    /// Those that no living node says that it leads; absent until all of them told.
    pub without_leader: Option<u64>,
    /// Those that rest.
    pub resting: u64,
    /// Those of which a replica comes or goes.
    pub moving: u64,
    /// Those that are being split.
    pub splitting: u64,
    /// Those that decide most, hottest first.
    pub hottest: Vec<BusyPartition>,
}

/// What becomes of a replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SeatState {
    /// It is a member.
    Settled,
    /// It is to be one.
    Joining,
    /// It is to be none.
    Leaving,
}

/// What a region knows of one partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionStatus {
    /// Which.
    pub partition: GroupId,
    /// Of which hashes.
    pub range: HashRange,
    /// Where its replicas sit, the one that is to lead first.
    pub seats: Vec<(NodeId, SeatState)>,
    /// Who leads, as far as the answering node knows.
    pub leader: Option<NodeId>,
    /// Whether it is being split, or is yet to be taken from the one that is.
    pub splitting: bool,
    /// What its leader decided lately; absent if that was little.
    pub load: Option<PartitionLoad>,
}

/// What a partition's leader decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartitionLoad {
    /// Reads and writes a second.
    pub per_second: u64,
    /// A hash with about as many of them below as at or above it; none, where most are of one hash.
    pub middle: Option<KeyHash>,
}

/// The answer to a cluster command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClusterAnswer {
    /// To `Join`.
    Joined {
        /// The new node's number.
        node: NodeId,
        /// The other nodes, and where they are as far as the catalog knows.
        members: Vec<(NodeId, String)>,
    },
    /// To `Nodes`, `Drain`, `Resume` and `Remove`: all nodes, in order.
    Nodes(Vec<NodeStatus>),
    /// To `Partitions`, `Move` and `Split`: the table's partitions, in order.
    Partitions(Vec<PartitionStatus>),
}

/// One live record's key and a digest of its canonical bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyVersion {
    /// The item's key attributes, in the canonical encoding of an item.
    pub key: Vec<u8>,
    /// The record's version time.
    pub time: HybridTime,
    /// Digest of version and body.
    pub digest: u64,
}

/// The digest of one part of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartDigest {
    /// Which part.
    pub range: HashRange,
    /// How many live records it holds.
    pub count: u64,
    /// Their digest, independent of encoding and order; tombstones are left out (`P11`).
    pub digest: u128,
}

/// A region's copy of a table, as `describe` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableStatus {
    /// The table.
    pub descriptor: TableDescriptor,
    /// When it was created, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// A partition and whom to ask about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartitionRoute {
    /// The first hash of it; it ends where the next one begins.
    pub first: KeyHash,
    /// Its leader, or else who is to lead it.
    pub node: Option<NodeId>,
    /// Whether that node leads, as far as the asked one has heard.
    pub leads: bool,
}

/// Which node leads which part of a table, as a node knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableRoutes {
    /// The table.
    pub table: TableId,
    /// Whose values are hashed.
    pub partition_key: KeyAttribute,
    /// In the order of their hashes; none if the region has no copy.
    pub partitions: Vec<PartitionRoute>,
    /// The nodes of the region, and where they are as far as the catalog says.
    pub nodes: Vec<(NodeId, String)>,
}

/// What a region knows of one peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerStatus {
    /// Which peer.
    pub region: RegionName,
    /// Whether a link to it is up.
    pub connected: bool,
    /// Whether shipping to it is paused.
    pub paused: bool,
    /// Changes it has not acknowledged.
    pub pending_changes: u64,
    /// Their bytes, as keys and versions.
    pub pending_bytes: u64,
    /// Milliseconds by which the oldest closed time received from it lags behind this region's clock.
    pub lag_ms: Option<u64>,
}

/// The answer to a table command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableAnswer {
    /// To `Create`, `Describe` and `Delete`.
    Table(TableStatus),
    /// To `Routes`.
    Routes(TableRoutes),
    /// To `List`; `more` tells that names follow the last one.
    Names {
        /// In order.
        names: Vec<TableName>,
        /// Whether the limit cut the list.
        more: bool,
    },
    /// To `Digest`.
    Digest {
        /// The table's id, so that two tables of one name are not compared.
        table: TableId,
        /// One per part, in order.
        parts: Vec<PartDigest>,
        /// The positions at which they were taken: partition and applied index.
        positions: Vec<(u64, u64)>,
    },
    /// To `Versions`; `more` tells that the limit cut the list.
    Versions {
        /// In key order.
        keys: Vec<KeyVersion>,
        /// Whether the limit cut the list.
        more: bool,
    },
}

/// The answer to a region command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegionAnswer {
    /// The answering region.
    pub region: RegionName,
    /// Its tables.
    pub tables: u64,
    /// Its partitions.
    pub partitions: u64,
    /// Entries in its conflict ledger.
    pub ledger_entries: u64,
    /// Its peers, sorted by name.
    pub peers: Vec<PeerStatus>,
    /// All its nodes, in order, and what they told of themselves lately.
    pub nodes: Vec<(NodeStatus, Option<NodeFigures>)>,
    /// The whole region.
    pub summary: RegionSummary,
}
