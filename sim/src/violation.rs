//! Something that must not happen and did.

use serde::Serialize;

/// A violation: which check found it, when, and what it saw.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    /// The check's name.
    pub check: &'static str,
    /// True time, in nanoseconds; the end of the run for what only its end shows.
    pub at_ns: u64,
    /// What it saw.
    pub detail: String,
}
