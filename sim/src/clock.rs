//! A machine's two clocks, as far from true time as real ones are.
//!
//! Both run on one crystal, which drifts. The wall clock also starts off true time and can be stepped; the
//! raw monotonic clock knows nothing of steps. Only the world knows true time, in nanoseconds since it began.

use types::Now;

/// Wall time when the world begins, in milliseconds since the Unix epoch.
pub const EPOCH_MS: u64 = 1_800_000_000_000;

/// Nanoseconds in a millisecond.
pub const MILLISECOND_NS: u64 = 1_000_000;
/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000 * MILLISECOND_NS;

const MILLION: i128 = 1_000_000;

/// The clocks of one machine.
#[derive(Clone, Debug)]
pub struct Clock {
    drift_ppm: i64,
    offset_ms: i64,
    step_ms: i64,
    booted_ns: u64,
    monotonic_base_ns: u64,
}

impl Clock {
    /// A clock that drifts by parts per million and whose wall time is off by `offset_ms`.
    pub fn new(drift_ppm: i64, offset_ms: i64, monotonic_base_ns: u64) -> Self {
        Clock { drift_ppm, offset_ms, step_ms: 0, booted_ns: 0, monotonic_base_ns }
    }

    /// What both clocks show at a true time.
    pub fn read(&self, at_ns: u64) -> Now {
        let wall_ns = EPOCH_MS as i128 * MILLION + self.crystal_ns(at_ns);
        let wall_ms = wall_ns / MILLION + i128::from(self.offset_ms + self.step_ms);
        Now { monotonic_ns: self.monotonic_ns(at_ns), wall_ms: wall_ms as u64 }
    }

    /// The first true time at which the monotonic clock shows at least `monotonic_ns`.
    pub fn when(&self, monotonic_ns: u64) -> u64 {
        let elapsed = i128::from(monotonic_ns.saturating_sub(self.monotonic_base_ns));
        let rate = MILLION + i128::from(self.drift_ppm);
        let crystal_ns = self.crystal_ns(self.booted_ns) + elapsed;
        u64::try_from((crystal_ns * MILLION + rate - 1) / rate).unwrap_or(u64::MAX).max(self.booted_ns)
    }

    /// Steps the wall clock off where it otherwise would be, until the next step.
    pub fn step_to(&mut self, step_ms: i64) {
        self.step_ms = step_ms;
    }

    /// How far the wall clock is stepped off.
    pub fn stepped_ms(&self) -> i64 {
        self.step_ms
    }

    /// The machine starts again: its monotonic clock begins elsewhere, perhaps lower than it was.
    pub fn reboot(&mut self, at_ns: u64, monotonic_base_ns: u64) {
        self.booted_ns = at_ns;
        self.monotonic_base_ns = monotonic_base_ns;
    }

    fn monotonic_ns(&self, at_ns: u64) -> u64 {
        let since_boot_ns = self.crystal_ns(at_ns) - self.crystal_ns(self.booted_ns);
        self.monotonic_base_ns + since_boot_ns.max(0) as u64
    }

    /// Nanoseconds that the crystal has counted since the world began.
    fn crystal_ns(&self, at_ns: u64) -> i128 {
        i128::from(at_ns) * (MILLION + i128::from(self.drift_ppm)) / MILLION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_and_offset_show_in_wall_time() {
        let clock = Clock::new(200, -150, 5);
        let now = clock.read(100 * SECOND_NS);
        assert_eq!(now.wall_ms, EPOCH_MS + 100_000 + 20 - 150);
        assert_eq!(now.monotonic_ns, 5 + 100 * SECOND_NS + 20_000_000);
    }

    #[test]
    fn steps_leave_the_monotonic_clock_alone() {
        let mut clock = Clock::new(-200, 0, 0);
        let before = clock.read(SECOND_NS);
        clock.step_to(-3000);
        let after = clock.read(SECOND_NS);
        assert_eq!(after.monotonic_ns, before.monotonic_ns);
        assert_eq!(after.wall_ms, before.wall_ms - 3000);
    }

    #[test]
    fn when_is_the_first_moment_that_shows_a_time() {
        for drift in [-200, -1, 0, 3, 200] {
            let mut clock = Clock::new(drift, 0, 17);
            clock.reboot(3 * SECOND_NS + 1, 999);
            for wanted in [999, 1000, 1001, 123_456_789, 10 * SECOND_NS + 7] {
                let at = clock.when(wanted);
                assert!(clock.read(at).monotonic_ns >= wanted, "drift {drift}, wanted {wanted}");
                assert!(
                    at == clock.booted_ns || clock.read(at - 1).monotonic_ns < wanted,
                    "drift {drift}, wanted {wanted}"
                );
            }
        }
    }
}
