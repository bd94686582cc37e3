//! What many seeds came to: a summary to read, or the same as JSON.

use serde::Serialize;

use crate::run::{Scenario, Verdict};
use crate::tally::Tally;
use crate::violation::Violation;

/// Failing seeds whose violations are shown; the first one's trace is, too.
const SHOWN_MAX: usize = 10;

/// A seed that failed.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What was wrong.
    pub violations: Vec<Violation>,
    /// The last lines of its trace.
    pub tail: Vec<String>,
}

/// A sum over seeds.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Seeds that were run.
    pub seeds: u64,
    /// Seeds with a violation.
    pub violations: u64,
    /// Seeds whose two runs differed.
    pub nondeterministic: u64,
    /// Required counts that are zero over all seeds.
    pub zero: Vec<&'static str>,
    /// Wall time in seconds, all threads together, both runs of each seed.
    pub thread_seconds: f64,
    /// Virtual seconds of one run of each seed per second of one thread.
    pub speed: f64,
    /// Virtual milliseconds that the slowest seed took to come to rest.
    pub quiesce_ms_max: u64,
    /// Counts of one run of each seed.
    pub tally: Tally,
    /// The seeds that failed, lowest first.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Adds a seed that took so many seconds.
    pub fn add(&mut self, verdict: Verdict, seconds: f64) {
        self.seeds += 1;
        self.tally.add(&verdict.tally);
        self.quiesce_ms_max = self.quiesce_ms_max.max(verdict.tally.quiesce_ms);
        self.thread_seconds += seconds;
        if verdict.violations.is_empty() {
            return;
        }
        let Verdict { seed, violations, tail, .. } = verdict;
        let differs = violations.iter().any(|violation| violation.check == "determinism");
        self.nondeterministic += u64::from(differs);
        self.violations += u64::from(violations.iter().any(|violation| violation.check != "determinism"));
        self.failures.push(Failure { seed, violations, tail });
    }

    /// Sums up what a scenario came to. Every required count must have been reached.
    pub fn finish(&mut self, scenario: Scenario) {
        self.failures.sort_by_key(|failure| failure.seed);
        let required = self.tally.required(scenario);
        self.zero = required.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect();
        self.speed = self.tally.virtual_ms as f64 / 1000.0 / self.thread_seconds.max(1e-9);
    }

    /// Whether every seed held and every required count was reached.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty() && self.zero.is_empty()
    }

    /// The report as text.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        if let Some(first) = self.failures.first().filter(|failure| !failure.tail.is_empty()) {
            lines.push(format!("the end of the trace of seed {} (`trace` prints all of it):", first.seed));
            lines.extend(first.tail.iter().map(|line| format!("  {line}")));
        }
        for failure in self.failures.iter().take(SHOWN_MAX) {
            lines.push(format!("seed {} failed:", failure.seed));
            lines.extend(failure.violations.iter().map(show));
        }
        if self.failures.len() > SHOWN_MAX {
            let rest = self.failures[SHOWN_MAX..].iter().map(|failure| {
                let check = failure.violations.first().map_or("", |violation| violation.check);
                format!("{} ({check})", failure.seed)
            });
            lines.push(format!("also failed: {}", rest.collect::<Vec<_>>().join(", ")));
        }
        lines.push(format!(
            "{} seeds: {} with violations, {} nondeterministic",
            self.seeds, self.violations, self.nondeterministic
        ));
        lines.extend(self.tally.named().iter().map(|(name, count)| format!("  {name:<24} {count:>14}")));
        lines.push(format!("  {:<24} {:>14}", "quiesce_ms_max", self.quiesce_ms_max));
        lines.push(format!("{:.0} virtual seconds per second of one core, both runs counted", self.speed));
        lines.extend(self.zero.iter().map(|name| format!("nothing was counted of: {name}")));
        lines.join("\n")
    }
}

/// A violation as a line.
pub fn show(violation: &Violation) -> String {
    let Violation { check, at_ns, detail } = violation;
    format!("  [{check}] at {:.6} s: {detail}", *at_ns as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(seed: u64, check: Option<&'static str>) -> Verdict {
        let tally = Tally {
            virtual_ms: 60_000,
            unsynced_bytes_lost: 1,
            conflicts: 1,
            resends: 1,
            tombstones_collected: 1,
            clock_steps: 1,
            closed_times_used: 1,
            crashes: 1,
            link_faults: 1,
            batch_writes: 1,
            batch_gets: 1,
            queries: 1,
            scans: 1,
            ..Tally::default()
        };
        let violation = |check| Violation { check, at_ns: 5, detail: "detail".to_string() };
        Verdict { seed, violations: check.map(violation).into_iter().collect(), tally, tail: Vec::new() }
    }

    #[test]
    fn good_seeds_make_a_good_report() {
        let mut report = Report::default();
        report.add(verdict(1, None), 0.5);
        report.add(verdict(2, None), 0.5);
        report.finish(Scenario::Converge);
        assert!(report.is_good());
        assert_eq!(report.speed, 120.0);
    }

    #[test]
    fn a_failing_seed_and_a_zero_count_make_a_bad_one() {
        let mut report = Report::default();
        report.add(verdict(2, Some("order")), 0.5);
        report.add(verdict(1, Some("determinism")), 0.5);
        report.finish(Scenario::Converge);
        assert!(!report.is_good());
        assert_eq!((report.violations, report.nondeterministic), (1, 1));
        assert!(report.text().contains("[order]"));

        let mut report = Report::default();
        report.add(Verdict { tally: Tally::default(), ..verdict(1, None) }, 0.5);
        report.finish(Scenario::Converge);
        assert!(!report.is_good() && report.text().contains("nothing was counted of: conflicts"));
    }
}
