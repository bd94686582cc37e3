//! In the end every key is what the greatest version accepted for it says, in every region.

use super::Finding;
use super::accepted::Accepted;
use crate::history::History;

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let accepted = Accepted::of(history);
    for (region, held) in history.finals.iter().enumerate() {
        for key in 0..history.keys.len() {
            let held = held.records.get(&key);
            let newest = accepted.newest(key);
            if let Some(record) = held.filter(|record| !accepted.holds(key, record.version)) {
                let version = record.version;
                return Err(format!(
                    "key {key}: region {region} holds {version:?}, which no region accepted"
                ));
            }
            let live = |record: &&storage::Record| !record.is_tombstone();
            let (held, newest) = (held.filter(live), newest.filter(live));
            if held.map(|record| record.version) != newest.map(|record| record.version) {
                let (held, newest) = (held.map(|r| r.version), newest.map(|r| r.version));
                return Err(format!(
                    "key {key}: region {region} holds {held:?}, the greatest accepted is {newest:?} \
                     (None is a tombstone or nothing)"
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
    fn the_greatest_version_everywhere_is_right() {
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        story.put_everywhere(1, 0, 7);
        story.put_everywhere(2, 1, 4);
        story.delete_everywhere(1, 1, 8);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_smaller_version_and_a_resurrected_item_are_found() {
        let mut story = Story::begin();
        let old = story.put(0, 0, 5);
        story.put_everywhere(1, 0, 7);
        let mut history = story.end();
        assert_eq!(check(&history), Ok(()));
        history.finals[2].records.insert(0, old);
        assert!(check(&history).unwrap_err().contains("region 2 holds"));

        let mut story = Story::begin();
        let old = story.put(0, 0, 5);
        story.delete_everywhere(1, 0, 7);
        let mut history = story.end();
        assert_eq!(check(&history), Ok(()));
        history.finals[0].records.insert(0, old);
        assert!(check(&history).is_err());
    }

    #[test]
    fn a_version_that_nobody_accepted_is_found() {
        let mut story = Story::begin();
        let ghost = story.record(1, 9, Some(9));
        story.arrive(0, 1, 0, &ghost);
        assert!(check(&story.end()).unwrap_err().contains("no region accepted"));
    }
}
