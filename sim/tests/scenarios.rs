//! Seeds of every scenario, the kept ones first, and planted bugs that the checkers must catch.
//!
//! Without optimisation a seed takes seconds, so that fewer are run.

use std::sync::atomic::{AtomicUsize, Ordering};

use sim::planted;
use sim::report::Report;
use sim::run::{Scenario, Verdict};
use sim::seeds;
use types::{Faults, Planted};

const SLOW: bool = cfg!(debug_assertions);

/// Runs work items on two threads, the results in the order of the items.
fn spread<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let item = next.fetch_add(1, Ordering::Relaxed);
            if item >= count {
                return done;
            }
            done.push((item, work(item)));
        }
    };
    let mut results = std::thread::scope(|scope| {
        let other = scope.spawn(run);
        let mut results = run();
        results.extend(other.join().expect("the other half ran"));
        results
    });
    results.sort_by_key(|(item, _)| *item);
    results.into_iter().map(|(_, result)| result).collect()
}

fn every_seed_holds(scenario: Scenario, fresh: u64) {
    let kept = seeds::kept(scenario);
    let (kept, fresh) = if SLOW { (&kept[..kept.len().min(1)], 0..1) } else { (&kept[..], 0..fresh) };
    let all: Vec<u64> = kept.iter().copied().chain(fresh).collect();
    let verdicts: Vec<Verdict> = spread(all.len(), |item| scenario.judge(all[item], Faults::default()));
    let mut report = Report::default();
    verdicts.into_iter().for_each(|verdict| report.add(verdict, 1.0));
    report.finish(scenario);
    assert!(report.is_good(), "{}", report.text());
}

#[test]
fn regions_converge_and_repeat() {
    every_seed_holds(Scenario::Converge, 16);
}

#[test]
fn clusters_converge_and_repeat() {
    every_seed_holds(Scenario::Clusters, 8);
}

#[test]
fn registers_are_linearizable_and_repeat() {
    every_seed_holds(Scenario::Register, 8);
}

#[test]
fn a_majority_serves_and_repeats() {
    every_seed_holds(Scenario::Liveness, 4);
}

#[test]
fn whoever_comes_and_goes_every_register_is_linearizable_and_replicas_are_where_they_should_be() {
    every_seed_holds(Scenario::Membership, 3);
}

#[test]
fn planted_bugs_are_caught_by_their_checkers() {
    // These need a coincidence that few seeds have, and `StaleReads` one that takes minutes to find.
    let rare = [Planted::ShipBeforeCommit, Planted::TieByTimeOnly];
    let tried = |bug: &Planted| *bug != Planted::StaleReads && (!SLOW || !rare.contains(bug));
    let hunted: Vec<_> = Planted::ALL.into_iter().filter(tried).collect();
    let caught = spread(hunted.len(), |item| planted::hunt(hunted[item], 0..100));
    let escaped: Vec<_> = hunted.iter().zip(caught).filter(|(_, caught)| caught.is_none()).collect();
    assert!(escaped.is_empty(), "not caught: {escaped:?}");
}
