//! Between regions: what is shipped, what has arrived, and up to when nothing more is to come.
//!
//! Links may lose, double and reorder messages; everything here is right regardless, and fast when they do
//! not. Nothing here sends or stores: a shard carries out what these state machines decide.

pub mod arrivals;
pub mod closed;
pub mod frame;
pub mod message;
pub mod range_times;
pub mod ship;

pub use arrivals::Arrivals;
pub use closed::Passed;
pub use message::{Ack, Batch, Message, Pulse, Shipped, Verdict};
pub use ship::Shipper;
