//! How much each partition that is led here decides, and where half of that lies: what splits by load are
//! made of.
//!
//! Leaders tell the catalog's, which alone sees them all: a partition is split when it has carried more than
//! its part of what the region's nodes carry, for long enough that it is no burst. Where most of the load is
//! of one partition key, a split would not spread it, and nothing is split.

use std::collections::BTreeMap;

use storage::Engine;
use types::command::{HotPartition, PartitionLoad};
use types::{GroupId, KeyHash, limits};

use crate::Shard;
use crate::clock::NS_PER_MS;
use crate::letters::{Content, Letter};
use crate::waiter::CatalogWaiter;

const NS_PER_SECOND: u64 = 1000 * NS_PER_MS;

/// What one leader has decided since it was last asked, and some of the hashes that it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Meter {
    count: u64,
    since_ns: u64,
    sample: Vec<KeyHash>,
}

impl Meter {
    /// Something was read or written.
    pub fn count(&mut self, hash: KeyHash) {
        self.count += 1;
        if !self.count.is_multiple_of(limits::LOAD_SAMPLED_EVERY) {
            return;
        }
        let at = (self.count / limits::LOAD_SAMPLED_EVERY) as usize % limits::LOAD_SAMPLE;
        match self.sample.get_mut(at) {
            Some(old) => *old = hash,
            None => self.sample.push(hash),
        }
    }

    /// The load since this was last called, unless it is too little to tell.
    pub fn read(&mut self, now_ns: u64) -> Option<PartitionLoad> {
        let passed_ns = now_ns - self.since_ns;
        let per_second = u128::from(self.count) * u128::from(NS_PER_SECOND) / u128::from(passed_ns.max(1));
        let per_second = per_second as u64;
        let tells =
            per_second >= limits::LOAD_LEAST_PER_SECOND && self.sample.len() >= limits::LOAD_SAMPLE / 2;
        let load = tells.then(|| PartitionLoad { per_second, middle: middle(&self.sample) });
        (self.count, self.since_ns) = (0, now_ns);
        self.sample.clear();
        load
    }
}

/// A hash with no more than three quarters of a sample on either side of it.
fn middle(sample: &[KeyHash]) -> Option<KeyHash> {
    let mut sorted = sample.to_vec();
    sorted.sort_unstable();
    let half = sorted[sorted.len() / 2];
    let below = |at: KeyHash| sorted.partition_point(|hash| *hash < at);
    let above = sorted.iter().copied().find(|hash| *hash > half);
    let fair = |at: &KeyHash| below(*at).max(sorted.len() - below(*at)) <= sorted.len() * 3 / 4;
    [Some(half), above].into_iter().flatten().find(fair)
}

/// What the catalog's leader knows of loads.
#[derive(Debug, Default)]
pub(crate) struct Loads {
    by_group: BTreeMap<GroupId, Known>,
}

#[derive(Debug)]
struct Known {
    load: PartitionLoad,
    heard_ns: u64,
    /// Since when it carries too much.
    hot_ns: Option<u64>,
}

impl Loads {
    /// Of one partition, if its leader told lately.
    pub fn of(&self, group: GroupId) -> Option<PartitionLoad> {
        self.by_group.get(&group).map(|known| known.load)
    }

    /// A leader told.
    pub fn note(&mut self, group: GroupId, load: PartitionLoad, now_ns: u64) {
        let hot_ns = self.by_group.get(&group).and_then(|known| known.hot_ns);
        self.by_group.insert(group, Known { load, heard_ns: now_ns, hot_ns });
    }

    /// The partitions that have carried too much for long, hottest first, and where to split them.
    fn hot(&mut self, nodes: u64, now_ns: u64) -> Vec<(GroupId, KeyHash)> {
        let patience_ns = limits::LOAD_KNOWN_FOR_MS * NS_PER_MS;
        self.by_group.retain(|_, known| known.heard_ns + patience_ns > now_ns);
        let all: u64 = self.by_group.values().map(|known| known.load.per_second).sum();
        let part = all / nodes / limits::SPLIT_PARTS_OF_A_NODE;
        let most = part.max(limits::SPLIT_LEAST_PER_SECOND);
        let mut hot = Vec::new();
        for (group, known) in &mut self.by_group {
            known.hot_ns = match known.load.per_second > most {
                true => known.hot_ns.or(Some(now_ns)),
                false => None,
            };
            let long = |since: u64| since + limits::SPLIT_SUSTAINED_MS * NS_PER_MS <= now_ns;
            if known.hot_ns.is_some_and(long)
                && let Some(at) = known.load.middle
            {
                hot.push((known.load.per_second, *group, at));
            }
        }
        hot.sort_unstable_by(|one, other| other.cmp(one));
        hot.into_iter().map(|(_, group, at)| (group, at)).collect()
    }
}

