//! The simulator: the shards of several regions in a virtual world that only a seed decides.
//!
//! `world` drives the same `Shard` as production does, over simulated disks, clocks and links; a `scenario`
//! says what clients do and which faults strike; `checker` judges what happened by what reached the disks. A
//! seed always gives the same run, byte for byte, and each is run twice to prove it. Nothing here may ask the
//! machine for time, chance or addresses: the binary alone knows threads and a clock, to spread seeds and
//! print a rate.

pub mod chance;
pub mod checker;
pub mod clock;
pub mod disk;
pub mod event;
pub mod finals;
pub mod history;
pub mod network;
pub mod node;
pub mod observation;
pub mod planted;
pub mod registers;
pub mod report;
pub mod run;
pub mod scenario;
pub mod seeds;
pub mod tally;
pub mod trace;
pub mod violation;
pub mod workload;
pub mod world;
