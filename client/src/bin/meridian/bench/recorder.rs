//! What was seen: latencies by part of the workload, and failures by name.
//!
//! Each thread has a recorder of its own, so that recording costs no lock; at the end they become one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use types::limits::BENCH_LATENCY_NS_MAX;

/// A histogram of nanoseconds, exact to three digits.
pub(super) fn histogram() -> Histogram<u64> {
    let made = Histogram::new_with_bounds(1, BENCH_LATENCY_NS_MAX, 3);
    made.expect("the bounds are 1 and far above 2, with at most five digits")
}

/// What one thread saw, or all of them.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    /// For each part of the workload.
    pub(super) latencies: Vec<Histogram<u64>>,
    /// Operations that failed, by the name of the failure.
    pub(super) errors: BTreeMap<String, u64>,
    /// Reads that found nothing.
    pub(super) missing: u64,
    /// When the last answer came.
    pub(super) last_answer: Option<Instant>,
}

impl Recorder {
    /// For so many parts.
    pub(super) fn new(parts: usize) -> Recorder {
        Recorder {
            latencies: vec![histogram(); parts],
            errors: BTreeMap::new(),
            missing: 0,
            last_answer: None,
        }
    }

    /// Notes an operation that was answered.
    pub(super) fn answered(&mut self, part: usize, latency: Duration, at: Instant, found: bool) {
        self.latencies[part].saturating_record(nanoseconds(latency));
        self.missing += u64::from(!found);
        self.last_answer = self.last_answer.max(Some(at));
    }

    /// Notes an operation that failed.
    pub(super) fn failed(&mut self, name: &str) {
        match self.errors.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.errors.insert(name.to_owned(), 1)),
        }
    }

    /// Adds what another thread saw of the same workload.
    pub(super) fn add(&mut self, other: &Recorder) {
        for (own, other) in self.latencies.iter_mut().zip(&other.latencies) {
            own.add(other).expect("all histograms have the same bounds");
        }
        for (name, count) in &other.errors {
            *self.errors.entry(name.clone()).or_default() += count;
        }
        self.missing += other.missing;
        self.last_answer = self.last_answer.max(other.last_answer);
    }

    /// Operations that were answered.
    pub(super) fn operations(&self) -> u64 {
        self.latencies.iter().map(Histogram::len).sum()
    }

    /// Operations that failed.
    pub(super) fn failures(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// A latency for a histogram.
pub(super) fn nanoseconds(latency: Duration) -> u64 {
    u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorders_add_up() {
        let begun = Instant::now();
        let mut one = Recorder::new(2);
        let mut other = one.clone();
        one.answered(0, Duration::from_micros(10), begun, true);
        one.failed("ThrottlingException");
        other.answered(0, Duration::from_micros(20), begun + Duration::from_secs(1), false);
        other.answered(1, Duration::from_secs(100_000), begun, true);
        other.failed("ThrottlingException");
        other.failed("RequestTimeout");
        one.add(&other);
        assert_eq!((one.operations(), one.failures(), one.missing), (3, 3, 1));
        assert_eq!(one.errors["ThrottlingException"], 2);
        assert_eq!(one.last_answer, Some(begun + Duration::from_secs(1)));
        assert_eq!(one.latencies[0].len(), 2);
        assert!(one.latencies[1].max() >= BENCH_LATENCY_NS_MAX, "what is off the scale counts as its end");
    }
}
