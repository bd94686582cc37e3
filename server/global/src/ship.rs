//! Shipping one partition's changes to one peer, from a cursor that only acknowledged batches move.
//!
//! The shipper reads the changes made here, coalesces them by key and sends each key's current record. It
//! remembers nothing that the change table and the cursor do not say: after any doubt it starts a new stream
//! from the cursor.

use std::collections::{BTreeSet, VecDeque};

use partition::effect::Place;
use partition::{Home, view};
use storage::{Error, Read, keys};
use types::{HybridTime, Incarnation, Planted, RegionId, Version, limits};

use crate::message::{Ack, Batch, Origin, Shipped, Verdict};

const NS_PER_MS: u64 = 1_000_000;
/// Version, history and framing of a record, roughly.
const RECORD_OVERHEAD: usize = 64;

/// The state of shipping from one partition to one peer.
#[derive(Debug)]
pub struct Shipper {
    /// The peer's life.
    pub to: Incarnation,
    cursor: u64,
    logged: u64,
    next: u64,
    stream: u64,
    number: u64,
    flights: VecDeque<Flight>,
    held_until_ns: u64,
    retry_ms: u64,
    probing: bool,
    closing: Option<(HybridTime, u64)>,
    closed: HybridTime,
    newest_shipped: HybridTime,
    pending: Pending,
    resent: u64,
}

/// Changes that a peer has not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pending {
    /// How many.
    pub changes: u64,
    /// Bytes of their records when they were made.
    pub bytes: u64,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    upto: u64,
    pending: Pending,
    bytes: usize,
    sent_ns: u64,
    acknowledged: bool,
}

/// A run of changes read for shipping.
struct Run {
    records: Vec<Shipped>,
    pending: Pending,
    bytes: usize,
    upto: u64,
}

impl Shipper {
    /// Starts from a logged cursor.
    pub fn new(to: Incarnation, cursor: u64, pending: Pending) -> Self {
        Shipper {
            to,
            cursor,
            logged: cursor,
            next: cursor + 1,
            stream: 1,
            number: 0,
            flights: VecDeque::new(),
            held_until_ns: 0,
            retry_ms: limits::SHIP_RETRY_MS,
            probing: false,
            closing: None,
            closed: HybridTime::ZERO,
            newest_shipped: HybridTime::ZERO,
            pending,
            resent: 0,
        }
    }

    /// The peer's region.
    pub fn peer(&self) -> RegionId {
        self.to.region
    }

    /// What the peer has not acknowledged.
    pub fn pending(&self) -> Pending {
        self.pending
    }

    /// A change made here was applied.
    pub fn made(&mut self, bytes: u64) {
        self.pending.changes += 1;
        self.pending.bytes += bytes;
    }

    /// Bytes under way.
    pub fn bytes_in_flight(&self) -> usize {
        self.flights.iter().map(|flight| flight.bytes).sum()
    }

    /// The logged cursor, which a restart begins from and trimming respects.
    pub fn logged(&self) -> u64 {
        self.logged
    }

    /// Everything up to here was acknowledged, logged or not.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The cursor to log, if it has moved.
    pub fn to_log(&self) -> Option<u64> {
        (self.cursor > self.logged).then_some(self.cursor)
    }

    /// A cursor was applied from the log.
    pub fn set_logged(&mut self, cursor: u64) {
        self.logged = self.logged.max(cursor);
    }

    /// Batches sent again since the start.
    pub fn resent(&self) -> u64 {
        self.resent
    }

    /// Whether there may be something to send at this moment. `last_change` is the index of the newest change
    /// made here and applied.
    pub fn ready(&self, last_change: u64, now_ns: u64) -> bool {
        self.next <= last_change
            && now_ns >= self.held_until_ns
            && self.flights.len() < if self.probing { 1 } else { limits::SHIP_BATCHES_IN_FLIGHT_MAX }
    }

    /// Whether anything is under way or left to send.
    pub fn is_busy(&self, last_change: u64) -> bool {
        self.next <= last_change || !self.flights.is_empty()
    }

    /// When to look again though nothing happens: a batch unanswered, or a hold that ends.
    pub fn wake_at_ns(&self, last_change: u64, now_ns: u64) -> Option<u64> {
        let timeout = self.flights.iter().find(|flight| !flight.acknowledged);
        let timeout = timeout.map(|flight| flight.sent_ns + self.retry_ms * NS_PER_MS);
        let held = (self.next <= last_change && self.held_until_ns > now_ns).then_some(self.held_until_ns);
        timeout.into_iter().chain(held).min()
    }

    /// Reads the next batch; `None` when nothing is left that the peer wants.
    pub fn batch(
        &mut self,
        engine: &impl Read,
        home: &Home,
        term: u64,
        last_change: u64,
        now_ns: u64,
    ) -> Result<Option<Batch>, Error> {
        let run = self.read(engine, home, last_change)?;
        self.next = run.upto + 1;
        self.number += 1;
        let nothing = run.records.is_empty();
        let acknowledged = nothing || home.faults.has(Planted::CursorBeforeAck);
        let newest = run.records.iter().map(|shipped| shipped.record.version.time).max();
        self.newest_shipped = self.newest_shipped.max(newest.unwrap_or_default());
        self.flights.push_back(Flight {
            number: self.number,
            upto: run.upto,
            pending: run.pending,
            bytes: run.bytes,
            sent_ns: now_ns,
            acknowledged,
        });
        let origin = self.origin(home, term, self.number);
        self.settle();
        Ok((!nothing).then_some(Batch { origin, records: run.records }))
    }

