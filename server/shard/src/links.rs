//! Messages of peers: batches to apply, acknowledgements, closed times, tables.
//!
//! A damaged message, or one meant for another life of a table, is counted and dropped: every sender tells
//! again whatever it has not seen acknowledged (`P13`).

use std::collections::BTreeMap;

use global::arrivals::Admission;
use global::message::Origin;
use global::{Ack, Batch, Message, Pulse, Verdict, frame};
use partition::receive::{self, Incoming};
use partition::{Decision, effect::Place};
use region::{Life, Table};
use storage::Engine;
use types::{GroupId, HybridTime, Incarnation, KeyHash, RegionId, limits};

use crate::waiter::Waiter;
use crate::{Envelope, Error, Link, Shard};

impl<E: Engine> Shard<E> {
    /// The link to a peer came up: what was under way may be lost.
    pub(crate) fn link_up(&mut self, peer: RegionId) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        state.connected = true;
        state.known.clear();
        self.due.gossip_ns = 0;
        self.restart_shippers(peer);
    }

    /// The link to a peer went down.
    pub(crate) fn link_down(&mut self, peer: RegionId) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.connected = false;
        }
    }

    /// Sends a message to a peer, if its link is up.
    pub(crate) fn send(&mut self, peer: RegionId, message: &Message) {
        if self.peers.get(&peer).is_some_and(|peer| peer.connected) {
            self.out.push(Envelope::Link(Link { peer, bytes: frame::encode(message) }));
        }
    }

    /// Takes in a peer's message.
    pub(crate) fn link(&mut self, link: Link) -> Result<(), Error> {
        let peer = link.peer;
        let message = match frame::decode(&link.bytes) {
            Ok(message) if self.peers.contains_key(&peer) => message,
            Ok(_) | Err(_) => {
                self.figures.messages_refused += 1;
                return Ok(());
            }
        };
        match message {
            Message::Batch(batch) => self.batch(peer, batch)?,
            Message::Ack(ack) => self.acknowledged(peer, &ack),
            Message::Pulse(pulses) => pulses.into_iter().for_each(|pulse| self.pulse(peer, pulse)),
            Message::Tables(entries) => self.learn(peer, entries),
            Message::TablesKnown(known) => {
                if let Some(state) = self.peers.get_mut(&peer) {
                    state.known.extend(known);
                }
            }
            Message::TableRefused(table) => self.refused(table),
        }
        Ok(())
    }

    /// The table that a peer's life and ours share, unless either life is another than we know (`P13`).
    fn shared(
        &self,
        peer: RegionId,
        from: Incarnation,
        to: Incarnation,
        table: types::TableId,
    ) -> Option<&Table> {
        let table = self.catalog.applied.tables.get(&table)?;
        let theirs = table.entry.incarnation(&self.peers.get(&peer)?.name);
        let ours = table.entry.incarnation(&self.settings.region);
        let alive = matches!(table.entry.life, Life::Creating | Life::Active);
        (alive && theirs == Some(from) && ours == Some(to)).then_some(table)
    }

    fn batch(&mut self, peer: RegionId, batch: Batch) -> Result<(), Error> {
        let origin = batch.origin;
        self.figures.records_received += batch.records.len() as u64;
        if !self.catalog_decides() {
            // The replay may bring the table: the sender need not wait for its patience to end.
            self.send(peer, &Message::Ack(Ack { origin, verdict: Verdict::Busy }));
            return Ok(());
        }
        let Some(table) = self.shared(peer, origin.from, origin.to, origin.table) else {
            self.figures.messages_refused += 1;
            return Ok(());
        };
        let passed = self.passed.get(&origin.table);
        let shares = split(table, batch, |hash| {
            passed.map_or(HybridTime::ZERO, |passed| passed.received_at(origin.from, hash))
        });
        if shares.is_empty() {
            self.send(peer, &Message::Ack(Ack { origin, verdict: Verdict::Committed }));
            return Ok(());
        }
        // A version further ahead than the bound is held back, neither applied nor dropped (`P7`).
        let bound = self.clock.physical_ms() + limits::CLOCK_OFFSET_MS_MAX;
        let ahead = |incoming: &Incoming| incoming.record.version.time.millis() > bound;
        if shares.values().flatten().any(ahead) {
            self.figures.batches_held += 1;
            self.send(peer, &Message::Ack(Ack { origin, verdict: Verdict::Ahead }));
            return Ok(());
        }
        let able = |group: &GroupId| self.leader(*group).is_ok_and(|replica| !replica.is_full());
        let admission = match !self.pressed && shares.keys().all(able) {
            true => self.arrivals.admit(&origin),
            false => Admission::Busy,
        };
        match admission {
            Admission::Drop => {}
            Admission::Busy => self.send(peer, &Message::Ack(Ack { origin, verdict: Verdict::Busy })),
            Admission::Begin => {
                self.arrivals.begin(origin, shares.len());
                for (group, share) in shares {
                    self.receive(group, origin, share)?;
                }
            }
        }
        Ok(())
    }

    /// Decides a partition's share of a batch.
    fn receive(&mut self, group: GroupId, origin: Origin, share: Vec<Incoming>) -> Result<(), Error> {
        let replica = self.replicas.get_mut(&group).expect("its leader was asked for");
        let moment = replica.moment(self.clock.present(), self.now.wall_ms);
        let ledger_empty = replica.ledger_entries == 0 && !replica.overlay.has_ledgered();
        let view = replica.view(&self.engine);
        let decision = receive::decide(&view, &replica.home, moment, origin.from, share, ledger_empty)?;
        let after = match decision {
            Decision::Answer { after, .. } => after,
            Decision::Propose { effect, .. } => match replica.propose(effect) {
                Ok(index) => {
                    self.dirty.insert(group);
                    index
                }
                Err(_) => {
                    self.share(origin, false);
                    return Ok(());
                }
            },
        };
        self.tell_after(group, after, Waiter::Share(origin));
        Ok(())
    }

    /// A share of a batch is committed, or could not be; the last one answers the peer.
    pub(crate) fn share(&mut self, origin: Origin, committed: bool) {
        if let Some(ack) = self.arrivals.share(origin, committed) {
            self.send(origin.from.region, &Message::Ack(ack));
        }
    }

    fn pulse(&mut self, peer: RegionId, pulse: Pulse) {
        if self.shared(peer, pulse.from, pulse.to, pulse.table).is_none() {
            self.figures.messages_refused += 1;
            return;
        }
        let passed = self.passed.entry(pulse.table).or_default();
        for (range, time) in pulse.closed {
            if passed.received(pulse.from, range) < time {
                self.figures.closed_times_received += 1;
            }
            passed.receive(pulse.from, range, time);
            #[cfg(feature = "observe")]
            self.closed_received.push(crate::observation::ClosedReceived {
                origin: pulse.from.region,
                table: pulse.table,
                range,
                time,
            });
        }
        for (origin, time) in pulse.received {
            passed.report(pulse.from, origin, time);
        }
    }
}

/// Routes a batch by key: regions split independently. Of two records of one place the greater version
/// counts.
///
/// What is at or below a closed time of its origin is here already, or another region's write had replaced it
/// there before it was taken in here. Only a copy of a batch that was refused, and strayed, brings it once
/// more; it must not come to life below a time that is closed (`P8`).
fn split(
    table: &Table,
    batch: Batch,
    closed: impl Fn(KeyHash) -> HybridTime,
) -> BTreeMap<GroupId, Vec<Incoming>> {
    let mut shares: BTreeMap<GroupId, BTreeMap<Place, Incoming>> = BTreeMap::new();
    let open = |shipped: &global::Shipped| shipped.time > closed(shipped.place.hash);
    for shipped in batch.records.into_iter().filter(open) {
        let share = shares.entry(table.partition_of(shipped.place.hash)).or_default();
        let known = share.get(&shipped.place).map(|known| known.record.version);
        if known.is_none_or(|known| known < shipped.record.version) {
            let incoming =
                Incoming { place: shipped.place.clone(), record: shipped.record, time: shipped.time };
            share.insert(shipped.place, incoming);
        }
    }
    shares.into_iter().map(|(group, share)| (group, share.into_values().collect())).collect()
}
