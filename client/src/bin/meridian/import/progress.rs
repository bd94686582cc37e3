//! What an import says while it runs and when it is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{Output, cell};

/// The progress bar on standard error; nothing when that is no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    read: Arc<AtomicU64>,
    started: Instant,
}

impl Progress {
    /// For a file of so many bytes, of which `read` tells how many were read.
    pub(super) fn new(bytes: Option<u64>, read: Arc<AtomicU64>) -> Progress {
        let bar = bytes.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = match bytes {
            Some(_) => "{bar:40} {binary_bytes}/{binary_total_bytes} {msg}",
            None => "{spinner} {binary_bytes} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress { bar, read, started: Instant::now() }
    }

    /// Shows how many rows were put so far.
    pub(super) fn imported(&self, rows: u64) {
        self.bar.set_position(self.read.load(Ordering::Relaxed));
        self.bar.set_message(format!("{rows} rows, {:.0} rows/s", rate(rows, self.started.elapsed())));
    }

    /// Names a refused row.
    pub(super) fn refused(&self, number: u64, reason: &str) {
        let line = refusal(number, reason);
        self.bar.suspend(|| Output::new(true).note(&line));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn refusal(number: u64, reason: &str) -> String {
    format!("row {number} refused: {}", cell(&Value::from(reason)))
}

/// Prints the last line.
pub(super) fn summary(output: &Output, imported: u64, refused: u64, took: Duration) -> Result<(), Failure> {
    let rate = rate(imported, took);
    if output.is_json() {
        return output.value(&summary_value(imported, refused, took));
    }
    output.line(&format!("imported {imported} rows, refused {refused}, {rate:.0} rows/s"))
}

fn summary_value(imported: u64, refused: u64, took: Duration) -> Value {
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    json!({
        "Imported": imported,
        "Refused": refused,
        "Seconds": rounded(took.as_secs_f64()),
        "RowsPerSecond": rate(imported, took).round(),
    })
}

fn rate(rows: u64, took: Duration) -> f64 {
    rows as f64 / took.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_row_and_reason_on_one_line() {
        assert_eq!(refusal(17, "Title: expected a string"), "row 17 refused: Title: expected a string");
        assert_eq!(refusal(2, "a\nb"), "row 2 refused: \"a\\nb\"");
    }

    #[test]
    fn the_summary_counts_and_gives_the_rate() {
        let value = summary_value(3191, 10, Duration::from_millis(500));
        let expected = json!({"Imported": 3191, "Refused": 10, "Seconds": 0.5, "RowsPerSecond": 6382.0});
        assert_eq!(value, expected);
    }
}