    fn origin(&self, home: &Home, term: u64, number: u64) -> Origin {
        Origin {
            table: home.table,
            from: home.incarnation,
            to: self.to,
            segment: home.partition,
            term,
            stream: self.stream,
            number,
        }
    }

    /// Reads whole log entries' changes from `next` on, up to the limits of a batch. A key whose record
    /// another region's write has replaced since is skipped: that region ships it (`P12`).
    fn read(&self, engine: &impl Read, home: &Home, last_change: u64) -> Result<Run, Error> {
        let mut run = Run { records: Vec::new(), pending: Pending::default(), bytes: 0, upto: last_change };
        let mut places = BTreeSet::new();
        let bounds = keys::change::indices(home.partition, self.next, last_change + 1);
        let (mut before, mut visited) = (self.next - 1, 0);
        storage::engine::each(engine, &bounds, |key, value| {
            let index = keys::change::Key::decode(key)?.index;
            visited += 1;
            let full = visited > limits::SHIP_CHANGES_READ_MAX
                || run.bytes >= limits::SHIP_BATCH_BYTES_MAX
                || places.len() >= limits::SHIP_BATCH_RECORDS_MAX;
            if full && index != before {
                run.upto = before;
                return Ok(false);
            }
            before = index;
            let change = keys::Change::decode(value)?;
            if change.maker != home.incarnation {
                return Ok(true);
            }
            run.pending.changes += 1;
            run.pending.bytes += u64::from(change.bytes);
            let place = Place { hash: change.hash, key: change.key };
            if !places.contains(&place) {
                let current = view::committed(engine, home, &place)?;
                let ours =
                    |version: Version| version == change.version || version.incarnation == home.incarnation;
                if let Some(record) = current.filter(|record| ours(record.version)) {
                    run.bytes += place.key.len() + record.body.as_ref().map_or(0, Vec::len) + RECORD_OVERHEAD;
                    let time =
                        if record.version == change.version { change.time } else { record.version.time };
                    run.records.push(Shipped { place: place.clone(), record, time });
                }
                places.insert(place);
            }
            Ok(true)
        })?;
        Ok(run)
    }

    /// Takes in what became of a batch; answers out of other streams are ignored.
    pub fn acknowledge(&mut self, ack: &Ack, term: u64, now_ns: u64) {
        if ack.origin.term != term || ack.origin.stream != self.stream || ack.origin.to != self.to {
            return;
        }
        match ack.verdict {
            Verdict::Committed => {
                if let Some(flight) =
                    self.flights.iter_mut().find(|flight| flight.number == ack.origin.number)
                {
                    flight.acknowledged = true;
                    // Patience follows the link: three round trips as just measured.
                    let trip_ms = now_ns.saturating_sub(flight.sent_ns) / NS_PER_MS;
                    self.retry_ms = (3 * trip_ms).clamp(limits::SHIP_RETRY_MS, limits::SHIP_RETRY_MS_MAX);
                    self.probing = false;
                }
                self.settle();
            }
            Verdict::Ahead | Verdict::Busy => {
                self.restart();
                self.held_until_ns = now_ns + limits::SHIP_HOLD_MS * NS_PER_MS;
            }
        }
    }

    /// Starts again from the cursor if a batch stayed unanswered too long: with one batch, and twice the
    /// patience, so that a link slower than the first guess is not filled with repetitions whose answers come
    /// too late.
    pub fn time_out(&mut self, now_ns: u64) {
        let late = |flight: &Flight| flight.sent_ns + self.retry_ms * NS_PER_MS <= now_ns;
        if self.flights.iter().any(|flight| !flight.acknowledged && late(flight)) {
            self.restart();
            self.retry_ms = (2 * self.retry_ms).min(limits::SHIP_RETRY_MS_MAX);
            self.probing = true;
        }
    }

    /// Starts a new stream from the cursor: after a broken link, a refusal, a silence.
    pub fn restart(&mut self) {
        self.resent += self.flights.iter().filter(|flight| !flight.acknowledged).count() as u64;
        self.flights.clear();
        self.next = self.cursor + 1;
        self.stream += 1;
        self.number = 0;
        self.held_until_ns = 0;
    }

    /// Starts again after a part of the changes went to another partition, with what is left of them.
    pub fn begin_again(&mut self, pending: Pending) {
        self.restart();
        self.pending = pending;
    }

    /// Moves the cursor over the acknowledged batches at its head.
    fn settle(&mut self) {
        while let Some(flight) = self.flights.pop_front_if(|flight| flight.acknowledged) {
            self.cursor = self.cursor.max(flight.upto);
            self.pending.changes = self.pending.changes.saturating_sub(flight.pending.changes);
            self.pending.bytes = self.pending.bytes.saturating_sub(flight.pending.bytes);
        }
    }

    /// The closed time to tell the peer (`P8`). `time` was chosen below every stamp in flight, and every
    /// stamp from here on is above it; it may leave once the peer has every change up to `last_change`, the
    /// newest applied at the choice.
    pub fn close(&mut self, home: &Home, time: HybridTime, last_change: u64) -> HybridTime {
        if home.faults.has(Planted::ClosedFromShipped) {
            self.closed = self.closed.max(self.newest_shipped);
            return self.closed;
        }
        let (closing, at) = *self.closing.get_or_insert((time, last_change));
        if self.cursor >= at {
            self.closed = self.closed.max(closing);
            self.closing = None;
        }
        self.closed
    }
}
