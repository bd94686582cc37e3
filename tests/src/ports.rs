//! Free ports that stay the same over a server's restarts.
//!
//! They lie below the range from which the kernel takes ports for outgoing connections: otherwise a peer that
//! dials a dead server could be given that very port, and talk to itself.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port of 127.0.0.1 on which nobody listens, and which this process has not given out before.
pub fn free() -> u16 {
    row(1)
}

/// The first of so many free ports in a row.
pub fn row(length: u32) -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(101);
    for _ in 0..COUNT {
        let step = TAKEN.fetch_add(length, Ordering::Relaxed);
        let first = FIRST + start.wrapping_add(step) % COUNT;
        if (first..first + length).all(|port| TcpListener::bind(("127.0.0.1", port as u16)).is_ok()) {
            return first as u16;
        }
    }
    panic!("no {length} free ports from {FIRST} to {}", FIRST + COUNT);
}
