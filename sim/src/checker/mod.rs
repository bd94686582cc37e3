//! The checkers: each judges a finished run by its history alone, and says the first thing that is wrong.
//!
//! None of them believes what a shard says of itself. Each stands beside tests in which it fails, and a bug
//! is planted for each rule that can be broken: a checker that never failed has checked nothing.

pub mod accepted;
pub mod acknowledged;
pub mod agreement;
pub mod causality;
pub mod closed;
pub mod collection;
pub mod effects;
pub mod ledger;
pub mod maximum;
pub mod order;
pub mod passed;
pub mod replay;
pub mod requests;
pub mod store;
#[cfg(test)]
pub mod story;

use crate::history::History;
use crate::violation::Violation;

/// What a checker comes to: nothing, or what is wrong.
pub type Finding = Result<(), String>;

/// A checker.
pub type Checker = fn(&History) -> Finding;

/// All of them, by name.
pub const ALL: [(&str, Checker); 11] = [
    ("agreement", agreement::check),
    ("maximum", maximum::check),
    ("acknowledged", acknowledged::check),
    ("effects", effects::check),
    ("order", order::check),
    ("ledger", ledger::check),
    ("causality", causality::check),
    ("closed", closed::check),
    ("collection", collection::check),
    ("requests", requests::check),
    ("replay", replay::check),
];

/// Has every checker judge a run that ended at `at_ns`.
pub fn judge(history: &History, at_ns: u64) -> Vec<Violation> {
    let judge = |(check, checker): &(&'static str, Checker)| {
        let detail = checker(history).err()?;
        Some(Violation { check, at_ns, detail })
    };
    ALL.iter().filter_map(judge).collect()
}
