//! The history of a run: what clients asked and were told, and what each region did, in the order of true
//! time.
//!
//! The world writes it, checkers read it; they judge a finished run by it and nothing else. Keys are
//! numbered, so that they compare cheaply.

use std::collections::BTreeMap;

use item::{AttributeValue, Item};
use shard::observation::ClosedReceived;
use storage::Record;
use storage::keys::LedgerEntry;
use types::{HybridTime, Incarnation, KeyHash, PartitionId, RegionId, RequestId, TableId, Version};

use crate::event::NodeId;
use crate::observation::{Applied, Observation, Place};

/// A key of the table by its number.
pub type KeyId = usize;

/// The attribute that names the write that put an item's present value.
pub const MARKER: &str = "w";
/// The attribute that updates count in; a put begins at 0.
pub const COUNTER: &str = "n";

/// What a client asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intent {
    /// To replace an item.
    Put,
    /// To count in an item.
    Update,
    /// To remove an item.
    Delete,
    /// To read an item at the leader.
    Get,
}

/// The condition of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// None.
    Always,
    /// There is no item.
    Absent,
    /// There is an item.
    Present,
    /// There is an item whose counter is below this.
    Below(u64),
}

/// A request as a client handed it over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Issued {
    /// Unique among all requests of a run; a retry is another request.
    pub number: u64,
    /// About which key.
    pub key: KeyId,
    /// What for.
    pub intent: Intent,
    /// On which condition.
    pub guard: Guard,
    /// Names the write, retries included.
    pub marker: u64,
    /// Under which its outcome is remembered.
    pub request: Option<RequestId>,
}

/// What a client was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// The write is done.
    Written {
        /// The marker of the item that came back with the answer, if one did.
        shown: Option<u64>,
    },
    /// The condition did not hold.
    ConditionFailed {
        /// The marker of the item that came back with the answer, if one did.
        shown: Option<u64>,
    },
    /// The marker of the item that was read; `None` when there is no item.
    Read(Option<u64>),
    /// Nothing was done.
    Refused,
    /// It may have been done.
    Unknown,
}

/// Something that happened in a region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A client handed over a request.
    Issued(Issued),
    /// A client got an answer, or the connection broke.
    Told {
        /// To which request.
        number: u64,
        /// What.
        told: Told,
    },
    /// A record took its place.
    Applied(AppliedKey),
    /// An outcome was kept under a request id.
    Remembered {
        /// The request.
        request: RequestId,
        /// The version of the record that it wrote; `None` when it wrote none.
        version: Option<Version>,
        /// The outcome's bytes.
        outcome: Vec<u8>,
    },
    /// An entry of the conflict ledger was written or marked.
    Ledgered {
        /// The item.
        key: KeyId,
        /// The entry.
        entry: LedgerEntry,
    },
    /// A tombstone was collected.
    Collected {
        /// Who collected it.
        partition: PartitionId,
        /// The item.
        key: KeyId,
        /// The time of its change.
        time: HybridTime,
        /// Whether a crash took an earlier collection back and this one repeats it.
        again: bool,
    },
    /// A record was removed that was not collected.
    Erased {
        /// The item.
        key: KeyId,
    },
    /// A partition's floor rose.
    Floor {
        /// The partition.
        partition: PartitionId,
        /// The last hash of its range, as far as a split has set it.
        last: KeyHash,
        /// To where.
        floor: HybridTime,
    },
    /// A partition's log was appended up to here, applied or not.
    Appended {
        /// The partition.
        partition: PartitionId,
        /// The last index.
        last: u64,
    },
    /// A closed time was received.
    Closed(ClosedReceived),
    /// The process ended.
    Crashed,
    /// The process began again.
    Restarted,
}

/// A record that took its place, its key numbered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppliedKey {
    /// The key.
    pub key: KeyId,
    /// The partition that applied it.
    pub partition: PartitionId,
    /// Log index and place within the entry.
    pub position: (u64, u32),
    /// The record.
    pub record: Record,
    /// Whose stream brought it (`P12`).
    pub maker: Incarnation,
    /// The time of the change (`P12`).
    pub time: HybridTime,
    /// Whether a crash took an earlier application of this position back and this one repeats it.
    pub again: bool,
}

/// When, where and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// True time.
    pub at_ns: u64,
    /// In which region.
    pub region: NodeId,
    /// On which node, where that counts; the region's number, where it has no others.
    pub node: NodeId,
    /// What.
    pub what: What,
}

/// What a region's disk holds in the end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Final {
    /// Records, tombstones included.
    pub records: BTreeMap<KeyId, Record>,
    /// The conflict ledger, in the order of keys and lost versions.
    pub ledger: Vec<(KeyId, LedgerEntry)>,
    /// The region's own digest of its live records, as `table verify` compares it.
    pub digest: Option<u128>,
}

/// A run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The regions, by number.
    pub regions: Vec<RegionId>,
    /// Whether a region has several nodes: a message may then reach one that has restarted by way of another
    /// that has not.
    pub several: bool,
    /// The table's keys, by number: hash and encoded key.
    pub keys: Vec<(KeyHash, Vec<u8>)>,
    /// The table, once it is known.
    pub table: Option<TableId>,
    /// What happened, in order.
    pub facts: Vec<Fact>,
    /// How it ended, by region.
    pub finals: Vec<Final>,
    /// Observations of keys that nobody ever wrote.
    pub strangers: Vec<(NodeId, Vec<u8>)>,
    numbers: BTreeMap<Vec<u8>, KeyId>,
    positions: BTreeMap<(NodeId, PartitionId, u64, u32), ()>,
    collected: BTreeMap<(NodeId, KeyId, HybridTime), ()>,
    floors: BTreeMap<(NodeId, PartitionId), HybridTime>,
    appended: BTreeMap<(NodeId, PartitionId), u64>,
}

