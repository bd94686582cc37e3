//! What each region held at each moment, replayed from what was applied and collected.

use storage::Record;
use types::Version;

use crate::event::NodeId;
use crate::history::{AppliedKey, Fact, History, KeyId, What};

/// One key of one region.
#[derive(Clone, Copy, Debug, Default)]
struct Slot<'a> {
    stored: Option<&'a Record>,
    collected: Option<&'a Record>,
    newest: Option<Version>,
}

/// The regions' stores.
pub struct Stores<'a> {
    keys: usize,
    slots: Vec<Slot<'a>>,
}

impl<'a> Stores<'a> {
    /// The stores as they were before anything happened.
    pub fn new(history: &History) -> Self {
        let keys = history.keys.len();
        Stores { keys, slots: vec![Slot::default(); keys * history.regions.len()] }
    }

    /// The record that a region holds.
    pub fn stored(&self, region: NodeId, key: KeyId) -> Option<&'a Record> {
        self.slots[self.at(region, key)].stored
    }

    /// The tombstone that a region collected last, if nothing took its place since.
    pub fn collected(&self, region: NodeId, key: KeyId) -> Option<&'a Record> {
        self.slots[self.at(region, key)].collected
    }

    /// The greatest version that a region ever held.
    pub fn newest(&self, region: NodeId, key: KeyId) -> Option<Version> {
        self.slots[self.at(region, key)].newest
    }

    /// Takes in what happened; what a crash made happen again changes nothing. Gives the record that was
    /// applied, for the first time, by this fact.
    pub fn follow(&mut self, fact: &'a Fact) -> Option<&'a AppliedKey> {
        match &fact.what {
            What::Applied(applied) if !applied.again => {
                let at = self.at(fact.region, applied.key);
                let slot = &mut self.slots[at];
                slot.stored = Some(&applied.record);
                slot.collected = None;
                let version = applied.record.version;
                slot.newest = Some(slot.newest.map_or(version, |newest| newest.max(version)));
                Some(applied)
            }
            What::Collected { key, again: false, .. } => {
                let at = self.at(fact.region, *key);
                let slot = &mut self.slots[at];
                slot.collected = slot.stored.take();
                None
            }
            _ => None,
        }
    }

    fn at(&self, region: NodeId, key: KeyId) -> usize {
        region * self.keys + key
    }
}
