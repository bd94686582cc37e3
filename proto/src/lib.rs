//! The messages of the public API and of the links between nodes, and their conversions from and to `item`.
//!
//! The `.proto` files under `proto/` are the contract; this crate gives it Rust types. Messages are always
//! built, tonic's stubs only with the features `client` and `server`. Nothing here decides what a request
//! means: that is `api`'s.

pub mod convert;
pub mod detail;
pub mod stored;

#[cfg(any(feature = "client", feature = "server"))]
pub mod codec;

/// The metadata of a unary answer that names the node which gave it, if it was not the one that was asked: a
/// decimal number, as `SessionAnswer.node` is.
pub const ANSWERED_BY: &str = "meridian-answered-by";

/// The public API, `meridian.v1`.
pub mod v1 {
    #![allow(missing_docs, clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/meridian.v1.rs"));
}

/// The links between nodes, `meridian.link.v1`.
pub mod link {
    #![allow(missing_docs, clippy::all, clippy::allow_attributes_without_reason, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/meridian.link.v1.rs"));
}
