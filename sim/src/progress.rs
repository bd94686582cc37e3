//! A line now and then on a terminal, so that somebody who waits sees how far it is.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use sim::run::Verdict;

/// Seeds between two lines.
const SEEDS_PER_LINE: u64 = 50;

/// How far a run of seeds is.
pub struct Progress {
    began: Instant,
    seeds: u64,
    done: u64,
    failed: u64,
    shown: bool,
}

impl Progress {
    /// Nothing is done.
    pub fn new(seeds: u64) -> Self {
        let shown = std::io::stderr().is_terminal();
        Progress { began: Instant::now(), seeds, done: 0, failed: 0, shown }
    }

    /// A seed is done.
    pub fn seed(&mut self, verdict: &Verdict) {
        self.done += 1;
        self.failed += u64::from(!verdict.violations.is_empty());
        if self.shown && self.done.is_multiple_of(SEEDS_PER_LINE) {
            let rate = self.done as f64 / self.began.elapsed().as_secs_f64();
            let Progress { seeds, done, failed, .. } = self;
            let _ =
                writeln!(std::io::stderr(), "{done} of {seeds} seeds, {failed} failed, {rate:.1} per second");
        }
    }
}
