//! Pages of items, shown while more are being read: a table of any size passes through little memory.

use std::collections::BTreeSet;

use proto::v1::Item;
use serde_json::{Value, json};

use crate::arguments::Spelling;
use crate::failure::Failure;
use crate::output::{Output, cell, fits};
use crate::shape::{self, Attributes};

/// Shows pages one after another as one response of DynamoDB's shape.
pub(super) struct Pages<'o> {
    output: &'o Output,
    spelling: Spelling,
    count_only: bool,
    shown: bool,
    count: u64,
    scanned: u64,
}

impl<'o> Pages<'o> {
    /// Begins the response.
    pub(super) fn begin(output: &'o Output, spelling: Spelling, count_only: bool) -> Result<Self, Failure> {
        if output.is_json() && !count_only {
            output.part("{\"Items\":[")?;
        }
        Ok(Pages { output, spelling, count_only, shown: false, count: 0, scanned: 0 })
    }

    /// Shows one page.
    pub(super) fn add(&mut self, items: Vec<Item>, count: u64, scanned: u64) -> Result<(), Failure> {
        self.count += count;
        self.scanned += scanned;
        let spelling = self.output.spelling(self.spelling);
        let items = items.into_iter().map(|item| shape::item(item.attributes, spelling));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        if items.is_empty() || self.count_only {
            return Ok(());
        }
        if !self.output.is_json() {
            return self.tables(&items);
        }
        for item in items {
            let comma = if std::mem::replace(&mut self.shown, true) { "," } else { "" };
            self.output.part(&format!("{comma}{item}"))?;
        }
        Ok(())
    }

    /// One table for all items, or one for each when they have too many attributes to stand side by side.
    fn tables(&self, items: &[Value]) -> Result<(), Failure> {
        let (headings, rows) = table(items);
        if fits(headings.len()) {
            return self.output.table(headings, rows);
        }
        for item in items.iter().filter_map(Value::as_object) {
            self.output.table(vec!["Attribute".into(), "Value".into()], shape::rows(item))?;
        }
        Ok(())
    }

    /// Ends the response; `last` is where the next page would begin.
    pub(super) fn end(self, last: Attributes) -> Result<(), Failure> {
        if self.count_only {
            return match self.output.is_json() {
                true => self.output.value(&json!({"Count": self.count})),
                false => self.output.line(&self.count.to_string()),
            };
        }
        let last = if last.is_empty() { None } else { Some(shape::item(last, self.spelling)?) };
        if !self.output.is_json() {
            let more = last.map(|key| format!(", more after {key}")).unwrap_or_default();
            return self.output.line(&format!("{} items, {} read{more}", self.count, self.scanned));
        }
        let last = last.map(|key| format!(",\"LastEvaluatedKey\":{key}")).unwrap_or_default();
        self.output.line(&format!("],\"Count\":{},\"ScannedCount\":{}{last}}}", self.count, self.scanned))
    }
}

/// Items as rows below the names of all of their attributes.
fn table(items: &[Value]) -> (Vec<String>, Vec<Vec<String>>) {
    let objects: Vec<_> = items.iter().filter_map(Value::as_object).collect();
    let names: BTreeSet<&String> = objects.iter().flat_map(|object| object.keys()).collect();
    let row = |object: &&serde_json::Map<String, Value>| {
        names.iter().map(|name| object.get(*name).map(cell).unwrap_or_default()).collect()
    };
    let rows = objects.iter().map(row).collect();
    (names.into_iter().cloned().collect(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_items_has_a_column_for_every_attribute() {
        let (headings, rows) = table(&[json!({"b": 1}), json!({"a": "x"})]);
        assert_eq!(headings, ["a", "b"]);
        assert_eq!(rows, [["", "1"], ["x", ""]]);
    }
}
