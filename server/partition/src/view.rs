//! What the leader decides against: committed data with its own in-flight effects over it.

use storage::{Error, Read, Record};
use types::{KeyHash, RequestId};

use crate::effect::Place;
use crate::overlay::{Overlay, Remembered};
use crate::{Home, remembered};

/// An engine seen through the overlay.
#[derive(Debug)]
pub struct View<'a, R> {
    /// The committed data.
    pub engine: &'a R,
    /// The effects in flight.
    pub overlay: &'a Overlay,
}

/// A record, and the index that must be applied before anything it shows may be told (0: committed already).
#[derive(Debug)]
pub struct Seen {
    /// The record, tombstones included.
    pub record: Option<Record>,
    /// What an answer that reveals it must wait for.
    pub after: u64,
}

impl<R: Read> View<'_, R> {
    /// The record of a place.
    pub fn record(&self, home: &Home, place: &Place) -> Result<Seen, Error> {
        if let Some((after, record)) = self.overlay.record(place) {
            return Ok(Seen { record: record.cloned(), after });
        }
        Ok(Seen { record: committed(self.engine, home, place)?, after: 0 })
    }

    /// The outcome kept under a request id (`P3`), and the index to wait for.
    pub fn outcome(
        &self,
        home: &Home,
        hash: KeyHash,
        request: RequestId,
    ) -> Result<Option<Remembered>, Error> {
        match self.overlay.request(hash, request) {
            Some(found) => Ok(Some(found.clone())),
            None => remembered::find(self.engine, home, hash, request),
        }
    }
}

/// The committed record of a place, tombstones included.
pub fn committed(engine: &impl Read, home: &Home, place: &Place) -> Result<Option<Record>, Error> {
    let key = place.record_key(home.table);
    engine.look(&key, |record| record.map(Record::decode).transpose())?
}
