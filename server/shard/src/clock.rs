//! Hybrid time out of a raw monotonic clock slewed towards wall time (`P7`).
//!
//! A step of the wall clock is never followed; it is counted, and the slew closes the gap slowly. The ceiling
//! goes to the log before any time above it is given, so that a restart begins above all that were given.

use types::{HybridTime, Now, limits};

/// The clock of a node's shards.
#[derive(Clone, Debug)]
pub struct Clock {
    monotonic_ns: u64,
    physical_ns: u128,
    offset_ms: i64,
    last: HybridTime,
    ceiling: HybridTime,
    durable: HybridTime,
    steps: u64,
}

/// Nanoseconds of a millisecond.
pub(crate) const NS_PER_MS: u64 = 1_000_000;

impl Clock {
    /// Starts above the ceiling of the life before.
    pub fn new(now: Now, ceiling: HybridTime) -> Self {
        Clock {
            monotonic_ns: now.monotonic_ns,
            physical_ns: u128::from(now.wall_ms) * u128::from(NS_PER_MS),
            offset_ms: 0,
            last: ceiling,
            ceiling,
            durable: ceiling,
            steps: 0,
        }
    }

    /// Takes in both clocks.
    pub fn advance(&mut self, now: Now) {
        let elapsed = u128::from(now.monotonic_ns.saturating_sub(self.monotonic_ns));
        self.monotonic_ns = self.monotonic_ns.max(now.monotonic_ns);
        self.physical_ns += elapsed;
        let wall_ns = u128::from(now.wall_ms) * u128::from(NS_PER_MS);
        let offset_ms = ((wall_ns as i128 - self.physical_ns as i128) / i128::from(NS_PER_MS)) as i64;
        if offset_ms.abs_diff(self.offset_ms) > limits::CLOCK_STEP_MS {
            self.steps += 1;
        }
        self.offset_ms = offset_ms;
        let slew = elapsed * u128::from(limits::CLOCK_SLEW_PPM) / 1_000_000;
        match wall_ns > self.physical_ns {
            true => self.physical_ns += slew.min(wall_ns - self.physical_ns),
            false => self.physical_ns -= slew.min(self.physical_ns - wall_ns),
        }
    }

    /// The slewed clock, in milliseconds since the epoch.
    pub fn physical_ms(&self) -> u64 {
        (self.physical_ns / u128::from(NS_PER_MS)) as u64
    }

    /// The present time: at or above every time given, given to nobody.
    pub fn present(&self) -> HybridTime {
        HybridTime::from_millis(self.physical_ms()).max(self.last)
    }

    /// A time above every time given.
    pub fn tick(&mut self) -> HybridTime {
        self.last = HybridTime::from_millis(self.physical_ms()).max(self.last.next());
        self.last
    }

    /// No time at or below this is given from here on.
    pub fn pass(&mut self, time: HybridTime) {
        self.last = self.last.max(time);
    }

    /// The ceiling to append before anything of this turn, if it is due.
    pub fn raise_ceiling(&mut self) -> Option<HybridTime> {
        let physical = HybridTime::from_millis(self.physical_ms());
        let (ahead, near) = (limits::CLOCK_CEILING_AHEAD_MS, limits::CLOCK_CEILING_NEAR_MS);
        if self.present().plus_millis(near).max(physical.plus_millis(ahead / 2)) <= self.ceiling {
            return None;
        }
        self.ceiling = physical.plus_millis(ahead).max(self.present().plus_millis(2 * near));
        Some(self.ceiling)
    }

    /// A ceiling is durable.
    pub fn set_durable(&mut self, ceiling: HybridTime) {
        self.durable = self.durable.max(ceiling);
    }

    /// The durable ceiling: a promise about the future must stay at or below it.
    pub fn durable(&self) -> HybridTime {
        self.durable
    }

    /// Steps of the wall clock since the start.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64, wall_ms: u64) -> Now {
        Now { monotonic_ns: ms * 1_000_000, wall_ms }
    }

    #[test]
    fn a_step_is_counted_and_not_followed() {
        let mut clock = Clock::new(at(0, 1000), HybridTime::ZERO);
        clock.advance(at(100, 1100));
        assert_eq!((clock.physical_ms(), clock.steps()), (1100, 0));
        clock.advance(at(200, 3_601_200));
        assert_eq!((clock.physical_ms(), clock.steps()), (1200, 1));
        clock.advance(at(10_200, 3_611_200));
        assert_eq!((clock.physical_ms(), clock.steps()), (11_205, 1), "500 parts per million of ten seconds");
    }

    #[test]
    fn time_never_goes_back_not_even_over_a_restart() {
        let mut clock = Clock::new(at(0, 1000), HybridTime::ZERO);
        let ceiling = clock.raise_ceiling().expect("the first is due");
        let given = clock.tick();
        assert!(given < ceiling && clock.tick() > given);
        let mut clock = Clock::new(at(0, 10), ceiling);
        assert!(clock.tick() > ceiling);
    }

    #[test]
    fn quick_restarts_do_not_run_ahead_of_the_clock() {
        let mut ceiling = HybridTime::ZERO;
        for start in 0..10 {
            let mut clock = Clock::new(at(0, 1000 + start), ceiling);
            ceiling = clock.raise_ceiling().unwrap_or(ceiling);
        }
        let most = 1009 + limits::CLOCK_CEILING_AHEAD_MS + 20 * limits::CLOCK_CEILING_NEAR_MS;
        assert!(ceiling.millis() <= most, "{ceiling}");
    }

    #[test]
    fn the_ceiling_is_renewed_at_half() {
        let mut clock = Clock::new(at(0, 1000), HybridTime::ZERO);
        assert!(clock.raise_ceiling().is_some());
        assert_eq!(clock.raise_ceiling(), None);
        clock.advance(at(501, 1501));
        assert!(clock.raise_ceiling().is_some());
    }
}
