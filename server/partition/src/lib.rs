//! The item state machine of one partition: commands become effects, effects become key-value writes.
//!
//! A command is decided once, at the leader, against committed data and the leader's own overlay; the log
//! carries the effect, and `apply` reads nothing; only a split reads what it moves. Nothing here knows raft,
//! links or clocks.

pub mod apply;
pub mod collect;
pub mod delete;
pub mod digest;
pub mod effect;
pub mod forget;
pub mod get;
pub mod home;
pub mod overlay;
pub mod page;
pub mod put;
pub mod query;
pub mod receive;
pub mod remembered;
pub mod scan;
pub mod split;
pub mod trim;
pub mod update;
pub mod versions;
pub mod view;
pub mod write;

pub use apply::apply;
pub use effect::{Effect, Step};
pub use home::Home;
pub use overlay::Overlay;
pub use view::View;
pub use write::{Decision, Moment};
