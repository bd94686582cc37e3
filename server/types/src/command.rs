//! What operators ask of tables and regions, and the answers, as plain data.
//!
//! `api` makes these from requests, the region's control plane carries them out.

use crate::{HashRange, HybridTime, KeySchema, RegionName, TableDescriptor, TableId, TableName};

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
}
