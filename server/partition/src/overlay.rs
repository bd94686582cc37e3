//! What the leader proposed and has not applied yet, laid over the engine for its next decisions.
//!
//! It belongs to one term and is dropped whole when term or role changes; an effect enters it only after raft
//! accepted it at an index (`P2`). Reads that are answered to clients never look here.

use std::collections::BTreeMap;

use storage::Record;
use types::{HybridTime, Incarnation, KeyHash, RequestId, Version};

use crate::effect::{Effect, Place, Step};

/// In-flight effects of one partition.
#[derive(Debug)]
pub struct Overlay {
    maker: Incarnation,
    flights: BTreeMap<u64, Flight>,
    /// The newest step that writes or removes each record.
    records: BTreeMap<Place, At>,
    requests: BTreeMap<(KeyHash, RequestId), Remembered>,
    ledger: BTreeMap<Place, Vec<Ledgered>>,
    floor: HybridTime,
    split: Option<KeyHash>,
    bytes: usize,
}

/// A step of an effect in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct At {
    index: u64,
    step: usize,
}

/// An outcome that is in the log and not yet applied.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The index to wait for.
    pub index: u64,
    /// Of what was asked.
    pub digest: u64,
    /// As `remembered` encodes it.
    pub outcome: Vec<u8>,
}

/// A ledger entry that is in the log and not yet applied.
#[derive(Clone, Debug)]
pub struct Ledgered {
    index: u64,
    /// The write that lost.
    pub lost: Record,
    /// The version that replaced it.
    pub winner: Version,
}

#[derive(Debug)]
struct Flight {
    effect: Effect,
    least_stamp: Option<HybridTime>,
    bytes: usize,
}

impl Overlay {
    /// An empty overlay of the region life that writes here.
    pub fn new(maker: Incarnation) -> Self {
        Overlay {
            maker,
            flights: BTreeMap::new(),
            records: BTreeMap::new(),
            requests: BTreeMap::new(),
            ledger: BTreeMap::new(),
            floor: HybridTime::ZERO,
            split: None,
            bytes: 0,
        }
    }

    /// Takes in an effect that raft accepted at an index; the log carries so many bytes.
    pub fn add(&mut self, index: u64, effect: Effect, bytes: usize) {
        let mut least_stamp = None;
        for (step, what) in effect.steps.iter().enumerate() {
            let at = At { index, step };
            match what {
                Step::Record { place, made, .. } => {
                    if let Some(made) = made.filter(|made| made.maker == self.maker) {
                        least_stamp = Some(least_stamp.map_or(made.time, |t: HybridTime| t.min(made.time)));
                    }
                    self.records.insert(place.clone(), at);
                }
                Step::Erase { place } => drop(self.records.insert(place.clone(), at)),
                Step::Collect { floor, tombstones, .. } => {
                    self.floor = self.floor.max(*floor);
                    for (_, place) in tombstones {
                        self.records.insert(place.clone(), at);
                    }
                }
                Step::Ledger { place, lost, winner } => {
                    let entry = Ledgered { index, lost: lost.clone(), winner: *winner };
                    self.ledger.entry(place.clone()).or_default().push(entry);
                }
                Step::Remember { hash, request, digest, outcome, .. } => {
                    let remembered = Remembered { index, digest: *digest, outcome: outcome.clone() };
                    self.requests.insert((*hash, *request), remembered);
                }
                Step::Split { at, .. } => self.split = Some(*at),
                _ => {}
            }
        }
        self.bytes += bytes;
        self.flights.insert(index, Flight { effect, least_stamp, bytes });
    }

    /// Gives back an effect that is committed and to be applied: what was decided at this index.
    pub fn take(&mut self, index: u64) -> Option<Effect> {
        let Flight { effect, bytes, .. } = self.flights.remove(&index)?;
        self.bytes -= bytes;
        for step in &effect.steps {
            match step {
                Step::Record { place, .. } | Step::Erase { place } => self.forget(index, place),
                Step::Collect { tombstones, .. } => {
                    tombstones.iter().for_each(|(_, place)| self.forget(index, place));
                }
                Step::Ledger { place, .. } => {
                    if let Some(entries) = self.ledger.get_mut(place) {
                        entries.retain(|entry| entry.index != index);
                        if entries.is_empty() {
                            self.ledger.remove(place);
                        }
                    }
                }
                Step::Remember { hash, request, .. } => {
                    let of = (*hash, *request);
                    if self.requests.get(&of).is_some_and(|remembered| remembered.index == index) {
                        self.requests.remove(&of);
                    }
                }
                Step::Split { .. } => self.split = None,
                _ => {}
            }
        }
        Some(effect)
    }

    fn forget(&mut self, index: u64, place: &Place) {
        if self.records.get(place).is_some_and(|at| at.index == index) {
            self.records.remove(place);
        }
    }

    /// The in-flight record of a place, `Some(None)` when it is being removed, and the index to wait for.
    pub fn record(&self, place: &Place) -> Option<(u64, Option<&Record>)> {
        let At { index, step } = *self.records.get(place)?;
        let record = match &self.flights[&index].effect.steps[step] {
            Step::Record { record, .. } => Some(record),
            _ => None,
        };
        Some((index, record))
    }

    /// The in-flight outcome of a request.
    pub fn request(&self, hash: KeyHash, request: RequestId) -> Option<&Remembered> {
        self.requests.get(&(hash, request))
    }

    /// The ledger entries of a place that are in flight.
    pub fn ledgered(&self, place: &Place) -> &[Ledgered] {
        self.ledger.get(place).map_or(&[], Vec::as_slice)
    }

    /// Whether any ledger entry is in flight.
    pub fn has_ledgered(&self) -> bool {
        !self.ledger.is_empty()
    }

    /// The least time of a change made here and in flight: a closed time must stay below it (`P8`).
    pub fn least_stamp(&self) -> Option<HybridTime> {
        self.flights.values().filter_map(|flight| flight.least_stamp).min()
    }

    /// The floor that collections in flight raise: what is decided behind them obeys it (`P2`, `P11`).
    pub fn floor(&self) -> HybridTime {
        self.floor
    }

    /// The first hash that a split in flight gives away: nothing may be decided for it any more (`P2`).
    pub fn split(&self) -> Option<KeyHash> {
        self.split
    }

    /// Bytes of the effects in flight.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }
}
