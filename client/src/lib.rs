//! The client library: typed errors, safe retries within a budget, deadlines and the choice of a region.
//!
//! What decides (`budget`, `retry`, `choice`, `failure`, `throttle`, `routes`, `ways`) is pure and builds
//! without sockets; the feature `transport` adds `Client`, which asks it and does what it says. The command
//! line `meridian` stands on this library alone.

pub mod budget;
pub mod choice;
pub mod error;
pub mod failure;
pub mod retry;
pub mod routes;
pub mod target;
pub mod throttle;
pub mod ways;

#[cfg(feature = "transport")]
pub mod transport;

pub use error::{Error, Refusal};
#[cfg(feature = "transport")]
pub use transport::tls::Tls;
#[cfg(feature = "transport")]
pub use transport::{Client, Settings};
