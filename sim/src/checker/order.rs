//! A region's own write is above everything that the region had held of that key: an acknowledged write never
//! loses to a version that it had overwritten (`P7`).

use super::Finding;
use super::store::Stores;
use crate::history::History;

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let mut stores = Stores::new(history);
    for fact in &history.facts {
        let before = match &fact.what {
            crate::history::What::Applied(applied) => stores.newest(fact.region, applied.key),
            _ => None,
        };
        let Some(applied) = stores.follow(fact) else { continue };
        let version = applied.record.version;
        if history.is_own(fact.region, applied) && before.is_some_and(|before| version <= before) {
            let (region, key) = (fact.region, applied.key);
            return Err(format!("key {key}: region {region} wrote {version:?} over {before:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    #[test]
    fn writes_above_what_they_replace_are_right() {
        let mut story = Story::begin();
        story.put_everywhere(1, 0, 9);
        story.put(0, 0, 10);
        story.put(0, 1, 3);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_write_below_what_it_replaced_is_found() {
        let mut story = Story::begin();
        story.put_everywhere(1, 0, 9);
        story.put(0, 0, 8);
        assert!(check(&story.end()).unwrap_err().contains("region 0 wrote"));
    }

    #[test]
    fn a_write_below_a_collected_tombstone_is_found() {
        let mut story = Story::begin();
        story.delete_everywhere(1, 0, 9);
        story.collect(0, 0, 9);
        story.put(0, 0, 8);
        assert!(check(&story.end()).is_err());
    }
}
