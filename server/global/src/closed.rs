//! Closed times received from other regions, and what those regions report to have received (`P8`).
//!
//! Nothing here is durable: a forgotten closed time is told again, and until then less is collected.

use std::collections::BTreeMap;

use types::{HashRange, HybridTime, Incarnation, KeyHash};

use crate::range_times::RangeTimes;

/// What is known of one table's closed times.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    received: BTreeMap<Incarnation, RangeTimes>,
    reported: BTreeMap<(Incarnation, Incarnation), HybridTime>,
}

impl Passed {
    /// A closed time arrived: nothing made by `origin` in the range at or below it is still to come here.
    pub fn receive(&mut self, origin: Incarnation, range: HashRange, time: HybridTime) {
        self.received.entry(origin).or_default().raise(range, time);
    }

    /// `reporter` has received closed times from `origin` up to this, over all its ranges.
    pub fn report(&mut self, reporter: Incarnation, origin: Incarnation, time: HybridTime) {
        let known = self.reported.entry((reporter, origin)).or_default();
        *known = (*known).max(time);
    }

    /// The least closed time received from a life over a range.
    pub fn received(&self, origin: Incarnation, range: HashRange) -> HybridTime {
        self.received.get(&origin).map_or(HybridTime::ZERO, |times| times.least(range))
    }

    /// The closed time received from a life for one hash.
    pub fn received_at(&self, origin: Incarnation, hash: KeyHash) -> HybridTime {
        self.received.get(&origin).map_or(HybridTime::ZERO, |times| times.at(hash))
    }

    /// The time that all have passed over a range: every life has reported a closed time at or above it from
    /// every other (`P8`). A life that has reported nothing holds everything back.
    pub fn all_passed(&self, me: Incarnation, others: &[Incarnation], range: HashRange) -> HybridTime {
        let here = others.iter().map(|origin| self.received(*origin, range));
        let lives = || others.iter().chain([&me]);
        let there = others.iter().flat_map(|reporter| {
            let reported = |origin: &Incarnation| self.reported.get(&(*reporter, *origin)).copied();
            lives()
                .filter(move |origin| *origin != reporter)
                .map(move |origin| reported(origin).unwrap_or_default())
        });
        here.chain(there).min().unwrap_or(HybridTime::MAX)
    }
}

#[cfg(test)]
mod tests {
    use types::RegionId;

    use super::*;

    #[test]
    fn all_have_passed_only_what_every_region_has_from_every_other() {
        let life = |region| Incarnation { region: RegionId(region), counter: 1 };
        let (a, b, c) = (life(1), life(2), life(3));
        let time = HybridTime::from_u64;
        let mut passed = Passed::default();
        passed.receive(b, HashRange::ALL, time(9));
        passed.receive(c, HashRange::ALL, time(8));
        for (reporter, origin, at) in [(b, a, 7), (b, c, 6), (c, a, 5)] {
            passed.report(reporter, origin, time(at));
            assert_eq!(passed.all_passed(a, &[b, c], HashRange::ALL), HybridTime::ZERO);
        }
        passed.report(c, b, time(4));
        assert_eq!(passed.all_passed(a, &[b, c], HashRange::ALL), time(4));
        passed.report(c, b, time(3));
        assert_eq!(passed.all_passed(a, &[b, c], HashRange::ALL), time(4), "reports never fall");
    }
}
