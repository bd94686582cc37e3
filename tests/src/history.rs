//! What writers know of each key: the last state that was acknowledged, and what may have come after it.
//!
//! A region takes one writer's writes to a key in order. So in the writer's region the key holds its last
//! acknowledged state or one of the unknown ones since, unless another region wrote it. When all regions
//! agree, the key holds what some region knows last: an acknowledged write only ever gives way to a newer
//! one.

use std::collections::BTreeMap;

/// A key's state: a tag that no two writes share, or absent.
pub type State = Option<String>;

/// What one writer knows of one key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    acknowledged: State,
    possible: Vec<State>,
}

impl Known {
    /// Notes a write that was acknowledged.
    pub fn acknowledge(&mut self, state: State) {
        self.acknowledged = state;
        self.possible.clear();
    }

    /// Notes a write whose outcome is unknown.
    pub fn doubt(&mut self, state: State) {
        self.possible.push(state);
    }

    fn explains(&self, observed: &State) -> bool {
        self.acknowledged == *observed || self.possible.contains(observed)
    }
}

/// Everything that is known: for each key, what each region's one writer of it knows.
#[derive(Clone, Debug, Default)]
pub struct Book {
    keys: BTreeMap<String, BTreeMap<usize, Known>>,
    /// How many writes were acknowledged.
    pub acknowledged: u64,
    /// How many have an unknown outcome.
    pub doubted: u64,
}

impl Book {
    /// Takes what a writer knows of a key, to be given back by `keep`.
    pub fn known(&self, key: &str, region: usize) -> Known {
        self.keys.get(key).and_then(|regions| regions.get(&region)).cloned().unwrap_or_default()
    }

    /// Replaces what a region's writer knows of a key.
    pub fn keep(&mut self, key: &str, region: usize, known: Known) {
        self.keys.entry(key.to_owned()).or_default().insert(region, known);
    }

    /// All keys, each with the only region that writes it, or none when several do.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.keys.iter().map(|(key, regions)| {
            let only = regions.keys().next().filter(|_| regions.len() == 1);
            (key.as_str(), only.copied())
        })
    }

    /// Says what is wrong with a key's state, if it cannot be explained.
    pub fn judge(&self, key: &str, observed: &State) -> Option<String> {
        let regions = &self.keys[key];
        if regions.values().any(|known| known.explains(observed)) {
            return None;
        }
        Some(format!("{key} holds {observed:?}, which none explains of {regions:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(tag: &str) -> State {
        Some(tag.to_owned())
    }

    fn book(known: &[(usize, Known)]) -> Book {
        let mut book = Book::default();
        known.iter().for_each(|(region, known)| book.keep("k", *region, known.clone()));
        book
    }

    #[test]
    fn a_lost_acknowledged_write_is_found() {
        let mut known = Known::default();
        known.acknowledge(tag("1"));
        known.acknowledge(tag("2"));
        let book = book(&[(0, known)]);
        assert_eq!(book.judge("k", &tag("2")), None);
        assert!(book.judge("k", &tag("1")).is_some());
        assert!(book.judge("k", &None).is_some());
    }

    #[test]
    fn an_unknown_outcome_explains_both() {
        let mut known = Known::default();
        known.acknowledge(tag("1"));
        known.doubt(None);
        known.doubt(tag("2"));
        let book = book(&[(0, known)]);
        for observed in [tag("1"), None, tag("2")] {
            assert_eq!(book.judge("k", &observed), None);
        }
        assert!(book.judge("k", &tag("3")).is_some());
    }

    #[test]
    fn regions_that_agree_hold_what_one_of_them_knows_last() {
        let [mut here, mut there] = [Known::default(), Known::default()];
        here.acknowledge(tag("here 1"));
        here.acknowledge(tag("here 2"));
        there.acknowledge(tag("there 1"));
        let book = book(&[(0, here), (1, there)]);
        assert_eq!(book.judge("k", &tag("there 1")), None);
        assert!(book.judge("k", &tag("here 1")).is_some());
        assert_eq!(book.keys().next(), Some(("k", None)));
    }
}
