//! The conflict ledger is what `P14` says, replayed over each region's apply order.
//!
//! And it does what it is for: every write that nobody built upon and that did not win is listed in the
//! region that wrote it. That is judged by what each write really replaced, not by the histories that records
//! carry.

use std::collections::{BTreeMap, BTreeSet};

use types::Version;

use super::Finding;
use super::accepted::Accepted;
use super::store::Stores;
use crate::event::NodeId;
use crate::history::{AppliedKey, History, KeyId, What};

/// An entry as the rule makes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    winner: Version,
    superseded: bool,
}

type Ledger = BTreeMap<(KeyId, Version), Entry>;

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let accepted = Accepted::of(history);
    let mut stores = Stores::new(history);
    let mut ledgers: Vec<Ledger> = vec![Ledger::new(); history.regions.len()];
    let mut built_upon: BTreeSet<(KeyId, Version)> = BTreeSet::new();
    for fact in &history.facts {
        if let What::Applied(applied) = &fact.what
            && !applied.again
        {
            let stored = stores.stored(fact.region, applied.key);
            if history.is_own(fact.region, applied) {
                let parent = stored.or_else(|| stores.collected(fact.region, applied.key));
                built_upon.extend(parent.map(|parent| (applied.key, parent.version)));
            } else {
                let lost = stored.map(|stored| stored.version);
                replay(history, fact.region, &mut ledgers[fact.region], applied, lost);
            }
        }
        stores.follow(fact);
    }
    for (region, ledger) in ledgers.iter().enumerate() {
        compare(history, &accepted, region, ledger)?;
    }
    every_loss_is_listed(history, &accepted, &built_upon)
}

/// The rule: a record of another region arrives and takes its place.
fn replay(
    history: &History,
    region: NodeId,
    ledger: &mut Ledger,
    applied: &AppliedKey,
    lost: Option<Version>,
) {
    let (key, record) = (applied.key, &applied.record);
    for ((_, lost), entry) in ledger.range_mut((key, Version::default())..(key + 1, Version::default())) {
        entry.superseded |= record.seen.of(lost.incarnation) >= lost.time;
    }
    let own = history.regions[region];
    let Some(lost) = lost.filter(|lost| lost.incarnation.region == own) else { return };
    if record.version.incarnation.region != own && record.seen.of(lost.incarnation) < lost.time {
        let entry = Entry { winner: record.version, superseded: false };
        ledger.entry((key, lost)).or_insert(entry);
    }
}

fn compare(history: &History, accepted: &Accepted<'_>, region: NodeId, expected: &Ledger) -> Finding {
    let held = history.finals[region].ledger.iter();
    let held: Ledger = held
        .map(|(key, entry)| {
            let superseded = entry.superseded;
            ((*key, entry.lost.version), Entry { winner: entry.winner, superseded })
        })
        .collect();
    for ((key, lost), entry) in expected {
        let found = held.get(&(*key, *lost));
        if found.map(|found| found.winner) != Some(entry.winner) {
            return Err(format!(
                "key {key}: region {region} lost {lost:?} to {:?}; the ledger has {found:?}",
                entry.winner
            ));
        }
        if entry.superseded && !found.is_some_and(|found| found.superseded) {
            return Err(format!(
                "key {key}: region {region} did not mark the loss of {lost:?}, seen after all"
            ));
        }
    }
    for ((key, lost), entry) in &held {
        if !expected.contains_key(&(*key, *lost)) {
            return Err(format!("key {key}: region {region} lists {lost:?}, which was never lost unseen"));
        }
        let mut arrivals = accepted.records(*key);
        if entry.superseded && !arrivals.any(|(_, record)| record.seen.of(lost.incarnation) >= lost.time) {
            return Err(format!(
                "key {key}: region {region} marked the loss of {lost:?}, which nobody had seen"
            ));
        }
    }
    Ok(())
}

fn every_loss_is_listed(
    history: &History,
    accepted: &Accepted<'_>,
    built_upon: &BTreeSet<(KeyId, Version)>,
) -> Finding {
    for key in accepted.keys() {
        let newest = accepted.newest(key).map(|record| record.version);
        for (region, record) in accepted.records(key) {
            let version = record.version;
            if Some(version) == newest || built_upon.contains(&(key, version)) {
                continue;
            }
            let ledger = &history.finals[region].ledger;
            if !ledger.iter().any(|(of, entry)| *of == key && entry.lost.version == version) {
                return Err(format!(
                    "key {key}: {version:?} lost, nobody built upon it, and region {region} does not list it"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    /// Regions 0 and 1 write at once; 1 wins.
    fn conflict() -> Story {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        let won = story.put(1, 0, 6);
        story.arrive(0, 1, 0, &won);
        story.arrive(2, 1, 0, &won);
        story
    }

    #[test]
    fn a_listed_loss_is_right_and_an_unlisted_one_is_found() {
        let mut story = conflict();
        assert!(check(&story.clone().end()).unwrap_err().contains("the ledger has None"));
        story.ledger(0, 0, 5, (1, 6), false);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_wrong_winner_and_a_loss_that_was_none_are_found() {
        let mut story = conflict();
        story.ledger(0, 0, 5, (2, 6), false);
        assert!(check(&story.end()).unwrap_err().contains("lost"));
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        let won = story.put_seeing(1, 0, 6, &[(0, 5)]);
        story.arrive(0, 1, 0, &won);
        assert_eq!(check(&story.clone().end()), Ok(()));
        story.ledger(0, 0, 5, (1, 6), false);
        assert!(check(&story.end()).unwrap_err().contains("never lost unseen"));
    }

    #[test]
    fn an_entry_that_a_later_record_had_seen_must_be_marked_and_no_other() {
        for (seen, marked, right) in [(5, true, true), (5, false, false), (4, true, false), (4, false, true)]
        {
            let mut story = conflict();
            let later = story.put_seeing(2, 0, 9, &[(0, seen), (1, 6)]);
            story.arrive(0, 2, 0, &later);
            story.arrive(1, 2, 0, &later);
            story.ledger(0, 0, 5, (1, 6), marked);
            assert_eq!(check(&story.end()).is_ok(), right, "seen {seen}, marked {marked}");
        }
    }

    #[test]
    fn a_loss_hidden_by_a_false_history_is_found() {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        let won = story.put_seeing(1, 0, 6, &[(0, 5)]);
        story.arrive(0, 1, 0, &won);
        assert!(check(&story.end()).unwrap_err().contains("nobody built upon"));
    }
}
