//! What a turn asks of its driver.

use crate::{Envelope, SnapshotRead};

/// Turns of one shard, counted from its start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct TurnId(pub u64);

/// The result of a turn.
#[derive(Debug)]
pub struct Turn<S> {
    /// To be given to `Shard::persisted` once the sync is done.
    pub id: TurnId,
    /// Whether the log must be synced: `Engine::sync`, then `Shard::persisted`, in the order of the turns.
    /// When false, `persisted` is not called for this turn.
    pub sync: bool,
    /// What may leave before the sync.
    pub send: Vec<Envelope>,
    /// Long reads to run wherever there is time: each on a snapshot of its own, each ending in a reply.
    pub reads: Vec<SnapshotRead<S>>,
}
