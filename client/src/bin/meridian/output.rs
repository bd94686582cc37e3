//! Everything that the command line prints goes through here: a table on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::arguments::Spelling;
use crate::failure::Failure;

/// Tables are never narrower: a narrower terminal breaks the lines itself.
const TABLE_WIDTH_MIN: u16 = 60;
/// What a column needs to be read.
const COLUMN_WIDTH_MIN: usize = 12;

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

    /// The spelling of items: as asked for in JSON, plain in the cells of a table.
    pub(crate) fn spelling(&self, asked: Spelling) -> Spelling {
        Spelling { plain: asked.plain || !self.json }
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
        if self.json {
            self.note(&error_value(failure).to_string());
        } else {
            self.note(&format!("meridian: {failure}"));
        }
        ExitCode::from(failure.exit_status())
    }
}

/// The server's own words where it refused, without the name that stands beside them.
fn error_value(failure: &Failure) -> Value {
    let message = match failure {
        Failure::Call(client::Error::Refused(refusal)) => refusal.message.clone(),
        other => other.to_string(),
    };
    json!({"__type": failure.name(), "message": message})
}

fn table(headings: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width());
    table.set_header(headings);
    table.add_rows(rows);
    table.to_string()
}

/// How wide a table may be.
fn width() -> u16 {
    // A terminal that does not know its width says 0.
    Table::new().width().unwrap_or_default().max(TABLE_WIDTH_MIN)
}

/// Whether a table of so many columns leaves each of them room to be read.
pub(crate) fn fits(columns: usize) -> bool {
    columns * COLUMN_WIDTH_MIN <= usize::from(width())
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
    fn errors_have_the_shape_that_dynamodb_gives_them() {
        let refusal = client::Refusal {
            name: "ValidationException".into(),
            message: "Limit must be between 1 and 9, got 0".into(),
            field: "Limit".into(),
        };
        let expected =
            json!({"__type": "ValidationException", "message": "Limit must be between 1 and 9, got 0"});
        assert_eq!(error_value(&Failure::Call(refusal.into())), expected);
    }

    #[test]
    fn tables_have_their_headings_and_rows() {
        let shown = table(vec!["Title".into()], vec![vec!["Alien".into()]]);
        assert!(shown.contains("Title") && shown.contains("Alien"), "{shown}");
    }
}
