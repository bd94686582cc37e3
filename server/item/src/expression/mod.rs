//! DynamoDB's expression language: conditions, filters, key conditions, projections and updates.
//!
//! A text is parsed once into a tree that knows neither names nor values (`Cache` keeps it by its text), then
//! bound to the `Substitutions` of a request, which share one `Binder` so that what no expression used is
//! found. What comes out (`Condition`, `KeyCondition`, `Projection`, `Update`) is a pure function of an item,
//! cheap to clone and free of text to parse. Everything a request can get wrong is a typed `Error`.
//!
//! No input recurses without a bound: a tree is at most `EXPRESSION_NESTING_MAX` deep, functions stand in one
//! another at most `EXPRESSION_CALL_NESTING_MAX` deep, and no update produces more than an item may hold.
//! Nothing here decides whether a write happens.

mod cache;
mod compare;
mod condition;
mod condition_check;
mod condition_parser;
mod condition_tree;
mod document;
mod error;
mod evaluate;
mod key_condition;
mod key_condition_reader;
mod lexer;
mod parser;
mod path;
mod path_set;
mod projection;
mod reserved;
mod substitutions;
mod token;
mod update;
mod update_apply;
mod update_check;
mod update_parser;
mod update_tree;
mod update_value;

pub use cache::Cache;
pub use condition::Condition;
pub use error::{Cause, Error, KeyCause, Kind};
pub use key_condition::{KeyCondition, KeyRange, KeyTerm, SortCondition};
pub use projection::Projection;
pub use substitutions::{Binder, Substitutions};
pub use update::Update;

#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod notation;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod script_tests;
