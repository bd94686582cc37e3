//! One raft group: the log of a partition or catalog, kept by raft-rs and stored in an engine's log store.
//!
//! The shard drives it. It hands over ticks, messages and proposals, and then asks `Group::ready` what is to
//! be done: what to append to the log (into the shard's `LogBatch`, one sync for all groups), what to send,
//! what to apply. When the sync is done, `Group::persisted` releases what had to wait for it.
//!
//! A group of one voter takes the same path as any other: its leader commits an entry once it is synced. It
//! needs no ticks: `Group::campaign` makes it leader at once, and nobody can depose it.
//!
//! Nothing here reads a clock, starts a thread, draws randomness of its own or writes to the engine.

mod campaign;
mod change;
mod compact;
mod create;
mod error;
mod format;
mod group;
mod logger;
pub mod members;
mod open;
mod propose;
mod quiet;
mod ready;
mod restore;
mod step;
mod store;
mod tail;
#[cfg(test)]
mod tests;
mod transfer;

pub use create::{BEGINNING, begin, create};
pub use error::{Error, ProposeError, StepError};
pub use group::Group;
pub use members::{Change, Members, Step};
pub use quiet::Belief;
pub use ready::{Committed, Message, Ready};
pub use restore::{Point, join};
