//! When operations are to start at a fixed rate: pure arithmetic on the time since the first.
//!
//! A server that stalls does not move the starts. Latency is counted from them, so that the operations which
//! a stall kept waiting show it ("coordinated omission", G. Tene).

use std::time::Duration;

const SECOND_NS: u128 = 1_000_000_000;

/// Starts at equal distances, numbered from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Schedule {
    rate: u64,
}

impl Schedule {
    /// So many starts in every second; at least one.
    pub(super) fn new(rate: u64) -> Schedule {
        Schedule { rate }
    }

    /// When a start is due.
    pub(super) fn start(self, number: u64) -> Duration {
        nanoseconds(u128::from(number) * SECOND_NS / u128::from(self.rate))
    }

    /// How many starts are due at or before a time.
    pub(super) fn due(self, elapsed: Duration) -> u64 {
        self.before(elapsed + Duration::from_nanos(1))
    }

    /// How many starts lie before a time.
    pub(super) fn before(self, elapsed: Duration) -> u64 {
        let starts = (elapsed.as_nanos() * u128::from(self.rate)).div_ceil(SECOND_NS);
        u64::try_from(starts).unwrap_or(u64::MAX)
    }
}

fn nanoseconds(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn starts_lie_at_equal_distances() {
        let schedule = Schedule::new(4);
        assert_eq!(schedule.start(0), Duration::ZERO);
        assert_eq!(schedule.start(1), Duration::from_millis(250));
        assert_eq!(schedule.start(40), Duration::from_secs(10));
        assert_eq!(schedule.due(Duration::ZERO), 1);
        assert_eq!(schedule.due(Duration::from_millis(249)), 1);
        assert_eq!(schedule.due(Duration::from_millis(250)), 2);
        assert_eq!(schedule.before(Duration::from_secs(10)), 40);
        assert_eq!(schedule.before(Duration::ZERO), 0);
    }

    proptest! {
        #[test]
        fn a_start_is_due_from_its_time_on(rate in 1u64..10_000_000, number in 0u64..1_000_000_000) {
            let schedule = Schedule::new(rate);
            let start = schedule.start(number);
            prop_assert_eq!(schedule.before(start), number);
            prop_assert_eq!(schedule.due(start), number + 1);
        }
    }
}