impl<E: Engine> Shard<E> {
    /// A partition was asked for something here.
    pub(crate) fn meter(&mut self, group: GroupId, hash: KeyHash) {
        if let Some(replica) = self.replicas.get_mut(&group) {
            replica.meter.count(hash);
        }
    }

    /// Tells the catalog's leader what the partitions decide that are led here.
    pub(crate) fn tell_loads(&mut self) {
        let now_ns = self.now.monotonic_ns;
        let mut loads = Vec::new();
        for (group, replica) in &mut self.replicas {
            let load = replica.meter.read(now_ns);
            loads.extend(load.filter(|_| replica.decides()).map(|load| (*group, load)));
        }
        self.overview.hottest = hottest(&loads);
        for (group, load) in loads {
            let letter = Letter { group, content: Content::Load(load) };
            self.at_the_catalogs_leader(letter, |shard| shard.note_load(group, load));
        }
    }

    /// A leader told what its partition decides.
    pub(crate) fn note_load(&mut self, group: GroupId, load: PartitionLoad) {
        if self.catalog_decides() {
            self.catalog.loads.note(group, load, self.now.monotonic_ns);
        }
    }

    /// Splits what has carried too much for long, where the catalog is led; in a region of one node there is
    /// nobody to share it with.
    pub(crate) fn split_what_is_hot(&mut self) {
        let nodes = self.catalog.applied.nodes.active().count() as u64;
        if !self.catalog_decides() || nodes < 2 {
            return self.catalog.loads = Loads::default();
        }
        let hot = self.catalog.loads.hot(nodes, self.now.monotonic_ns);
        if self.catalog.in_flight.is_some() || !self.catalog.queue.is_empty() {
            return;
        }
        let catalog = &self.catalog.applied;
        let split = hot.into_iter().find_map(|(group, at)| catalog.split_if_possible(group, at));
        if let Some(update) = split {
            self.propose_update(&update, CatalogWaiter::Nobody);
        }
    }
}

/// The hottest of some partitions, hottest first.
fn hottest(loads: &[(GroupId, PartitionLoad)]) -> Vec<HotPartition> {
    let hot = |(group, load): &(GroupId, PartitionLoad)| HotPartition {
        partition: *group,
        per_second: load.per_second,
        one_key: load.middle.is_none(),
    };
    let mut hottest: Vec<_> = loads.iter().map(hot).collect();
    hottest.sort_by_key(|hot| (std::cmp::Reverse(hot.per_second), hot.partition));
    hottest.truncate(limits::HOTTEST_TOLD_MAX);
    hottest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(hashes: impl Iterator<Item = u64>) -> Meter {
        let mut meter = Meter::default();
        for hash in hashes {
            (0..limits::LOAD_SAMPLED_EVERY).for_each(|_| meter.count(KeyHash(hash)));
        }
        meter
    }

    #[test]
    fn the_middle_halves_what_was_asked_for() {
        let load = meter((0..1000).map(|at| at % 100)).read(NS_PER_SECOND / 2).expect("enough to tell");
        assert_eq!(load.per_second, 2000 * limits::LOAD_SAMPLED_EVERY);
        let middle = load.middle.expect("no key has most").0;
        assert!((20..80).contains(&middle), "{middle}");
    }

    #[test]
    fn what_one_key_carries_is_not_split() {
        let mostly = |at: u64| if at.is_multiple_of(8) { at } else { 77 };
        let load = meter((0..1000).map(mostly)).read(NS_PER_SECOND).expect("enough to tell");
        assert_eq!(load.middle, None);
    }

    #[test]
    fn two_keys_are_parted() {
        let load = meter((0..1000).map(|at| at % 2)).read(NS_PER_SECOND).expect("enough to tell");
        assert_eq!(load.middle, Some(KeyHash(1)));
    }

    #[test]
    fn little_tells_nothing() {
        assert_eq!(meter(0..10).read(NS_PER_SECOND), None);
    }

    #[test]
    fn a_burst_is_not_hot_and_a_part_of_its_share_is_not_either() {
        let load = |per_second| PartitionLoad { per_second, middle: Some(KeyHash(9)) };
        let (mut loads, second) = (Loads::default(), NS_PER_SECOND);
        let long = limits::SPLIT_SUSTAINED_MS / 1000;
        for at in 0..=long {
            loads.note(GroupId(16), load(9000), at * second);
            loads.note(GroupId(17), load(500), at * second);
            let hot = loads.hot(3, at * second);
            let expected: &[_] = if at < long { &[] } else { &[(GroupId(16), KeyHash(9))] };
            assert_eq!(hot, expected, "after {at} s");
        }
        loads.note(GroupId(16), load(9), (long + 1) * second);
        assert_eq!(loads.hot(3, (long + 1) * second), []);
    }
}
