//! A time for every hash, raised range by range.
//!
//! Regions split their partitions independently, so times are kept per hash range and never per partition
//! (`P8`).

use std::collections::BTreeMap;

use types::{HashRange, HybridTime, KeyHash};

/// Times over the hash space; `ZERO` where none was set. They never fall.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RangeTimes {
    /// The first hash of each piece, and the piece's time; the pieces tile the space.
    pieces: BTreeMap<u64, HybridTime>,
}

impl Default for RangeTimes {
    fn default() -> Self {
        RangeTimes { pieces: BTreeMap::from([(0, HybridTime::ZERO)]) }
    }
}

impl RangeTimes {
    /// Raises the times of a range that are lower.
    pub fn raise(&mut self, range: HashRange, time: HybridTime) {
        self.cut(range.first.0);
        if let Some(past) = range.last.0.checked_add(1) {
            self.cut(past);
        }
        for (_, piece) in self.pieces.range_mut(range.first.0..=range.last.0) {
            *piece = (*piece).max(time);
        }
        self.merge(range);
    }

    /// The least time over a range.
    pub fn least(&self, range: HashRange) -> HybridTime {
        let inside = self.pieces.range(range.first.0..=range.last.0).map(|(_, time)| *time);
        inside.chain([self.at(range.first)]).min().unwrap_or(HybridTime::ZERO)
    }

    /// The time of a hash.
    pub fn at(&self, hash: KeyHash) -> HybridTime {
        self.pieces.range(..=hash.0).next_back().map_or(HybridTime::ZERO, |(_, time)| *time)
    }

    fn cut(&mut self, at: u64) {
        let time = self.at(KeyHash(at));
        self.pieces.entry(at).or_insert(time);
    }

    /// Joins neighbours of equal time, so that the pieces stay as few as the peers' partitions.
    fn merge(&mut self, range: HashRange) {
        let first = self.pieces.range(..range.first.0).next_back().map_or(0, |(at, _)| *at);
        let last = range.last.0.saturating_add(1);
        let mut before = None;
        let near: Vec<_> = self.pieces.range(first..=last).map(|(at, time)| (*at, *time)).collect();
        for (at, time) in near {
            if before == Some(time) {
                self.pieces.remove(&at);
            }
            before = Some(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain array of times, one per hash: ranges at both ends of the space included.
        #[test]
        fn behaves_as_an_array(raises in proptest::collection::vec((0u64..20, 0u64..20, 0u64..9), 0..20)) {
            let hash = |at: u64| KeyHash(if at < 10 { at } else { u64::MAX - 19 + at });
            let mut times = RangeTimes::default();
            let mut array = [0u64; 20];
            for (a, b, time) in raises {
                let (first, last) = (a.min(b), a.max(b));
                times.raise(HashRange { first: hash(first), last: hash(last) }, HybridTime::from_u64(time));
                array[first as usize..=last as usize].iter_mut().for_each(|at| *at = (*at).max(time));
            }
            for at in 0..20 {
                prop_assert_eq!(times.at(hash(at)).as_u64(), array[at as usize]);
                let range = HashRange { first: hash(0), last: hash(at.min(9)) };
                let least = array[..=at.min(9) as usize].iter().min().copied();
                prop_assert_eq!(Some(times.least(range).as_u64()), least);
            }
            prop_assert!(times.pieces.len() <= 22);
        }
    }
}
