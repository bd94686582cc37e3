//! Drives Meridian from outside: real processes, real sockets, real disks, and what users hold in their
//! hands.
//!
//! The tests start three regions, load them, break them and ask what is left. Nothing here links the server;
//! what a server said is all that is known of it. Writes go over the bare gRPC stubs, so that every
//! acknowledgement is seen, and the rest through the `meridian` command line.

pub mod alone;
pub mod bench;
pub mod chance;
pub mod clients;
pub mod command_line;
pub mod etcd;
pub mod fill;
pub mod flood;
pub mod garbage;
pub mod history;
pub mod load;
pub mod metrics;
pub mod ports;
pub mod power;
pub mod probe;
pub mod program;
pub mod redis;
pub mod regions;
pub mod registers;
pub mod report;
pub mod server;
pub mod settings;
pub mod verdict;
pub mod watchdog;
pub mod wire;
pub mod workers;
