//! How long to wait before a peer is dialled again: doubling, with jitter, so that nodes do not dial in step.

use std::time::Duration;

use rand::RngExt;
use types::limits;

/// Counts failures in a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure: between half of the bound and the bound.
    pub fn next(&mut self, random: &mut impl rand::Rng) -> Duration {
        let doubled = limits::LINK_BACKOFF_MS_MIN.checked_shl(self.failures.min(32)).unwrap_or(u64::MAX);
        let bound = doubled.min(limits::LINK_BACKOFF_MS_MAX);
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis(random.random_range(bound / 2..=bound))
    }

    /// A link was up: begins anew.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether the last attempt failed.
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_anew() {
        let mut backoff = Backoff::default();
        let random = &mut rand::rng();
        for failure in 0..100 {
            let bound = limits::LINK_BACKOFF_MS_MAX.min(limits::LINK_BACKOFF_MS_MIN << failure.min(30));
            let wait = backoff.next(random).as_millis() as u64;
            assert!((bound / 2..=bound).contains(&wait), "{wait} ms after {failure} failures");
        }
        assert!(backoff.is_failing());
        backoff.reset();
        assert!(!backoff.is_failing());
        assert!(backoff.next(random).as_millis() as u64 <= limits::LINK_BACKOFF_MS_MIN);
    }
}
