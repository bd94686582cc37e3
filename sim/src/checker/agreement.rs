//! In the end every region holds the same live records, byte for byte, and says so.
//!
//! Tombstones may differ: each region collects them in its own time. On the way there, equal versions of a
//! key must have been equal records everywhere, and no record may have gone but by collection.

use std::collections::BTreeMap;

use storage::Record;

use super::Finding;
use crate::history::{History, What};

/// Checks a run.
pub fn check(history: &History) -> Finding {
    if let Some((region, key)) = history.strangers.first() {
        return Err(format!("region {region} holds key {key:02x?}, which nobody wrote"));
    }
    equal_versions_are_equal_records(history)?;
    for fact in &history.facts {
        if let What::Erased { key } = fact.what {
            return Err(format!("region {} removed key {key} without collecting it", fact.region));
        }
    }
    for key in 0..history.keys.len() {
        let live =
            |region: usize| history.finals[region].records.get(&key).filter(|record| !record.is_tombstone());
        for region in 1..history.finals.len() {
            if live(region) != live(0) {
                let show = |record: Option<&Record>| record.map(|record| record.version);
                let (one, other) = (show(live(0)), show(live(region)));
                return Err(format!("key {key}: region 0 holds {one:?}, region {region} holds {other:?}"));
            }
        }
    }
    let digests: Vec<_> = history.finals.iter().filter_map(|held| held.digest).collect();
    match digests.windows(2).all(|pair| pair[0] == pair[1]) {
        true => Ok(()),
        false => Err(format!("equal records, but the regions say they differ: {digests:x?}")),
    }
}

fn equal_versions_are_equal_records(history: &History) -> Finding {
    let mut records: BTreeMap<_, (usize, &Record)> = BTreeMap::new();
    for (_, region, applied) in history.applied_once() {
        let known = records.entry((applied.key, applied.record.version)).or_insert((region, &applied.record));
        if *known.1 != applied.record {
            let (other, version) = (known.0, applied.record.version);
            let key = applied.key;
            return Err(format!(
                "key {key}: regions {other} and {region} hold different records of {version:?}"
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
    fn equal_live_records_agree_and_tombstones_may_differ() {
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        let gone = story.delete(1, 1, 6);
        story.arrive(0, 1, 1, &gone);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_region_that_lacks_a_record_is_found() {
        let mut story = Story::begin();
        let put = story.put(0, 0, 5);
        story.arrive(1, 0, 0, &put);
        assert!(check(&story.end()).unwrap_err().contains("region 2 holds None"));
    }

    #[test]
    fn one_version_with_two_bodies_is_found() {
        let mut story = Story::begin();
        let mut put = story.put(0, 0, 5);
        put.body = Some(b"other".to_vec());
        story.arrive(1, 0, 0, &put);
        assert!(check(&story.end()).unwrap_err().contains("different records"));
    }

    #[test]
    fn digests_that_differ_and_removals_are_found() {
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        let mut history = story.end();
        history.finals[0].digest = Some(1);
        history.finals[1].digest = Some(2);
        assert!(check(&history).unwrap_err().contains("say they differ"));
        history.add(9, 1, What::Erased { key: 0 });
        assert!(check(&history).unwrap_err().contains("without collecting"));
    }
}
