//! Counts of what a shard has done since its start, for metrics and for the simulator's counters.

use storage::Room;
use types::RegionId;

/// Plain numbers, cheap to take.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Whether every partition decides and the catalog is readable.
    pub serving: bool,
    /// Tables that have a copy here.
    pub tables: u64,
    /// Partitions led here.
    pub partitions: u64,
    /// Writes answered with success.
    pub acknowledged_writes: u64,
    /// Requests answered, of any kind and result.
    pub answered: u64,
    /// Entries of the conflict ledger, superseded ones included.
    pub ledger_entries: u64,
    /// Records sent to peers, repetitions included.
    pub records_shipped: u64,
    /// Records that came from peers, repetitions included.
    pub records_received: u64,
    /// Batches sent again after a broken link, a refusal or a silence.
    pub batches_resent: u64,
    /// Tombstones collected.
    pub tombstones_collected: u64,
    /// Closed times received that were above the one before.
    pub closed_times_received: u64,
    /// Steps of the wall clock, none of which was followed (`P7`).
    pub clock_steps: u64,
    /// Batches held back because a version was too far ahead of this clock (`P7`).
    pub batches_held: u64,
    /// Messages from links that were damaged or not meant for this life.
    pub messages_refused: u64,
    /// Replicas whose data came from another node.
    pub replicas_fetched: u64,
    /// Replicas that were split here.
    pub partitions_split: u64,
    /// Replicas whose data another node was given to the end, repetitions included.
    pub replicas_supplied: u64,
    /// Changes of members that were proposed here.
    pub changes_of_members: u64,
    /// The disk's room, where it is limited.
    pub room: Option<Room>,
    /// Whether the disk is nearly full, so that writes are refused.
    pub nearly_full: bool,
    /// Writes and creations of tables that were refused for want of room.
    pub refused_for_room: u64,
    /// One per peer, in the order of their ids.
    pub peers: Vec<PeerFigures>,
}

/// Figures of the link to one peer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PeerFigures {
    /// Which peer.
    pub region: RegionId,
    /// Whether the link is up.
    pub connected: bool,
    /// Whether shipping to it is paused.
    pub paused: bool,
    /// Changes it has not acknowledged.
    pub pending_changes: u64,
    /// Bytes of their records.
    pub pending_bytes: u64,
    /// How far the oldest closed time received from it lies behind this clock; `None` while a table is
    /// without.
    pub lag_ms: Option<u64>,
}
