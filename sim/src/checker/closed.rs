//! No closed time is ever broken (`P8`).
//!
//! Once a region has received closed time W from an origin, nothing that the origin made at or below W
//! arrives there for the first time: what is applied later was in the region's log by then. And by then
//! everything that the origin made up to W is there, unless another region's write had replaced it at the
//! origin before it was shipped.
//!
//! Where a region has several nodes, the first half holds for each that decides by itself and until it
//! restarts: a copy that strayed can reach one that was told nothing yet. That does no harm: what replaced
//! the record at its origin is in the region, or on its way, or below the floor. Who decided is not seen
//! here, so it is wrong only if all of them had been told.

use std::collections::{BTreeMap, BTreeSet};

use shard::observation::ClosedReceived;
use types::{HybridTime, PartitionId, Version};

use super::Finding;
use super::passed::Passed;
use super::store::Stores;
use crate::event::NodeId;
use crate::history::{AppliedKey, Fact, History, KeyId, What};

/// What one region made of one key.
#[derive(Debug, Default)]
struct Made {
    /// The changes, in the order in which they were made.
    changes: Vec<(HybridTime, Version)>,
    /// The newest of them that another region's write replaced at home: it and what came before need not be
    /// shipped any more.
    replaced: Option<Version>,
}

/// A closed time that a region received, and how far its logs were appended by then.
struct Received<'a> {
    closed: &'a ClosedReceived,
    appended: BTreeMap<PartitionId, u64>,
}

struct Closing<'a> {
    history: &'a History,
    passed: Passed<'a>,
    stores: Stores<'a>,
    made: BTreeMap<(NodeId, KeyId), Made>,
    /// By receiving node and origin.
    received: BTreeMap<(NodeId, usize), Vec<Received<'a>>>,
    /// The same times by node and key.
    told: BTreeMap<(NodeId, usize, KeyId), HybridTime>,
    appended: Vec<BTreeMap<PartitionId, u64>>,
    /// The nodes of each region.
    nodes: Vec<BTreeSet<NodeId>>,
}

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let (passed, stores) = (Passed::new(history), Stores::new(history));
    let appended = vec![BTreeMap::new(); history.regions.len()];
    let (made, received, told) = Default::default();
    let mut nodes = vec![BTreeSet::new(); history.regions.len()];
    for fact in &history.facts {
        nodes[fact.region].insert(fact.node);
    }
    let mut closing = Closing { history, passed, stores, made, received, told, appended, nodes };
    for fact in &history.facts {
        closing.follow(fact)?;
    }
    Ok(())
}

impl<'a> Closing<'a> {
    fn follow(&mut self, fact: &'a Fact) -> Finding {
        if let What::Closed(closed) = &fact.what {
            self.passed.receive(fact.region, closed);
            let Some(origin) = self.passed.origin(closed) else { return Ok(()) };
            let appended = self.appended[fact.region].clone();
            self.received.entry((fact.node, origin)).or_default().push(Received { closed, appended });
            for key in 0..self.history.keys.len() {
                if closed.range.contains(self.history.keys[key].0) {
                    let told = self.told.entry((fact.node, origin, key)).or_default();
                    *told = closed.time.max(*told);
                    self.nothing_missing(fact.region, origin, key, closed.time)?;
                }
            }
            return Ok(());
        }
        if let What::Appended { partition, last } = fact.what {
            self.appended[fact.region].insert(partition, last);
        }
        if fact.what == What::Restarted && self.history.several {
            self.received.retain(|(node, _), _| *node != fact.node);
            self.told.retain(|(node, ..), _| *node != fact.node);
        }
        let before = match &fact.what {
            What::Applied(applied) => {
                self.stores.stored(fact.region, applied.key).map(|record| record.version)
            }
            _ => None,
        };
        match self.stores.follow(fact) {
            Some(applied) => self.applied(fact, applied, before),
            None => Ok(()),
        }
    }

    fn applied(&mut self, fact: &Fact, applied: &AppliedKey, before: Option<Version>) -> Finding {
        let region = fact.region;
        let Some(maker) = self.history.region_of(applied.maker) else { return Ok(()) };
        let (key, version) = (applied.key, applied.record.version);
        let made = self.made.entry((region, key)).or_default();
        if maker == region {
            made.changes.push((applied.time, version));
            return Ok(());
        }
        let ours = before.filter(|before| before.incarnation.region == self.history.regions[region]);
        made.replaced = made.replaced.max(ours);
        let told = |node: &NodeId| self.told.get(&(*node, maker, key)).copied().unwrap_or_default();
        let closed = self.nodes[region].iter().map(told).min().unwrap_or_default();
        let after = |node: &NodeId| self.arrived_after(*node, maker, applied);
        match applied.time <= closed && self.nodes[region].iter().all(after) {
            true => Err(format!(
                "key {key}: region {region} applied {version:?} of region {maker}, change time {}, after \
                 it had received closed time {closed}",
                applied.time
            )),
            false => Ok(()),
        }
    }

    /// Whether a change was not in the region's log when a node received the first closed time at or above
    /// it.
    fn arrived_after(&self, node: NodeId, maker: usize, applied: &AppliedKey) -> bool {
        let hash = self.history.keys[applied.key].0;
        let covers = |received: &&Received<'_>| {
            received.closed.time >= applied.time && received.closed.range.contains(hash)
        };
        let first = self.received.get(&(node, maker)).and_then(|all| all.iter().find(covers));
        let appended = first.and_then(|received| received.appended.get(&applied.partition).copied());
        appended.unwrap_or(0) < applied.position.0
    }

    fn nothing_missing(&self, region: NodeId, origin: NodeId, key: KeyId, time: HybridTime) -> Finding {
        let Some(made) = self.made.get(&(origin, key)) else { return Ok(()) };
        let last = made.changes.iter().rev().find(|(at, _)| *at <= time).map(|(_, version)| *version);
        let Some(due) = last.filter(|due| Some(*due) > made.replaced) else { return Ok(()) };
        let held = self.stores.newest(region, key);
        match held >= Some(due) {
            true => Ok(()),
            false => Err(format!(
                "key {key}: region {region} received closed time {time} of region {origin} without \
                 {due:?}; it holds {held:?}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    #[test]
    fn a_closed_time_behind_its_changes_is_right() {
        let mut story = Story::begin();
        let put = story.put(0, 0, 5);
        story.arrive(1, 0, 0, &put);
        story.closed(1, 0, 5);
        let put = story.put(0, 0, 6);
        story.arrive(1, 0, 0, &put);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_change_at_or_below_the_closed_time_is_found_when_it_arrives() {
        let mut story = Story::begin();
        story.closed(1, 0, 6);
        let put = story.put(0, 0, 6);
        story.arrive(1, 0, 0, &put);
        assert!(check(&story.end()).unwrap_err().contains("after it had received"));
    }

    #[test]
    fn a_change_that_was_in_the_log_by_then_may_be_applied_later() {
        let mut story = Story::begin();
        story.appended(1, 1);
        story.closed(1, 0, 6);
        let put = story.put(0, 0, 6);
        story.arrive(1, 0, 0, &put);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_closed_time_ahead_of_a_change_is_found_though_the_change_never_arrives() {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        story.closed(1, 0, 5);
        assert!(check(&story.end()).unwrap_err().contains("without"));
    }

    #[test]
    fn a_change_that_another_region_replaced_at_home_need_not_arrive() {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        let other = story.put(2, 0, 7);
        story.arrive(0, 2, 0, &other);
        story.closed(1, 0, 6);
        assert_eq!(check(&story.end()), Ok(()));
    }
}
