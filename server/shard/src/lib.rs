//! One shard: every layer below composed on one thread, driven by whoever owns clocks and sockets.
//!
//! `node` drives it from an OS thread and `sim` from its event queue, through the same two calls:
//! `Shard::turn` decides and appends, `Shard::persisted` releases what had to wait for the sync (`P22`).
//! Nothing here reads a clock, opens a socket or blocks on anything but the engine.

mod advance;
mod batches;
mod catalog;
pub mod clock;
mod cluster;
mod compact;
mod confirm;
mod data;
pub mod envelope;
pub mod error;
mod fetch;
pub mod figures;
mod growth;
mod housekeeping;
pub mod identity;
pub mod inbox;
mod letters;
mod links;
mod load;
pub mod member;
mod nodes;
#[cfg(feature = "observe")]
pub mod observation;
mod open;
mod overview;
mod peer;
mod prepare;
mod pulse;
mod quiescence;
mod reads;
mod receiving;
mod replica;
mod requests;
mod reseat;
mod room;
mod route;
mod routes;
pub mod settings;
mod shard;
mod shipping;
pub mod snapshot_read;
mod split;
mod supply;
pub mod turn;
mod waiter;
mod wide;
mod writes;

pub use clock::Clock;
pub use envelope::{Envelope, Link, NodeLink, PeerNode, Reply, Request};
pub use error::Error;
pub use figures::{Figures, PeerFigures};
pub use identity::Identity;
pub use inbox::Inbox;
pub use member::Member;
pub use settings::{FirstStart, Settings};
pub use shard::Shard;
pub use snapshot_read::SnapshotRead;
pub use turn::{Turn, TurnId};
