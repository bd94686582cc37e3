//! The client library and the command line over real sockets, against a region that misbehaves.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is a failure with its place")]

mod benchmarks;
mod calls;
mod command_line;
mod commands;
mod fake_region;
mod imports;
mod routes;
mod verification;
