//! Everything that the command line prints goes through here: a table on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::failure::Failure;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// JSON when asked for, or when standard output is no terminal.
    pub(crate) fn new(json: bool) -> Output {
        Output { json: json || !io::stdout().is_terminal() }
    }

    /// Whether results are shown as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a JSON value on a line of its own.
    pub(crate) fn value(&self, value: &Value) -> Result<(), Failure> {
        self.line(&value.to_string())
    }

    /// Prints a line.
    pub(crate) fn line(&self, line: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        Ok(())
    }

    /// Prints text that ends wherever it ends, for JSON that is written while it is still being read.
    pub(crate) fn part(&self, text: &str) -> Result<(), Failure> {
        Ok(io::stdout().lock().write_all(text.as_bytes())?)
    }

    /// Prints a table with these headings.
    pub(crate) fn table(&self, headings: Vec<String>, rows: Vec<Vec<String>>) -> Result<(), Failure> {
        self.line(&table(headings, rows))
    }

    /// Prints a warning or a note beside the results.
    pub(crate) fn note(&self, text: &str) {
        // Nothing is left to be done when standard error is closed.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Prints a failure and gives its exit status. As JSON it has the shape of DynamoDB's errors.
    pub(crate) fn failed(&self, failure: &Failure) -> ExitCode {
        if failure.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        let message = failure.to_string();
        if self.json {
            self.note(&json!({"__type": failure.name(), "message": message}).to_string());
        } else {
            self.note(&format!("meridian: {message}"));
        }
        ExitCode::from(failure.exit_status())
    }
}

fn table(headings: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    table.add_rows(rows);
    table.to_string()
}

/// A value for a cell of a table: text as it is unless it could confuse a terminal, anything else as JSON.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::String(text) if !text.chars().any(char::is_control) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_never_carry_control_characters() {
        assert_eq!(cell(&json!("Zürich")), "Zürich");
        assert_eq!(cell(&json!("\u{1b}[2J")), "\"\\u001b[2J\"");
        assert_eq!(cell(&json!([1, "a\nb"])), "[1,\"a\\nb\"]");
    }

    #[test]
    fn tables_have_their_headings_and_rows() {
        let shown = table(vec!["Title".into()], vec![vec!["Alien".into()]]);
        assert!(shown.contains("Title") && shown.contains("Alien"), "{shown}");
    }
}
