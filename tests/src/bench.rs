//! `meridian bench`, as a user runs it, and what it measured.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::command_line::meridian_within;

/// What a run needs beside its own seconds: loading a table, and waiting for answers that come late.
const SLACK: Duration = Duration::from_secs(300);

/// What one run measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Operations that were answered, in every second.
    pub per_second: f64,
    /// Operations that were answered.
    pub operations: u64,
    /// The latency of the half that was faster, at most.
    pub p50_us: f64,
    /// The latency of all but the slowest hundredth, at most.
    pub p99_us: f64,
    /// Failures by name.
    pub errors: BTreeMap<String, u64>,
    /// Reads that found nothing.
    pub missing: u64,
}

impl Measured {
    /// Fails the test if an operation failed or a read found nothing.
    pub fn flawless(self, what: &str) -> Measured {
        assert!(self.operations > 0, "{what}: nothing was answered: {self:?}");
        assert!(self.errors.is_empty() && self.missing == 0, "{what}: {self:?}");
        self
    }
}

/// Runs `meridian bench` with the words of a line.
pub async fn run(endpoint: &str, line: &str) -> Measured {
    let words: Vec<&str> = ["bench"].into_iter().chain(line.split_whitespace()).collect();
    let patience = SLACK + Duration::from_secs(seconds(&words));
    measured(&meridian_within(patience, endpoint, &words).await.json())
}

/// For how long the words tell it to measure.
fn seconds(words: &[&str]) -> u64 {
    let at = words.iter().position(|word| *word == "--seconds");
    let given = at.and_then(|at| words.get(at + 1)).and_then(|word| word.parse().ok());
    given.expect("a test says how many seconds it measures")
}

fn measured(report: &Value) -> Measured {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("a figure is missing: {report}"));
    let errors = report["errors"]["by_name"].as_object().expect("failures come by name");
    Measured {
        per_second: number(&report["ops_per_second"]),
        operations: number(&report["operations"]) as u64,
        p50_us: number(&report["latency_us"]["p50"]),
        p99_us: number(&report["latency_us"]["p99"]),
        errors: errors.iter().map(|(name, count)| (name.clone(), number(count) as u64)).collect(),
        missing: number(&report["missing"]) as u64,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(by_name: Value, missing: u64) -> Measured {
        measured(&json!({
            "ops_per_second": 12.5, "operations": 25, "latency_us": {"p50": 1.5, "p99": 9.0},
            "errors": {"total": 0, "by_name": by_name}, "missing": missing,
        }))
    }

    #[test]
    fn a_report_is_read() {
        let good = report(json!({}), 0).flawless("good");
        assert_eq!((good.per_second, good.operations, good.p50_us, good.p99_us), (12.5, 25, 1.5, 9.0));
        assert_eq!(seconds(&["bench", "get", "--seconds", "7"]), 7);
    }

    #[test]
    #[should_panic(expected = "ThrottlingException")]
    fn a_failure_is_no_flawless_run() {
        report(json!({"ThrottlingException": 1}), 0).flawless("bad");
    }

    #[test]
    #[should_panic(expected = "missing: 1")]
    fn a_read_that_finds_nothing_is_no_flawless_run() {
        report(json!({}), 1).flawless("bad");
    }
}
