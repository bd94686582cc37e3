//! Meridian as its users meet it: three processes, the command line, the sockets, and everything that breaks.
//!
//! Each module is a claim of the README. All of them run in CI at small counts and under `make accept` at
//! full ones, where times are judged as well. One binary holds them all, since linking is slow.

mod bad_bytes;
mod bad_input;
mod beyond_memory;
mod disaster;
mod flights;
mod full_disk;
mod hostility;
mod import;
mod kill;
mod latency;
mod leaders;
mod members;
mod movies;
mod nodes;
mod nodes_cost;
mod overload;
mod pause;
mod planted;
mod power_cut;
mod presplit;
mod rivals;
mod speed;
mod splits;
mod tls;
mod walk;
