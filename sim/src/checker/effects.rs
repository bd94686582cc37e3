//! A write does what it was asked for, to the item that it really replaced: a condition held, a counter
//! counted.
//!
//! The leader decides on what is in flight before it; so what stands before a write in the apply order is
//! what it was decided on. A write that was refused or whose condition failed does nothing at all.

use std::collections::{BTreeMap, BTreeSet};

use storage::Record;
use types::{RequestId, Version};

use super::Finding;
use super::store::Stores;
use crate::event::NodeId;
use crate::history::{self, AppliedKey, Guard, History, Intent, Issued, Told, What};

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let mut by_marker: BTreeMap<u64, Vec<Issued>> = BTreeMap::new();
    for fact in &history.facts {
        if let What::Issued(issued) = fact.what {
            by_marker.entry(issued.marker).or_default().push(issued);
        }
    }
    let written = written(history);
    let mut stores = Stores::new(history);
    let mut applied_markers = BTreeSet::new();
    for fact in &history.facts {
        if let What::Applied(applied) = &fact.what
            && !applied.again
            && history.is_own(fact.region, applied)
        {
            let asked = asked(&by_marker, &written, applied);
            let before = stores.stored(fact.region, applied.key).filter(|record| !record.is_tombstone());
            if let Some(asked) = asked {
                applied_markers.insert(asked.marker);
                fits(fact.region, asked, before, applied)?;
            }
        }
        stores.follow(fact);
    }
    nothing_where_nothing_was_done(history, &by_marker, &applied_markers)
}

/// The marker of each request id, by the version that it wrote: the only way to know a delete.
fn written(history: &History) -> BTreeMap<Version, RequestId> {
    let remembered = history.facts.iter().filter_map(|fact| match &fact.what {
        What::Remembered { request, version, .. } => Some(((*version)?, *request)),
        _ => None,
    });
    remembered.collect()
}

fn asked<'a>(
    by_marker: &'a BTreeMap<u64, Vec<Issued>>,
    written: &BTreeMap<Version, RequestId>,
    applied: &AppliedKey,
) -> Option<&'a Issued> {
    if let Some(marker) = history::marker(&applied.record) {
        return by_marker.get(&marker)?.first();
    }
    // Two keys may have equal versions.
    let marker = marker_of(written.get(&applied.record.version)?);
    by_marker.get(&marker)?.first().filter(|issued| issued.key == applied.key)
}

/// The second half of a request id is its write's marker.
fn marker_of(request: &RequestId) -> u64 {
    request.0[8..].iter().fold(0, |marker, byte| marker << 8 | u64::from(*byte))
}

fn fits(region: NodeId, asked: &Issued, before: Option<&Record>, applied: &AppliedKey) -> Finding {
    let version = applied.record.version;
    let counter = before.and_then(history::counter);
    let held = match asked.guard {
        Guard::Always => true,
        Guard::Absent => before.is_none(),
        Guard::Present => before.is_some(),
        Guard::Below(most) => counter.is_some_and(|counter| counter < most),
    };
    if !held || asked.key != applied.key {
        let before = before.map(|record| record.version);
        return Err(format!(
            "region {region} did {asked:?} as {version:?} over {before:?}, counter {counter:?}"
        ));
    }
    let expected = match asked.intent {
        Intent::Put => Some(0),
        Intent::Update => Some(counter.unwrap_or(0) + 1),
        Intent::Delete | Intent::Get => None,
    };
    let counted = history::counter(&applied.record);
    match counted == expected {
        true => Ok(()),
        false => Err(format!("region {region} did {asked:?} as {version:?} and counted {counted:?}")),
    }
}

/// A write asked for once, and refused, was not done; nor was one whose condition failed, however often it
/// was asked for.
fn nothing_where_nothing_was_done(
    history: &History,
    by_marker: &BTreeMap<u64, Vec<Issued>>,
    applied: &BTreeSet<u64>,
) -> Finding {
    let markers: BTreeMap<u64, u64> = by_marker
        .iter()
        .flat_map(|(marker, issued)| issued.iter().map(move |issued| (issued.number, *marker)))
        .collect();
    for fact in &history.facts {
        let What::Told { number, told } = fact.what else { continue };
        let Some(marker) = markers.get(&number) else { continue };
        let undone = match told {
            Told::ConditionFailed { .. } => true,
            Told::Refused => by_marker[marker].len() == 1,
            Told::Written { .. } | Told::Read(_) | Told::Unknown => false,
        };
        if undone && applied.contains(marker) {
            return Err(format!("request {number} was told {told:?} and write {marker} was done"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    fn asked(intent: Intent, guard: Guard, marker: u64) -> Issued {
        Issued { number: 0, key: 0, intent, guard, marker, request: None }
    }

    const DONE: Told = Told::Written { shown: None };

    #[test]
    fn a_write_whose_condition_held_is_right_and_one_whose_condition_did_not_is_found() {
        for (guard, right) in [
            (Guard::Always, true),
            (Guard::Present, true),
            (Guard::Absent, false),
            (Guard::Below(1), true),
            (Guard::Below(0), false),
        ] {
            let mut story = Story::begin();
            story.put(0, 0, 5);
            story.ask(0, asked(Intent::Put, guard, 6), DONE);
            story.put(0, 0, 6);
            assert_eq!(check(&story.end()).is_ok(), right, "{guard:?}");
        }
    }

    #[test]
    fn a_count_that_was_lost_is_found() {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        story.ask(0, asked(Intent::Update, Guard::Always, 6), DONE);
        story.put(0, 0, 6);
        assert!(check(&story.end()).unwrap_err().contains("counted Some(0)"));
    }

    #[test]
    fn a_refused_write_that_was_done_is_found() {
        let mut story = Story::begin();
        story.refused(0, 0, 5);
        assert_eq!(check(&story.clone().end()), Ok(()));
        story.put(0, 0, 5);
        assert!(check(&story.end()).unwrap_err().contains("was done"));
        let mut story = Story::begin();
        story.ask(0, asked(Intent::Put, Guard::Absent, 5), Told::ConditionFailed { shown: None });
        story.put(0, 0, 5);
        assert!(check(&story.end()).unwrap_err().contains("was done"));
    }
}
