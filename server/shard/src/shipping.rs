//! Sending changes to peers, as far as windows, pauses and links allow.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use global::message::Origin;
use global::{Ack, Batch, Message, Shipped};
use storage::Engine;
use types::{GroupId, RegionId, limits};

use crate::peer::Peer;
use crate::{Error, PeerNode, Shard};

impl<E: Engine> Shard<E> {
    /// Ships what is ready, partition by partition.
    pub(crate) fn ship(&mut self) -> Result<(), Error> {
        let mut quiet = Vec::new();
        let round: Vec<_> = round(&self.shipping, self.shipped_last).collect();
        for group in round {
            let peers: Vec<_> = match self.replicas.get(&group) {
                Some(replica) => replica.shippers.keys().copied().collect(),
                None => Vec::new(),
            };
            let mut busy = false;
            for peer in peers {
                busy |= self.ship_to(group, peer)?;
            }
            if !busy {
                quiet.push(group);
            }
        }
        for group in quiet {
            self.shipping.remove(&group);
        }
        Ok(())
    }

    /// Ships one partition to one peer; tells whether anything is under way or left to send over a link that
    /// is open.
    fn ship_to(&mut self, group: GroupId, peer: RegionId) -> Result<bool, Error> {
        if !self.open_to(peer) {
            return Ok(false);
        }
        let now_ns = self.now.monotonic_ns;
        self.with_shipper(group, peer, |shipper| shipper.time_out(now_ns));
        loop {
            let Some(replica) = self.replicas.get_mut(&group) else { return Ok(false) };
            let (term, last_change) = (replica.group.term(), replica.last_change);
            let Some(shipper) = replica.shippers.get_mut(&peer) else { return Ok(false) };
            if full(&self.peers, peer) || !shipper.ready(last_change, now_ns) {
                return Ok(shipper.is_busy(last_change));
            }
            let before = shipper.bytes_in_flight();
            let batch = shipper.batch(&self.engine, &replica.home, term, last_change, now_ns)?;
            let after = shipper.bytes_in_flight();
            self.count_flight(peer, before, after);
            self.shipped_last = group;
            // A run without anything to send may have been long: the rest waits for the next turn.
            let Some(batch) = batch else { return Ok(true) };
            self.figures.records_shipped += batch.records.len() as u64;
            self.send_batch(group, peer, batch);
        }
    }

    fn send_batch(&mut self, group: GroupId, region: RegionId, batch: Batch) {
        if let Some(node) = self.peers.get(&region).and_then(|peer| peer.receiver(group, batch.origin.stream))
        {
            self.send(PeerNode { region, node }, &Message::Batch(batch));
        }
    }

    /// Whether changes may leave for a peer.
    pub(crate) fn open_to(&self, peer: RegionId) -> bool {
        self.peers.get(&peer).is_some_and(|state| {
            state.is_connected() && !self.catalog.applied.settings.paused.contains(&state.name)
        })
    }

    /// Runs something on a shipper and keeps the peer's sum of bytes under way right.
    pub(crate) fn with_shipper(
        &mut self,
        group: GroupId,
        peer: RegionId,
        run: impl FnOnce(&mut global::Shipper),
    ) {
        let Some(shipper) = self.replicas.get_mut(&group).and_then(|replica| replica.shippers.get_mut(&peer))
        else {
            return;
        };
        let (before, resent) = (shipper.bytes_in_flight(), shipper.resent());
        run(shipper);
        self.figures.batches_resent += shipper.resent() - resent;
        let after = shipper.bytes_in_flight();
        self.count_flight(peer, before, after);
    }

    /// Keeps the sum of bytes under way to a peer right.
    pub(crate) fn count_flight(&mut self, peer: RegionId, before: usize, after: usize) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.bytes_in_flight = state.bytes_in_flight + after - before;
        }
    }

    /// When a partition's shipping must be looked at again.
    pub(crate) fn ship_wake_at_ns(&self, group: GroupId) -> Option<u64> {
        let replica = self.replicas.get(&group)?;
        let (last_change, now_ns) = (replica.last_change, self.now.monotonic_ns);
        let open = replica.shippers.iter().filter(|(peer, _)| self.open_to(**peer));
        let wake = open.filter_map(|(peer, shipper)| {
            let at_once = shipper.ready(last_change, now_ns) && !full(&self.peers, *peer);
            if at_once { Some(0) } else { shipper.wake_at_ns(last_change, now_ns) }
        });
        wake.min()
    }

    /// A peer told what became of a batch.
    pub(crate) fn acknowledged(&mut self, peer: RegionId, ack: &Ack) {
        let (group, now_ns) = (ack.origin.segment, self.now.monotonic_ns);
        let Some(replica) = self.replicas.get(&group) else { return };
        if replica.home.table != ack.origin.table || replica.home.incarnation != ack.origin.from {
            return;
        }
        let term = replica.group.term();
        self.with_shipper(group, peer, |shipper| shipper.acknowledge(ack, term, now_ns));
        self.shipping.insert(group);
    }

    /// Starts all streams to a peer again from their cursors.
    pub(crate) fn restart_shippers(&mut self, peer: RegionId) {
        let groups: Vec<_> = self.replicas.keys().copied().collect();
        for group in groups {
            self.with_shipper(group, peer, global::Shipper::restart);
            self.shipping.insert(group);
        }
    }

    /// After pauses changed: everything may have to be shipped.
    pub(crate) fn restart_paused(&mut self) {
        self.shipping.extend(self.replicas.keys().copied());
    }

    /// The planted bug `ShipBeforeCommit`: a record leaves beside the streams, and no answer to it counts.
    pub(crate) fn ship_outside_streams(&mut self, group: GroupId, shipped: Shipped) {
        let Some(replica) = self.replicas.get(&group) else { return };
        let (home, term) = (&replica.home, replica.group.term());
        let origin = |to| Origin {
            table: home.table,
            from: home.incarnation,
            to,
            segment: home.partition,
            term,
            stream: u64::MAX,
            number: shipped.time.as_u64(),
        };
        let batches: Vec<_> = home.others.iter().map(|to| (to.region, origin(*to))).collect();
        for (peer, origin) in batches {
            self.send_batch(group, peer, Batch { origin, records: vec![shipped.clone()] });
        }
    }
}

/// All of some groups, beginning behind the one that had its turn last.
pub(crate) fn round(groups: &BTreeSet<GroupId>, last: GroupId) -> impl Iterator<Item = GroupId> + '_ {
    groups.range((Excluded(last), Unbounded)).chain(groups.range(..=last)).copied()
}

/// Whether as much is under way to a peer as may be.
fn full(peers: &BTreeMap<RegionId, Peer>, peer: RegionId) -> bool {
    peers.get(&peer).is_some_and(|peer| peer.bytes_in_flight >= limits::SHIP_BYTES_IN_FLIGHT_MAX)
}
