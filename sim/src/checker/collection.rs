//! Tombstones go only when all have passed them, and leave a floor in their place (`P11`).

use std::collections::BTreeMap;

use types::{HybridTime, PartitionId};

use super::Finding;
use super::passed::Passed;
use crate::event::NodeId;
use crate::history::{History, KeyId, What};

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let mut passed = Passed::new(history);
    let mut floors: BTreeMap<(NodeId, PartitionId), HybridTime> = BTreeMap::new();
    let mut owed: BTreeMap<(NodeId, PartitionId), HybridTime> = BTreeMap::new();
    let mut places: BTreeMap<KeyId, BTreeMap<NodeId, PartitionId>> = BTreeMap::new();
    for fact in &history.facts {
        let region = fact.region;
        match &fact.what {
            What::Closed(closed) => passed.receive(region, closed),
            What::Applied(applied) => {
                places.entry(applied.key).or_default().insert(region, applied.partition);
            }
            What::Collected { partition, key, time, again: false } => {
                let all = passed.all(*key);
                if *time > all {
                    return Err(format!(
                        "key {key}: region {region} collected {time}; all have passed {all}"
                    ));
                }
                let owed = owed.entry((region, *partition)).or_default();
                *owed = (*owed).max(*time);
            }
            What::Floor { partition, last, floor } => {
                floors.insert((region, *partition), *floor);
                let here = |(_, held): &(&KeyId, &BTreeMap<NodeId, PartitionId>)| {
                    held.get(&region) == Some(partition)
                };
                // What a split gave away is not there, though nothing was applied to it since.
                let here = places.iter().filter(here).filter(|(key, _)| history.keys[**key].0 <= *last);
                let all = here.map(|(key, _)| passed.all(*key)).min();
                if let Some(all) = all.filter(|all| floor > all) {
                    return Err(format!("region {region} raised a floor to {floor}; all have passed {all}"));
                }
            }
            _ => {}
        }
    }
    for ((region, partition), owed) in owed {
        let floor = floors.get(&(region, partition)).copied().unwrap_or_default();
        if floor < owed {
            return Err(format!("region {region} collected {owed} and its floor is {floor}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    fn collected(closed: u64, floor: u64) -> History {
        let mut story = Story::begin();
        story.delete_everywhere(1, 0, 9);
        story.close_everywhere(closed);
        story.collect(0, 0, 9);
        story.floor(0, floor);
        story.end()
    }

    #[test]
    fn a_tombstone_that_all_have_passed_may_go() {
        assert_eq!(check(&collected(9, 9)), Ok(()));
    }

    #[test]
    fn collecting_early_is_found() {
        assert!(check(&collected(8, 9)).unwrap_err().contains("collected"));
    }

    #[test]
    fn a_floor_too_low_or_too_high_is_found() {
        assert!(check(&collected(9, 8)).unwrap_err().contains("its floor is"));
        assert!(check(&collected(9, 10)).unwrap_err().contains("raised a floor"));
    }
}
