//! The periodic exchange: closed times and reports of them (`P8`), and tables that peers may not know
//! (`P19`).

use std::collections::BTreeSet;

use global::{Message, Passed, Pulse};
use region::{Life, Table};
use storage::Engine;
use types::{GroupId, HashRange, HybridTime, Incarnation, Planted, RegionId, limits};

use crate::Shard;
use crate::confirm::Asker;
use crate::peer::Peer;
use crate::replica::{Closing, Replica};
use crate::shipping::round;

impl<E: Engine> Shard<E> {
    /// Tells every open peer the closed times of the tables shared with it, and which it was told.
    pub(crate) fn send_pulses(&mut self) {
        if !self.peers.values().any(Peer::is_connected) {
            return;
        }
        self.choose_closed();
        let tables: Vec<_> =
            self.catalog.applied.named().filter(|table| table.entry.life == Life::Active).collect();
        let shared: Vec<Table> =
            tables.into_iter().filter(|table| table.entry.copies.len() > 1).cloned().collect();
        let peers: Vec<_> =
            self.peers.values().filter(|peer| peer.is_connected()).map(|peer| peer.id()).collect();
        for peer in peers {
            let (mut pulses, mut ranges) = (Vec::new(), 0);
            for table in &shared {
                let Some(pulse) = self.pulse_of(table, peer) else { continue };
                ranges += pulse.closed.len();
                pulses.push(pulse);
                if ranges >= limits::PULSE_RANGES_MAX {
                    self.send_to_all(peer, &Message::Pulse(std::mem::take(&mut pulses)));
                    ranges = 0;
                }
            }
            if !pulses.is_empty() {
                self.send_to_all(peer, &Message::Pulse(pulses));
            }
        }
    }

    /// Chooses each partition's closed time: below every stamp in flight, at or below the durable ceiling, so
    /// that this node never stamps below it after a restart; everything later is stamped above it (`P8`).
    ///
    /// Another node may lead next. So where there are others, the time is promised only once a quorum has
    /// answered a question asked after it was chosen: the question carried hybrid time at or above it, and
    /// whoever leads next has a vote of one of those who answered.
    fn choose_closed(&mut self) {
        let present = self.clock.present().min(self.clock.durable());
        self.clock.pass(present);
        let hasty = self.settings.faults.has(Planted::CloseAlone);
        let mut asking = Vec::new();
        // Behind a split, a time would be for the lower half only.
        let able = |replica: &Replica<E>| replica.decides() && replica.overlay.split().is_none();
        for (group, replica) in self.replicas.iter_mut().filter(|(_, replica)| able(replica)) {
            let flying = replica.overlay.least_stamp().map_or(HybridTime::MAX, HybridTime::previous);
            replica.closed = replica.closed.max(present.min(flying));
            let chosen = Closing { time: replica.closed, last_change: replica.last_change };
            match hasty || replica.seats.len() == 1 || !replica.home.replicated() {
                true => replica.promised = chosen,
                false => asking.push((*group, chosen)),
            }
        }
        let mut sleepers = self.sleepers_to_ask(asking.iter().map(|(group, _)| *group));
        for (group, chosen) in asking {
            if !self.quiescence.rests(group) || sleepers.remove(&group) {
                self.ask_for(group, Asker::Closing(chosen));
            }
        }
    }

    /// Some of the partitions that rest, one after the other: their closed times may be older, for it takes
    /// waking to renew them.
    fn sleepers_to_ask(&mut self, groups: impl Iterator<Item = GroupId>) -> BTreeSet<GroupId> {
        let resting: BTreeSet<_> = groups.filter(|group| self.quiescence.rests(*group)).collect();
        let round = round(&resting, self.closed_last).take(limits::CLOSINGS_OF_SLEEPERS_MAX);
        let chosen: Vec<_> = round.collect();
        self.closed_last = chosen.last().copied().unwrap_or(self.closed_last);
        chosen.into_iter().collect()
    }

    /// A quorum has heard of a closed time that this leader chose.
    pub(crate) fn promise(&mut self, group: GroupId, chosen: Closing) {
        if let Some(replica) = self.replicas.get_mut(&group).filter(|replica| replica.decides()) {
            replica.promised = replica.promised.max(chosen);
        }
    }

    fn pulse_of(&mut self, table: &Table, peer: RegionId) -> Option<Pulse> {
        let from = table.entry.incarnation(&self.settings.region)?;
        let to = table.entry.incarnation(&self.peers.get(&peer)?.name)?;
        let open = self.open_to(peer);
        let mut closed: Vec<(HashRange, HybridTime)> = Vec::new();
        let pieces: Vec<_> = match open {
            true => self.pieces(table, HashRange::ALL).collect(),
            false => Vec::new(),
        };
        for (group, range) in pieces {
            let Some(time) = self.close_to(group, peer) else { continue };
            match closed.last_mut() {
                // Idle neighbours share one entry; a range between them that has no closed time is not
                // covered.
                Some((before, at)) if *at == time && before.touches(&range) => before.last = range.last,
                _ => closed.push((range, time)),
            }
        }
        let received = match self.passed.get(&table.entry.id) {
            Some(passed) => received(passed, table, from, &self.settings.region),
            None => Vec::new(),
        };
        Some(Pulse { table: table.entry.id, from, to, closed, received })
    }

    fn close_to(&mut self, group: GroupId, peer: RegionId) -> Option<HybridTime> {
        let replica = self.replicas.get_mut(&group).filter(|replica| replica.decides())?;
        let Closing { time, last_change } = replica.promised;
        let shipper = replica.shippers.get_mut(&peer)?;
        Some(shipper.close(&replica.home, time, last_change)).filter(|time| *time > HybridTime::ZERO)
    }

    /// Tells every open peer the tables that it shares and has not said to know in this state. Of several
    /// nodes, the one that leads the catalog does.
    pub(crate) fn send_tables(&mut self) {
        if self.is_shared(GroupId::CATALOG) && !self.catalog_decides() {
            return;
        }
        let peers: Vec<_> =
            self.peers.values().filter(|peer| peer.is_connected()).map(|peer| peer.id()).collect();
        for peer in peers {
            let Some(state) = self.peers.get(&peer) else { continue };
            let shared = self.catalog.applied.tables.values().map(|table| &table.entry);
            let shared = shared.filter(|entry| entry.copies.contains_key(&state.name));
            let unknown = shared.filter(|entry| state.known.get(&entry.id) != Some(&entry.digest()));
            let unknown: Vec<_> = unknown.take(limits::CATALOG_QUEUE_MAX).cloned().collect();
            if !unknown.is_empty() {
                self.send_to_all(peer, &Message::Tables(unknown));
            }
        }
    }
}

/// The least closed time received from each other life, over all hashes.
fn received(
    passed: &Passed,
    table: &Table,
    me: Incarnation,
    region: &types::RegionName,
) -> Vec<(Incarnation, HybridTime)> {
    let others = table.entry.copies.keys().filter(|other| *other != region);
    let lives = others.filter_map(|other| table.entry.incarnation(other)).filter(|life| *life != me);
    lives.map(|life| (life, passed.received(life, HashRange::ALL))).collect()
}
