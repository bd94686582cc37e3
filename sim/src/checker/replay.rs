//! What was applied stays applied: a restart repeats the same entries, and nothing that a region ever held is
//! below what it holds in the end.

use std::collections::BTreeMap;

use super::Finding;
use super::store::Stores;
use crate::history::{History, What};

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let mut entries = BTreeMap::new();
    let mut stores = Stores::new(history);
    for fact in &history.facts {
        stores.follow(fact);
        let What::Applied(applied) = &fact.what else { continue };
        let place = (fact.region, applied.partition, applied.position);
        let first = *entries.entry(place).or_insert((applied.key, applied.record.version));
        let repeated = (applied.key, applied.record.version);
        if first != repeated {
            return Err(format!("region {}: {place:?} was {first:?} and became {repeated:?}", fact.region));
        }
    }
    for (region, held) in history.finals.iter().enumerate() {
        for key in 0..history.keys.len() {
            let expected = stores.stored(region, key).map(|record| record.version);
            let held = held.records.get(&key).map(|record| record.version);
            if held != expected {
                return Err(format!(
                    "key {key}: region {region} applied {expected:?} last and holds {held:?}"
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

    #[test]
    fn a_restart_that_repeats_its_log_is_right() {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        story.put(0, 0, 6);
        story.repeat(0, 2);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn an_entry_that_became_another_is_found() {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        story.restart_from(0, 0);
        story.put(0, 0, 6);
        assert!(check(&story.end()).unwrap_err().contains("became"));
    }

    #[test]
    fn a_record_that_fell_back_is_found() {
        let mut story = Story::begin();
        let old = story.put(0, 0, 5);
        story.put(0, 0, 6);
        let mut history = story.end();
        history.finals[0].records.insert(0, old);
        assert!(check(&history).unwrap_err().contains("applied"));
    }
}
