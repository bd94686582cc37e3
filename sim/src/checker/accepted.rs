//! Every version that was accepted: decided and applied by the region that wrote it.

use std::collections::BTreeMap;

use storage::Record;
use types::Version;

use crate::event::NodeId;
use crate::history::{History, KeyId};

/// The accepted records of each key, by version, with the region that accepted them.
pub struct Accepted<'a> {
    keys: BTreeMap<KeyId, BTreeMap<Version, (NodeId, &'a Record)>>,
}

impl<'a> Accepted<'a> {
    /// Collects them from a history.
    pub fn of(history: &'a History) -> Self {
        let mut keys: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (_, region, applied) in history.applied_once() {
            if history.is_own(region, applied) {
                let records = keys.entry(applied.key).or_default();
                records.insert(applied.record.version, (region, &applied.record));
            }
        }
        Accepted { keys }
    }

    /// The records of a key, oldest version first.
    pub fn records(&self, key: KeyId) -> impl DoubleEndedIterator<Item = (NodeId, &'a Record)> + '_ {
        self.keys.get(&key).into_iter().flat_map(|records| records.values().copied())
    }

    /// The keys that anything was accepted for.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.keys.keys().copied()
    }

    /// The greatest version accepted for a key.
    pub fn newest(&self, key: KeyId) -> Option<&'a Record> {
        self.records(key).next_back().map(|(_, record)| record)
    }

    /// Whether a version was accepted for a key.
    pub fn holds(&self, key: KeyId, version: Version) -> bool {
        self.keys.get(&key).is_some_and(|records| records.contains_key(&version))
    }

    /// Whether a tombstone at or above a version was accepted: whoever finds no item may have seen that one.
    pub fn deleted_since(&self, key: KeyId, version: Version) -> bool {
        self.records(key).rev().any(|(_, record)| record.is_tombstone() && record.version >= version)
    }
}
