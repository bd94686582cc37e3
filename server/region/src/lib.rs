//! A region's control plane: the catalog of its tables, and the fan-out of requests over partitions.
//!
//! The catalog is a raft group like any partition: commands are decided at its leader, the log carries the
//! resulting entries, and applying reads nothing. Nothing here sends, stores or waits.

pub mod catalog;
pub mod entry;
pub mod fan_out;
mod membership;
pub mod nodes;
mod placement;
pub mod seat;
mod split;
pub mod table;
pub mod update;

pub use catalog::{Catalog, Learned, Settings, Table};
pub use entry::{Copy, Entry, Life};
pub use fan_out::BatchWriteFan;
pub use nodes::{Node, Nodes};
pub use seat::Seat;
pub use table::{Child, Children};
pub use update::Update;
