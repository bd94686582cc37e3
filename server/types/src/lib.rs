//! Words shared by every layer: ids, hybrid time, versions, table descriptors, routes and limits.
//!
//! Nothing here does I/O, reads a clock or draws a random number; every type is plain data with an
//! explicit order and explicit bytes, because the same bytes must come out in every region.

pub mod bytes;
pub mod causal;
pub mod command;
pub mod descriptor;
#[cfg(feature = "testing")]
pub mod fixture;
pub mod ids;
pub mod limits;
pub mod names;
pub mod now;
pub mod planted;
pub mod route;
pub mod time;
pub mod version;

pub use causal::Seen;
pub use descriptor::{KeyAttribute, KeySchema, KeyType, TableDescriptor, TableState};
pub use ids::{GroupId, Incarnation, NodeId, PartitionId, RegionId, RequestId, TableId};
pub use names::{InvalidName, RegionName, TableName};
pub use now::Now;
pub use planted::{Faults, Planted};
pub use route::{HashRange, KeyHash, key_hash};
pub use time::HybridTime;
pub use version::Version;
