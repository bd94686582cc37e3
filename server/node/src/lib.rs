//! A node of Meridian: the clocks, threads and sockets around the shard.
//!
//! Everything below this crate is pure and simulated; everything here is glue that must decide nothing
//! (`P22`): when to answer, what to sync and which clock to believe is the shard's. `driver` feeds the shard,
//! `sync` and `flush` wait for its disk, `service`, `session` and `health` face clients, `link_out` and
//! `link_in` face peers, `tls` and `caller` make sure of them, `parties` knows who these are, `place` and
//! `join` who the node itself is, and `node` puts them together for one region. Only `disks` and the binary
//! name the real disk.

pub mod admission;
pub mod authority;
pub mod backoff;
pub mod call;
pub mod caller;
pub mod certificate;
pub mod clock;
pub mod connections;
pub mod deadline;
pub mod dev;
#[cfg(feature = "disk")]
pub mod disks;
pub mod driver;
pub mod expressions;
pub mod flush;
pub mod forward;
pub mod fullness;
#[cfg(test)]
mod gated;
pub mod handle;
pub mod handshake;
pub mod health;
pub mod join;
pub mod join_address;
pub mod latency;
pub mod link_in;
pub mod link_out;
pub mod link_queue;
#[cfg(test)]
mod link_tests;
pub mod log;
pub mod maintain;
pub mod member_address;
pub mod metrics;
pub mod node;
pub mod options;
pub mod outward;
pub mod parties;
pub mod peer_address;
pub mod persist;
pub mod ping;
pub mod place;
pub mod read_on;
mod reads;
pub mod reply;
pub mod seldom;
pub mod serve;
pub mod service;
pub mod session;
pub mod settings;
pub mod size;
pub mod socket;
pub mod spread;
pub mod stop;
pub mod sync;
pub mod threads;
pub mod tls;
pub mod unfinished;