impl History {
    /// An empty history of some regions.
    pub fn new(regions: Vec<RegionId>) -> Self {
        let finals = vec![Final::default(); regions.len()];
        History { regions, finals, ..History::default() }
    }

    /// Numbers the table's keys.
    pub fn set_keys(&mut self, keys: Vec<(KeyHash, Vec<u8>)>) {
        self.numbers = keys.iter().enumerate().map(|(number, (_, key))| (key.clone(), number)).collect();
        self.keys = keys;
    }

    /// The number of an encoded key.
    pub fn key(&self, key: &[u8]) -> Option<KeyId> {
        self.numbers.get(key).copied()
    }

    /// Adds a fact.
    pub fn add(&mut self, at_ns: u64, region: NodeId, what: What) {
        self.add_on(at_ns, region, region, what);
    }

    /// Adds a fact of one node.
    pub fn add_on(&mut self, at_ns: u64, region: NodeId, node: NodeId, what: What) {
        self.facts.push(Fact { at_ns, region, node, what });
    }

    /// Adds what was observed of a region's node. What several nodes of one region do alike counts once, when
    /// the first of them does it.
    pub fn observe(&mut self, at_ns: u64, region: NodeId, node: NodeId, observation: Observation) {
        let what = match observation {
            Observation::Applied(applied) => self.applied(region, applied),
            Observation::Remembered { hash, request, outcome, .. } => {
                let done = matches!(partition::remembered::decode(&outcome), Ok(Ok(_)));
                let version = self.wrote(region, hash).filter(|_| done);
                Some(What::Remembered { request, version, outcome })
            }
            Observation::Ledgered { place, entry } => {
                self.number(region, &place).map(|key| What::Ledgered { key, entry })
            }
            Observation::Collected { partition, place, time } => self.number(region, &place).map(|key| {
                let again = self.collected.insert((region, key, time), ()).is_some();
                What::Collected { partition, key, time, again }
            }),
            Observation::Erased { place } => self.number(region, &place).map(|key| What::Erased { key }),
            Observation::Floor { partition, last, floor } => {
                let known = self.floors.entry((region, partition)).or_default();
                let rises = floor > *known;
                *known = floor.max(*known);
                rises.then_some(What::Floor { partition, last, floor })
            }
            Observation::Appended { group, last } => {
                let known = self.appended.insert((region, group), last);
                (known != Some(last)).then_some(What::Appended { partition: group, last })
            }
            Observation::Closed(closed) => Some(What::Closed(closed)),
        };
        if let Some(what) = what {
            self.add_on(at_ns, region, node, what);
        }
    }

    /// The region that an incarnation is a life of.
    pub fn region_of(&self, incarnation: Incarnation) -> Option<NodeId> {
        self.regions.iter().position(|region| *region == incarnation.region)
    }

    /// Everything that was applied for the first time: when, where and what.
    pub fn applied_once(&self) -> impl Iterator<Item = (u64, NodeId, &AppliedKey)> {
        self.facts.iter().filter_map(|fact| match &fact.what {
            What::Applied(applied) if !applied.again => Some((fact.at_ns, fact.region, applied)),
            _ => None,
        })
    }

    /// Whether a region applied a write of its own.
    pub fn is_own(&self, region: NodeId, applied: &AppliedKey) -> bool {
        let own = self.regions[region];
        applied.maker.region == own && applied.record.version.incarnation.region == own
    }

    fn applied(&mut self, region: NodeId, applied: Applied) -> Option<What> {
        let key = self.number(region, &applied.place)?;
        self.table.get_or_insert(applied.place.table);
        let Applied { partition, index, ordinal, record, maker, time, .. } = applied;
        let again = self.positions.insert((region, partition, index, ordinal), ()).is_some();
        let position = (index, ordinal);
        Some(What::Applied(AppliedKey { key, partition, position, record, maker, time, again }))
    }

    /// The version of the record that the write of an outcome just remembered put, if it put one: the record
    /// stands directly before the outcome, because both come of one entry.
    fn wrote(&self, region: NodeId, hash: KeyHash) -> Option<Version> {
        let last = self.facts.iter().rev().find(|fact| fact.region == region)?;
        match &last.what {
            What::Applied(applied) if self.keys[applied.key].0 == hash && self.is_own(region, applied) => {
                Some(applied.record.version)
            }
            _ => None,
        }
    }

    fn number(&mut self, region: NodeId, place: &Place) -> Option<KeyId> {
        let number = self.key(&place.key);
        if number.is_none() {
            self.strangers.push((region, place.key.clone()));
        }
        number
    }
}

/// The marker in a record's body; `None` for a tombstone.
pub fn marker(record: &Record) -> Option<u64> {
    marker_of(&item::codec::decode(record.body.as_deref()?).ok()?)
}

/// The marker of an item.
pub fn marker_of(item: &Item) -> Option<u64> {
    number(item, MARKER)
}

/// The counter in a record's body; `None` for a tombstone.
pub fn counter(record: &Record) -> Option<u64> {
    number(&item::codec::decode(record.body.as_deref()?).ok()?, COUNTER)
}

fn number(item: &Item, name: &str) -> Option<u64> {
    match item.get(name)? {
        AttributeValue::N(number) => number.to_u64(),
        _ => None,
    }
}
