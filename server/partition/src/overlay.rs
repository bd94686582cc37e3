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
    records: BTreeMap<Place, (u64, Option<Record>)>,
    requests: BTreeMap<(KeyHash, RequestId), Remembered>,
    stamps: BTreeMap<u64, Flight>,
    ledger: BTreeMap<Place, Vec<Ledgered>>,
    floor: HybridTime,
    bytes: usize,
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
    least_stamp: Option<HybridTime>,
    places: Vec<Place>,
    requests: Vec<(KeyHash, RequestId)>,
    bytes: usize,
}

impl Overlay {
    /// An empty overlay of the region life that writes here.
    pub fn new(maker: Incarnation) -> Self {
        Overlay {
            maker,
            records: BTreeMap::new(),
            requests: BTreeMap::new(),
            stamps: BTreeMap::new(),
            ledger: BTreeMap::new(),
            floor: HybridTime::ZERO,
            bytes: 0,
        }
    }

    /// Takes in an effect that raft accepted at an index.
    pub fn add(&mut self, index: u64, effect: &Effect, bytes: usize) {
        let mut flight = Flight { least_stamp: None, places: Vec::new(), requests: Vec::new(), bytes };
        for step in &effect.steps {
            match step {
                Step::Record { place, record, made } => {
                    if let Some(made) = made.filter(|made| made.maker == self.maker) {
                        flight.least_stamp = Some(flight.least_stamp.map_or(made.time, |t| t.min(made.time)));
                    }
                    self.records.insert(place.clone(), (index, Some(record.clone())));
                    flight.places.push(place.clone());
                }
                Step::Ledger { place, lost, winner } => {
                    let entry = Ledgered { index, lost: lost.clone(), winner: *winner };
                    self.ledger.entry(place.clone()).or_default().push(entry);
                }
                Step::Erase { place } => self.remove(index, place, &mut flight),
                Step::Collect { floor, tombstones, .. } => {
                    self.floor = self.floor.max(*floor);
                    tombstones.iter().for_each(|(_, place)| self.remove(index, place, &mut flight));
                }
                Step::Remember { hash, request, digest, outcome, .. } => {
                    let remembered = Remembered { index, digest: *digest, outcome: outcome.clone() };
                    self.requests.insert((*hash, *request), remembered);
                    flight.requests.push((*hash, *request));
                }
                _ => {}
            }
        }
        self.bytes += bytes;
        self.stamps.insert(index, flight);
    }

    fn remove(&mut self, index: u64, place: &Place, flight: &mut Flight) {
        self.records.insert(place.clone(), (index, None));
        flight.places.push(place.clone());
    }

    /// Lets go of an effect that was applied.
    pub fn applied(&mut self, index: u64) {
        let Some(flight) = self.stamps.remove(&index) else { return };
        self.bytes -= flight.bytes;
        for place in flight.places {
            if self.records.get(&place).is_some_and(|(at, _)| *at == index) {
                self.records.remove(&place);
            }
        }
        self.ledger.retain(|_, entries| {
            entries.retain(|entry| entry.index != index);
            !entries.is_empty()
        });
        for request in flight.requests {
            if self.requests.get(&request).is_some_and(|remembered| remembered.index == index) {
                self.requests.remove(&request);
            }
        }
    }

    /// The in-flight record of a place, `Some(None)` when it is being removed, and the index to wait for.
    pub fn record(&self, place: &Place) -> Option<(u64, Option<&Record>)> {
        self.records.get(place).map(|(index, record)| (*index, record.as_ref()))
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
        self.stamps.values().filter_map(|flight| flight.least_stamp).min()
    }

    /// The floor that collections in flight raise: what is decided behind them obeys it (`P2`, `P11`).
    pub fn floor(&self) -> HybridTime {
        self.floor
    }

    /// Bytes of the effects in flight.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }
}
