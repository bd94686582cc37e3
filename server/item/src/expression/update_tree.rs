//! The tree of an update, and how it is written out again.

use std::fmt;
use std::sync::Arc;

use super::path::{Path, Symbols, ValueId, write_path};

/// A parsed update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UpdateTree {
    pub text: Arc<str>,
    /// In the order written, those of one section together.
    pub actions: Vec<Action>,
    pub symbols: Symbols,
}

/// What happens to one place of the item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Action {
    pub path: Path,
    pub change: Change,
}

/// What happens to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    Set(SetValue),
    Remove,
    Add(ValueId),
    Delete(ValueId),
}

/// The right-hand side of a `SET`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SetValue {
    Operand(SetOperand),
    Plus(SetOperand, SetOperand),
    Minus(SetOperand, SetOperand),
}

/// Where a value comes from; the parser bounds how deep functions stand in one another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SetOperand {
    Path(Path),
    Value(ValueId),
    IfNotExists(Path, Box<SetOperand>),
    ListAppend(Box<SetOperand>, Box<SetOperand>),
}

/// The sections of an update, each a keyword and its actions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Section {
    Set,
    Remove,
    Add,
    Delete,
}

impl Section {
    pub(crate) const ALL: [Section; 4] = [Section::Set, Section::Remove, Section::Add, Section::Delete];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Section::Set => "SET",
            Section::Remove => "REMOVE",
            Section::Add => "ADD",
            Section::Delete => "DELETE",
        }
    }
}

impl Change {
    pub(crate) fn section(&self) -> Section {
        match self {
            Change::Set(_) => Section::Set,
            Change::Remove => Section::Remove,
            Change::Add(_) => Section::Add,
            Change::Delete(_) => Section::Delete,
        }
    }
}

impl fmt::Display for UpdateTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = None;
        for Action { path, change } in &self.actions {
            let section = change.section();
            match before {
                Some(same) if same == section => f.write_str(", ")?,
                Some(_) => write!(f, " {} ", section.text())?,
                None => write!(f, "{} ", section.text())?,
            }
            before = Some(section);
            write_path(f, path, &self.symbols)?;
            match change {
                Change::Set(value) => {
                    f.write_str(" = ")?;
                    write_set_value(f, value, &self.symbols)?;
                }
                Change::Remove => {}
                Change::Add(value) | Change::Delete(value) => write!(f, " {}", self.symbols.value(*value))?,
            }
        }
        Ok(())
    }
}

fn write_set_value(f: &mut fmt::Formatter<'_>, value: &SetValue, symbols: &Symbols) -> fmt::Result {
    let (left, operator, right) = match value {
        SetValue::Operand(operand) => return write_operand(f, operand, symbols),
        SetValue::Plus(left, right) => (left, " + ", right),
        SetValue::Minus(left, right) => (left, " - ", right),
    };
    write_operand(f, left, symbols)?;
    f.write_str(operator)?;
    write_operand(f, right, symbols)
}

fn write_operand(f: &mut fmt::Formatter<'_>, operand: &SetOperand, symbols: &Symbols) -> fmt::Result {
    match operand {
        SetOperand::Path(path) => write_path(f, path, symbols),
        SetOperand::Value(value) => f.write_str(symbols.value(*value)),
        SetOperand::IfNotExists(path, otherwise) => {
            f.write_str("if_not_exists(")?;
            write_path(f, path, symbols)?;
            f.write_str(", ")?;
            write_operand(f, otherwise, symbols)?;
            f.write_str(")")
        }
        SetOperand::ListAppend(left, right) => {
            f.write_str("list_append(")?;
            write_operand(f, left, symbols)?;
            f.write_str(", ")?;
            write_operand(f, right, symbols)?;
            f.write_str(")")
        }
    }
}
