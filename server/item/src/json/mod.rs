//! Items as JSON text: DynamoDB's, which names every value's type, and plain JSON, which people have.
//!
//! Each is a file with `read` and `write` for an item and for a value; here is what they share, the errors. A
//! number keeps its exact text on the way (serde_json's `arbitrary_precision`). Depth is checked before each
//! descent; serde_json itself stops at 128 levels of text. Other limits are `validate`'s to check.

pub mod dynamodb;
pub mod plain;

use serde_json::{Map, Value};
use types::limits::NESTING_MAX;

use crate::number::InvalidNumber;

/// Why JSON was refused, and where in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{cause}", prefix(.path))]
pub struct InvalidJson {
    /// The path to the value: the attribute's name, then `.name` and `[index]`; empty for the whole text.
    pub path: String,
    /// What is wrong with it.
    pub cause: Cause,
}

/// What is wrong with a JSON value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Cause {
    /// Not JSON, or too deep for serde_json.
    #[error("not valid JSON at line {line}, column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1; 0 at the end of a line.
        column: usize,
    },
    /// Another JSON type than this place wants.
    #[error("expected {expected}")]
    Expected {
        /// In words.
        expected: &'static str,
    },
    /// A DynamoDB value without a type, or with several.
    #[error("Supplied AttributeValue must contain exactly one of the supported datatypes; got {count}")]
    Types {
        /// How many members the object had.
        count: usize,
    },
    /// A type that DynamoDB does not have.
    #[error("Supplied AttributeValue has an unknown datatype {name:?}")]
    UnknownType {
        /// As given, cut to `TYPE_NAME_BYTES_SHOWN` bytes.
        name: String,
    },
    /// `{"NULL": false}`.
    #[error(
        "One or more parameter values were invalid: Null attribute value types must have the value of true"
    )]
    NullFalse,
    /// A number's text.
    #[error(transparent)]
    Number(#[from] InvalidNumber),
    /// Bytes that are not base64 with its padding.
    #[error("expected base64 with padding")]
    Base64,
    /// A set with a member twice.
    #[error("One or more parameter values were invalid: Input collection contains duplicates")]
    Duplicate,
    /// A set without members.
    #[error("One or more parameter values were invalid: An {kind} set may not be empty")]
    EmptySet {
        /// `SS`, `NS` or `BS`.
        kind: &'static str,
    },
    /// Lists and maps too deep within one another.
    #[error("Nesting Levels have exceeded supported limits: the limit is {max} levels", max = NESTING_MAX)]
    Nesting,
}

/// How much of an unknown type's name an error repeats.
const TYPE_NAME_BYTES_SHOWN: usize = 16;

impl Cause {
    fn expected(expected: &'static str) -> InvalidJson {
        Cause::Expected { expected }.into()
    }
}

impl<C: Into<Cause>> From<C> for InvalidJson {
    fn from(cause: C) -> Self {
        InvalidJson { path: String::new(), cause: cause.into() }
    }
}

impl InvalidJson {
    /// The same error, one level further out: paths are made only when something is wrong.
    fn within(mut self, name: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path.insert_str(0, joint);
        self.path.insert_str(0, name);
        self
    }

    fn at(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// Parses text; a repeated name keeps its last value, as in most JSON libraries.
pub fn parse(text: &[u8]) -> Result<Value, InvalidJson> {
    serde_json::from_slice(text)
        .map_err(|error| Cause::Syntax { line: error.line(), column: error.column() }.into())
}

/// The object that an item is.
fn object(value: Value) -> Result<Map<String, Value>, InvalidJson> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Cause::expected("an object")),
    }
}
