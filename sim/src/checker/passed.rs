//! The closed times that each region has received, as nobody in the world can know them: all at once.

use shard::observation::ClosedReceived;
use types::HybridTime;

use crate::event::NodeId;
use crate::history::{History, KeyId};

/// By receiver, origin and key.
pub struct Passed<'a> {
    history: &'a History,
    times: Vec<HybridTime>,
}

impl<'a> Passed<'a> {
    /// Nobody has received anything.
    pub fn new(history: &'a History) -> Self {
        let count = history.regions.len() * history.regions.len() * history.keys.len();
        Passed { history, times: vec![HybridTime::ZERO; count] }
    }

    /// A region received a closed time.
    pub fn receive(&mut self, region: NodeId, closed: &ClosedReceived) {
        let Some(origin) = self.origin(closed) else { return };
        for key in 0..self.history.keys.len() {
            if closed.range.contains(self.history.keys[key].0) {
                let at = self.at(region, origin, key);
                self.times[at] = self.times[at].max(closed.time);
            }
        }
    }

    /// The region that a closed time is of.
    pub fn origin(&self, closed: &ClosedReceived) -> Option<NodeId> {
        self.history.regions.iter().position(|region| *region == closed.origin)
    }

    /// What a region has received from another for a key.
    pub fn time(&self, region: NodeId, origin: NodeId, key: KeyId) -> HybridTime {
        self.times[self.at(region, origin, key)]
    }

    /// The time that all have passed for a key.
    pub fn all(&self, key: KeyId) -> HybridTime {
        let regions = 0..self.history.regions.len();
        let pairs = regions.clone().flat_map(|region| regions.clone().map(move |origin| (region, origin)));
        let others = pairs.filter(|(region, origin)| region != origin);
        others.map(|(region, origin)| self.time(region, origin, key)).min().unwrap_or(HybridTime::MAX)
    }

    fn at(&self, region: NodeId, origin: NodeId, key: KeyId) -> usize {
        (region * self.history.regions.len() + origin) * self.history.keys.len() + key
    }
}
