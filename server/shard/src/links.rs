//! Messages of peers: batches to apply, acknowledgements, closed times, tables.
//!
//! Every node of a region is linked to every node of its peers, and each may tell any of them anything. A
//! damaged message, or one meant for another life of a table, is counted and dropped: every sender tells
//! again whatever it has not seen acknowledged (`P13`).

use global::{Ack, Message, Pulse, frame};
use region::{Life, Table};
use storage::Engine;
use types::{Incarnation, RegionId, TableId};

use crate::{Envelope, Error, Link, PeerNode, Shard};

impl<E: Engine> Shard<E> {
    /// The link to a peer's node came up: what was under way may be lost.
    pub(crate) fn link_up(&mut self, peer: PeerNode) {
        let Some(state) = self.peers.get_mut(&peer.region) else { return };
        state.connected.insert(peer.node);
        state.known.clear();
        self.due.gossip_ns = 0;
        self.restart_shippers(peer.region);
    }

    /// The link to a peer's node went down: what was under way to it goes to the others, if there are any.
    pub(crate) fn link_down(&mut self, peer: PeerNode) {
        let Some(state) = self.peers.get_mut(&peer.region) else { return };
        state.connected.remove(&peer.node);
        if state.is_connected() {
            self.restart_shippers(peer.region);
        }
    }

    /// Sends a message to a peer's node, if its link is up.
    pub(crate) fn send(&mut self, peer: PeerNode, message: &Message) {
        if self.peers.get(&peer.region).is_some_and(|state| state.connected.contains(&peer.node)) {
            self.out.push(Envelope::Link(Link { peer, bytes: frame::encode(message) }));
        }
    }

    /// Sends a message to all nodes of a peer.
    pub(crate) fn send_to_all(&mut self, region: RegionId, message: &Message) {
        let Some(state) = self.peers.get(&region) else { return };
        let bytes = frame::encode(message);
        for node in &state.connected {
            let peer = PeerNode { region, node: *node };
            self.out.push(Envelope::Link(Link { peer, bytes: bytes.clone() }));
        }
    }

    /// Tells a peer's node what became of a batch.
    pub(crate) fn acknowledge(&mut self, peer: PeerNode, ack: Ack) {
        self.send(peer, &Message::Ack(ack));
    }

    /// Takes in a peer's message.
    pub(crate) fn link(&mut self, link: Link) -> Result<(), Error> {
        let peer = link.peer;
        let message = match frame::decode(&link.bytes) {
            Ok(message) if self.peers.contains_key(&peer.region) => message,
            Ok(_) | Err(_) => {
                self.figures.messages_refused += 1;
                return Ok(());
            }
        };
        match message {
            Message::Batch(batch) => self.batch(peer, batch)?,
            Message::Ack(ack) => self.acknowledged(peer.region, &ack),
            Message::Pulse(pulses) => pulses.into_iter().for_each(|pulse| self.pulse(peer.region, pulse)),
            Message::Tables(entries) => self.learn(peer, entries),
            Message::TablesKnown(known) => {
                if let Some(state) = self.peers.get_mut(&peer.region) {
                    state.known.extend(known);
                }
            }
            Message::TableRefused(table) => self.refused(table),
        }
        Ok(())
    }

    /// The table that a peer's life and ours share, unless either life is another than we know (`P13`).
    pub(crate) fn shared(
        &self,
        peer: RegionId,
        from: Incarnation,
        to: Incarnation,
        table: TableId,
    ) -> Option<&Table> {
        let table = self.catalog.applied.tables.get(&table)?;
        let theirs = table.entry.incarnation(&self.peers.get(&peer)?.name);
        let ours = table.entry.incarnation(&self.settings.region);
        let alive = matches!(table.entry.life, Life::Creating | Life::Active);
        (alive && theirs == Some(from) && ours == Some(to)).then_some(table)
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
