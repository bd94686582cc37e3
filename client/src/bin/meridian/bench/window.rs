//! The stretch of time whose operations count.
//!
//! An operation belongs to it by its start, never by its end: one that hangs when time is up is waited for,
//! so that a server which stalls at the end does not get away with it.

use std::time::{Duration, Instant};

/// From the first operation, over the end of the warm-up, to the last start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// When the first operation may start.
    pub(super) begun: Instant,
    /// For how long nothing is recorded.
    pub(super) warm_up: Duration,
    /// For how long operations start, the warm-up included.
    pub(super) length: Duration,
}

impl Window {
    /// Whether an operation with this start counts.
    pub(super) fn counts(&self, start: Instant) -> bool {
        start >= self.begun + self.warm_up
    }

    /// Whether no operation may start any more.
    pub(super) fn is_over(&self, at: Instant) -> bool {
        at >= self.begun + self.length
    }

    /// How long it took until everything that counts was answered, at least the planned time.
    pub(super) fn measured(&self, last_answer: Option<Instant>) -> Duration {
        let end = self.begun + self.length;
        last_answer.unwrap_or(end).max(end) - (self.begun + self.warm_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_count_by_their_start() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let window = Window { begun, warm_up: Duration::from_secs(1), length: Duration::from_secs(11) };
        assert!(!window.counts(begun) && window.counts(after(1)));
        assert!(!window.is_over(after(10)) && window.is_over(after(11)));
        assert_eq!(window.measured(None), Duration::from_secs(10));
        assert_eq!(window.measured(Some(after(5))), Duration::from_secs(10));
        assert_eq!(window.measured(Some(after(14))), Duration::from_secs(13));
    }
}
