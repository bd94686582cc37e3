//! What is stored and how: the `Engine` trait, records, and one file per kind of key.
//!
//! Formats here are for ever: tags are never reused, every value begins with its format's version, and a
//! committed fixture of each must decode in every later release. Nothing here does I/O.

pub mod batch;
mod codec;
pub mod engine;
pub mod error;
pub mod keys;
pub mod log;
pub mod memory;
pub mod record;
#[cfg(test)]
mod samples;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use batch::Batch;
pub use engine::{Direction, Engine, Read, Room};
pub use error::Error;
pub use log::{LogBatch, LogEntry};
pub use record::Record;
