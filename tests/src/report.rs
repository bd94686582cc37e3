//! What a test measured, for people beside a failure, and as JSON lines for `make accept`.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Says something to whoever reads the test's output.
#[expect(clippy::print_stderr, reason = "the reader of a failed test is at a terminal or in a log")]
pub fn note(text: &str) {
    eprintln!("{text}");
}

/// Appends figures to the file that `MERIDIAN_REPORT` names, and notes them.
pub fn figures(test: &str, figures: serde_json::Value) {
    let line = serde_json::json!({ "test": test, "figures": figures }).to_string();
    note(&line);
    let Some(path) = std::env::var_os("MERIDIAN_REPORT") else { return };
    let file = OpenOptions::new().create(true).append(true).open(path);
    writeln!(file.expect("MERIDIAN_REPORT can be written"), "{line}").expect("the report's disk has room");
}
