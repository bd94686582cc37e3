//! The only place that asks what time it is: both clocks, read together.
//!
//! Shards get a `Now` with each turn and never look for themselves (`P7`). The monotonic clock is the
//! system's `CLOCK_MONOTONIC`: time servers may slew it, nobody can step it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use types::Now;

/// Both clocks of this machine; copies share one origin, so their readings can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose monotonic side begins at 1 ns here, so that 0 is always in the past.
    pub fn start() -> Self {
        let origin = Instant::now();
        Clock { origin: origin.checked_sub(Duration::from_nanos(1)).unwrap_or(origin) }
    }

    /// Reads both clocks.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { monotonic_ns: self.monotonic_ns(), wall_ms: saturate(wall.as_millis()) }
    }

    /// Reads the monotonic clock, in nanoseconds.
    pub fn monotonic_ns(&self) -> u64 {
        saturate(self.origin.elapsed().as_nanos())
    }

    /// How long it is until a reading of the monotonic clock; nothing when that has passed.
    pub fn until(&self, monotonic_ns: u64) -> Duration {
        Duration::from_nanos(monotonic_ns.saturating_sub(self.monotonic_ns()))
    }
}

fn saturate(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_never_go_back_and_are_shared_by_copies() {
        let clock = Clock::start();
        let copy = clock;
        let first = clock.now();
        let second = copy.now();
        assert!(first.monotonic_ns >= 1);
        assert!(second.monotonic_ns >= first.monotonic_ns);
        assert!(first.wall_ms > 1_600_000_000_000);
    }

    #[test]
    fn what_has_passed_is_at_once() {
        let clock = Clock::start();
        assert_eq!(clock.until(0), Duration::ZERO);
        assert!(clock.until(clock.monotonic_ns() + 60_000_000_000) > Duration::from_secs(50));
    }
}
