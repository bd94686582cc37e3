//! A write's `seen` is what its region had really seen of the key (`P9`, `P11`).
//!
//! The ledger rests on it, and a ledger replayed from wrong histories agrees with itself; so the histories
//! are derived here from what each region held when it wrote.

use std::collections::BTreeMap;

use types::{Incarnation, RegionId};

use super::Finding;
use super::store::Stores;
use crate::event::NodeId;
use crate::history::{AppliedKey, History, What};

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let lives = lives(history);
    let mut stores = Stores::new(history);
    for fact in &history.facts {
        if let What::Applied(applied) = &fact.what
            && !applied.again
            && history.is_own(fact.region, applied)
        {
            seen(history, &lives, &stores, fact.region, applied)?;
        }
        stores.follow(fact);
    }
    Ok(())
}

/// The one life of each region that wrote anything.
fn lives(history: &History) -> BTreeMap<RegionId, Incarnation> {
    let made = history.applied_once().map(|(_, _, applied)| applied.record.version.incarnation);
    made.map(|life| (life.region, life)).collect()
}

fn seen(
    history: &History,
    lives: &BTreeMap<RegionId, Incarnation>,
    stores: &Stores<'_>,
    region: NodeId,
    applied: &AppliedKey,
) -> Finding {
    let (key, record) = (applied.key, &applied.record);
    let version = record.version;
    if let Some(stored) = stores.stored(region, key) {
        let expected = stored.seen.succeeding(stored.version, version.incarnation, |_| true);
        return match record.seen == expected {
            true => Ok(()),
            false => Err(format!(
                "key {key}: region {region} wrote {version:?} over {:?}, seen {:?} and not {expected:?}",
                stored.version, record.seen
            )),
        };
    }
    let Some(collected) = stores.collected(region, key) else { return Ok(()) };
    let others = lives.values().filter(|life| life.region != history.regions[region]);
    for life in others {
        if record.seen.of(*life) < collected.version.time {
            return Err(format!(
                "key {key}: region {region} wrote {version:?} after collecting {:?} without having seen it",
                collected.version
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    #[test]
    fn a_write_that_has_seen_what_it_replaced_is_right() {
        let mut story = Story::begin();
        story.put_everywhere(1, 0, 5);
        story.put_seeing(0, 0, 6, &[(1, 5)]);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_write_that_omits_what_it_replaced_is_found() {
        let mut story = Story::begin();
        story.put_everywhere(1, 0, 5);
        story.put_seeing(0, 0, 6, &[]);
        assert!(check(&story.end()).unwrap_err().contains("and not"));
    }

    #[test]
    fn a_write_over_a_collected_tombstone_has_seen_the_floor() {
        for (seen, right) in [(9, true), (8, false)] {
            let mut story = Story::begin();
            story.delete_everywhere(1, 0, 9);
            story.put_everywhere(2, 1, 1);
            story.collect(0, 0, 9);
            story.put_seeing(0, 0, 12, &[(1, seen), (2, seen)]);
            assert_eq!(check(&story.end()).is_ok(), right);
        }
    }
}
