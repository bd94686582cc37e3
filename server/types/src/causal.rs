//! `Seen`: for each other region, the newest of its writes that a record's writer had seen.
//!
//! Only a writing region sets it (`P9`); losing applies, expiry and backfill never touch it.

use crate::{HybridTime, Incarnation, Version};

/// A record's causal history: at most one time per incarnation, sorted by incarnation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen(Vec<(Incarnation, HybridTime)>);

impl Seen {
    /// Nothing seen.
    pub fn new() -> Self {
        Seen::default()
    }

    /// The newest write of an incarnation that was seen, `ZERO` when none was.
    pub fn of(&self, incarnation: Incarnation) -> HybridTime {
        match self.0.binary_search_by_key(&incarnation, |(of, _)| *of) {
            Ok(at) => self.0[at].1,
            Err(_) => HybridTime::ZERO,
        }
    }

    /// Notes a write; an older one than is known changes nothing.
    pub fn raise(&mut self, incarnation: Incarnation, time: HybridTime) {
        match self.0.binary_search_by_key(&incarnation, |(of, _)| *of) {
            Ok(at) => self.0[at].1 = self.0[at].1.max(time),
            Err(at) => self.0.insert(at, (incarnation, time)),
        }
    }

    /// The history of a record that `writer` puts in the place of a stored one (`P9`): what that one had
    /// seen and its own version, less the writer's own region, less lives that have ended.
    pub fn succeeding(
        &self,
        stored: Version,
        writer: Incarnation,
        lives: impl Fn(Incarnation) -> bool,
    ) -> Seen {
        let mut next = self.clone();
        next.raise(stored.incarnation, stored.time);
        next.0.retain(|(of, _)| of.region != writer.region && lives(*of));
        next
    }

    /// The entries, sorted by incarnation.
    pub fn iter(&self) -> impl Iterator<Item = (Incarnation, HybridTime)> + '_ {
        self.0.iter().copied()
    }

    /// How many incarnations it names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Incarnation, HybridTime)> for Seen {
    fn from_iter<I: IntoIterator<Item = (Incarnation, HybridTime)>>(entries: I) -> Self {
        let mut seen = Seen::new();
        for (incarnation, time) in entries {
            seen.raise(incarnation, time);
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RegionId;

    fn life(region: u32) -> Incarnation {
        Incarnation { region: RegionId(region), counter: 1 }
    }

    #[test]
    fn a_successor_has_seen_what_it_replaced_but_not_itself() {
        let stored: Seen =
            [(life(1), HybridTime::from_u64(5)), (life(3), HybridTime::from_u64(4))].into_iter().collect();
        let version = Version { time: HybridTime::from_u64(9), incarnation: life(2), expired: false };
        let next = stored.succeeding(version, life(1), |of| of != life(3));
        assert_eq!(next.iter().collect::<Vec<_>>(), vec![(life(2), HybridTime::from_u64(9))]);
    }

    #[test]
    fn raising_never_lowers() {
        let mut seen = Seen::new();
        seen.raise(life(1), HybridTime::from_u64(5));
        seen.raise(life(1), HybridTime::from_u64(3));
        assert_eq!(seen.of(life(1)), HybridTime::from_u64(5));
        assert_eq!(seen.of(life(2)), HybridTime::ZERO);
    }
}
