//! Bugs planted on purpose: each must be caught, and by the checkers of the rule that it breaks.

use types::{Faults, Planted};

use crate::run::{Run, Scenario};
use crate::violation::Violation;

/// Seeds within which a planted bug must be caught.
pub const SEEDS_MAX: u64 = 1000;

/// Where a bug is hunted, and the checkers that it is planted for.
pub fn expected(planted: Planted) -> (Scenario, &'static [&'static str]) {
    use Scenario::{Clusters, Converge, Liveness, Membership, Register};
    match planted {
        Planted::AcknowledgeBeforeSync => (Converge, &["acknowledged"]),
        Planted::ShipBeforeCommit => (Converge, &["maximum"]),
        Planted::CursorBeforeAck => (Converge, &["maximum", "closed"]),
        Planted::TieByTimeOnly => (Converge, &["agreement", "maximum"]),
        Planted::CollectBeforeClosed => (Converge, &["collection"]),
        Planted::NoFloor => (Converge, &["collection", "causality"]),
        Planted::WallClockStamps => (Converge, &["order"]),
        Planted::OmitSeen => (Converge, &["causality", "ledger"]),
        Planted::ClosedFromShipped => (Converge, &["closed"]),
        Planted::StaleReads | Planted::AnyoneReads => (Register, &["linearizable"]),
        Planted::DecideEarly => (Register, &["linearizable"]),
        // What is applied is not the partition's: an assertion finds it.
        Planted::DecideBehindSplit => (Register, &["linearizable", "agreement", "panic"]),
        // What is applied is not what was decided: an assertion finds it, or a reader.
        Planted::KeepOverlay => (Register, &["linearizable", "panic"]),
        Planted::UnknownAsRefused | Planted::ForgetRequests => (Register, &["linearizable"]),
        Planted::ShowUncommitted => (Register, &["linearizable"]),
        Planted::SleepOn => (Liveness, &["liveness", "agreement"]),
        Planted::OverwriteChild => (Register, &["linearizable", "agreement", "liveness", "fatal", "panic"]),
        Planted::LeaveChanges => (Converge, &["maximum", "closed", "agreement", "liveness"]),
        Planted::MarkUnflushed | Planted::KeepOldRange => {
            (Membership, &["agreement", "linearizable", "fatal", "panic"])
        }
        Planted::NoMerge | Planted::CloseAlone => (Clusters, &["closed"]),
        Planted::ShareUncommitted => (Clusters, &["maximum", "agreement", "closed"]),
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
pub fn hunt(planted: Planted, seeds: std::ops::Range<u64>) -> Option<Catch> {
    let (scenario, checkers) = expected(planted);
    seeds.into_iter().find_map(|seed| {
        let Run { violations, .. } = scenario.try_once(seed, Faults::with(planted));
        let mut caught = violations.into_iter();
        let violation = caught.find(|violation| checkers.contains(&violation.check))?;
        Some(Catch { seed, violation })
    })
}
