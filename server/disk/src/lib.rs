//! The real disk: RocksDB for the key space, raft-engine for the logs, both in one data folder.
//!
//! What a user sees of it is the folder: `FORMAT` says whose it is and how to read it, `LOCK` is held while a
//! process uses it, `db/` is RocksDB's, `log/` is raft-engine's, and `SYNCED` says how much of the log
//! certainly was durable. RocksDB runs without a log of its own: what was written and not flushed is gone
//! after a crash, and raft replays it. The first failed write or sync closes the disk for good; nothing here
//! tries anything twice.
//!
//! It must pass the same scripts as `storage::memory` (`P23`). Only `node` may depend on it.

mod disk;
pub mod error;
mod folder;
mod log;
mod recent;
mod room;
mod space;
#[cfg(test)]
mod tests;

pub use disk::{Disk, Options, Snapshot};
pub use error::Error;
pub use space::Budget;
