//! What a run says while it lasts, on a terminal; nothing elsewhere.

use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};

/// A line on standard error.
pub(super) struct Progress {
    line: ProgressBar,
    shown: bool,
}

impl Progress {
    /// Whether anybody is to see it.
    pub(super) fn new(shown: bool) -> Progress {
        let line = if shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            line.set_style(style);
        }
        Progress { line, shown }
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// So many of the items are loaded.
    pub(super) fn loaded(&self, items: u64, keys: u64) {
        self.line.set_message(format!("loading: {items} of {keys} items"));
        self.line.tick();
    }

    /// Shows the figures of the last second, and empties them.
    pub(super) fn second(&self, elapsed: Duration, latencies: &mut Histogram<u64>) {
        let p99_us = latencies.value_at_quantile(0.99) as f64 / 1000.0;
        let (seconds, operations) = (elapsed.as_secs(), latencies.len());
        self.line.set_message(format!("{seconds} s: {operations} operations/s, p99 {p99_us:.1} µs"));
        self.line.tick();
        latencies.reset();
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.line.finish_and_clear();
    }
}
