//! Running seeds: each twice, compared, and a third time with its trace written down when something was
//! wrong.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};

use types::Faults;

use crate::clock::MILLISECOND_NS;
use crate::scenario::register::Ending;
use crate::scenario::{converge, register};
use crate::tally::Tally;
use crate::trace::Trace;
use crate::violation::Violation;
use crate::world::World;

/// Lines of a failed run's trace that are shown.
const TAIL_LINES: usize = 40;

/// One run of one seed.
#[derive(Debug)]
pub struct Run {
    /// What was wrong; empty when nothing was.
    pub violations: Vec<Violation>,
    /// What happened, counted.
    pub tally: Tally,
    /// What happened, as one number.
    pub trace: Trace,
}

impl Run {
    /// A run that ends with its world as it is.
    pub fn of(mut world: World, violations: Vec<Violation>) -> Run {
        for node in &world.nodes {
            if let Some(machine) = &node.machine {
                world.tally.take_figures(&machine.figures());
            }
            let digest = node.disk.digest(|bytes| world.trace.fold(bytes));
            debug_assert!(digest.is_ok(), "an in-memory disk is always readable");
        }
        world.tally.take_carried(&world.network.carried);
        world.tally.take_history(&world.history);
        world.tally.virtual_ms = world.now_ns / MILLISECOND_NS;
        Run { violations, tally: world.tally, trace: world.trace }
    }
}

/// What a run is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To be judged.
    Judge,
    /// To see whether it goes as before: its trace is all that counts.
    Repeat,
    /// To be judged, and its trace to be read.
    Read,
}

/// What a seed came to.
#[derive(Debug)]
pub struct Verdict {
    /// The seed.
    pub seed: u64,
    /// What was wrong; empty when nothing was.
    pub violations: Vec<Violation>,
    /// Of one of its runs.
    pub tally: Tally,
    /// The last lines of its trace, when something was wrong.
    pub tail: Vec<String>,
}

/// What a seed is put through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    /// Three regions of one node each, few keys, every fault.
    Converge,
    /// The same, with regions of three nodes each.
    Clusters,
    /// Regions of three nodes, keys that are used as registers in one region each, every fault.
    Register,
    /// The same, and in the end one node of each region stays dead.
    Liveness,
    /// As `Register`, with nodes that come and go, and replicas that move.
    Membership,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 5] = [
        Scenario::Converge,
        Scenario::Clusters,
        Scenario::Register,
        Scenario::Liveness,
        Scenario::Membership,
    ];

    /// What a command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Converge => "converge",
            Scenario::Clusters => "clusters",
            Scenario::Register => "register",
            Scenario::Liveness => "liveness",
            Scenario::Membership => "membership",
        }
    }

    /// The scenario of a name.
    pub fn of_name(name: &str) -> Option<Scenario> {
        Scenario::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    fn run(self, seed: u64, faults: Faults, purpose: Purpose) -> Run {
        match self {
            Scenario::Converge => caught(|| converge::run(seed, 1, faults, purpose)),
            Scenario::Clusters => caught(|| converge::run(seed, 3, faults, purpose)),
            Scenario::Register => caught(|| register::run(seed, Ending::Healed, false, faults, purpose)),
            Scenario::Liveness => caught(|| register::run(seed, Ending::QuorumCore, false, faults, purpose)),
            Scenario::Membership => caught(|| register::run(seed, Ending::Healed, true, faults, purpose)),
        }
    }

    /// Runs a seed twice and compares.
    pub fn judge(self, seed: u64, faults: Faults) -> Verdict {
        let first = self.run(seed, faults, Purpose::Judge);
        let second = self.run(seed, faults, Purpose::Repeat);
        let mut violations = first.violations;
        if let Some(note) = first.trace.parts_from(&second.trace) {
            let detail =
                format!("two runs part within 1,024 events of event {note} of {}", first.trace.notes());
            violations.push(Violation { check: "determinism", at_ns: 0, detail });
        }
        let tail = match violations.is_empty() {
            true => Vec::new(),
            false => {
                let mut lines = self.trace(seed, faults);
                lines.split_off(lines.len().saturating_sub(TAIL_LINES))
            }
        };
        Verdict { seed, violations, tally: first.tally, tail }
    }

    /// Runs a seed once and gives its whole trace.
    pub fn trace(self, seed: u64, faults: Faults) -> Vec<String> {
        self.run(seed, faults, Purpose::Read).trace.lines()
    }

    /// Runs a seed once: enough to see whether a planted bug is caught.
    pub fn try_once(self, seed: u64, faults: Faults) -> Run {
        self.run(seed, faults, Purpose::Judge)
    }
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the messages of panics for `Scenario::judge` instead of printing them.
pub fn keep_panics() {
    panic::set_hook(Box::new(|info| PANIC.with(|kept| *kept.borrow_mut() = Some(info.to_string()))));
}

/// A panic in a shard is a violation like any other: in production it stops the process.
fn caught(run: impl FnOnce() -> Run) -> Run {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()));
        let kept = PANIC.with(|kept| kept.borrow_mut().take());
        let detail = kept.or(text).unwrap_or_default();
        let violations = vec![Violation { check: "panic", at_ns: 0, detail }];
        Run { violations, tally: Tally::default(), trace: Trace::default() }
    })
}
