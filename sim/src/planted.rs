//! Bugs planted on purpose: each must be caught, and by the checkers of the rule that it breaks.

use types::{Faults, Planted};

use crate::run::{Run, Scenario};
use crate::violation::Violation;

/// Seeds within which a planted bug must be caught.
pub const SEEDS_MAX: u64 = 1000;

/// The checkers that a bug is planted for.
pub fn expected(planted: Planted) -> &'static [&'static str] {
    match planted {
        Planted::AcknowledgeBeforeSync => &["acknowledged"],
        Planted::ShipBeforeCommit => &["maximum"],
        Planted::CursorBeforeAck => &["maximum", "closed"],
        Planted::TieByTimeOnly => &["agreement", "maximum"],
        Planted::CollectBeforeClosed => &["collection"],
        Planted::NoFloor => &["collection", "causality"],
        Planted::WallClockStamps => &["order"],
        Planted::OmitSeen => &["causality", "ledger"],
        Planted::ClosedFromShipped => &["closed"],
    }
}

/// A planted bug that a checker caught.
#[derive(Clone, Debug)]
pub struct Catch {
    /// With this seed.
    pub seed: u64,
    /// In this way.
    pub violation: Violation,
}

/// Runs seeds with a bug planted until one of its checkers catches it; `None` when none does.
pub fn hunt(scenario: Scenario, planted: Planted, seeds: std::ops::Range<u64>) -> Option<Catch> {
    seeds.into_iter().find_map(|seed| {
        let Run { violations, .. } = scenario.try_once(seed, Faults::with(planted));
        let mut caught = violations.into_iter();
        let violation = caught.find(|violation| expected(planted).contains(&violation.check))?;
        Some(Catch { seed, violation })
    })
}
