//! Another region's batches: routed by key to the leaders of this region, and acknowledged when every share
//! is committed (`P13`).
//!
//! Any node takes a batch. It decides the shares of the partitions that it leads, and carries those that
//! other nodes lead to them; the letters may be lost, and then the sender sends the batch again.

use std::collections::BTreeMap;

use global::arrivals::Admission;
use global::message::Origin;
use global::{Ack, Batch, Message, Shipped, Verdict};
use partition::receive::{self, Incoming};
use partition::{Decision, effect::Place};
use region::Table;
use storage::Engine;
use types::{GroupId, HybridTime, NodeId, Planted, limits};

use crate::letters::{Content, Letter};
use crate::waiter::Waiter;
use crate::{Error, PeerNode, Shard};

impl<E: Engine> Shard<E> {
    /// Takes in a batch of a peer.
    pub(crate) fn batch(&mut self, peer: PeerNode, batch: Batch) -> Result<(), Error> {
        let Batch { origin, records } = batch;
        self.figures.records_received += records.len() as u64;
        let verdict = match self.shared(peer.region, origin.from, origin.to, origin.table).is_some() {
            true => match self.open_to_come(&origin, records) {
                Ok(records) => self.admit(peer, origin, records)?,
                Err(verdict) => Some(verdict),
            },
            // The catalog's log may yet bring the table: the sender need not wait for its patience to end.
            false if !self.catalog_decides() => Some(Verdict::Busy),
            false => {
                self.figures.messages_refused += 1;
                None
            }
        };
        if let Some(verdict) = verdict {
            self.acknowledge(peer, Ack { origin, verdict });
        }
        Ok(())
    }

    /// Those of a life's records that may still come, or why none can be taken in.
    ///
    /// What is at or below a closed time of its origin is here already, or another region's write had
    /// replaced it there before it was taken in here. Only a copy of a batch that was refused, and strayed,
    /// brings it once more; it must not come to life below a time that is closed (`P8`).
    fn open_to_come(&mut self, origin: &Origin, records: Vec<Shipped>) -> Result<Vec<Shipped>, Verdict> {
        let passed = self.passed.get(&origin.table);
        let closed = |hash| passed.map_or(HybridTime::ZERO, |passed| passed.received_at(origin.from, hash));
        let open = |shipped: &Shipped| shipped.time > closed(shipped.place.hash);
        let records: Vec<_> = records.into_iter().filter(open).collect();
        // A version further ahead than the bound is held back, neither applied nor dropped (`P7`).
        let bound = self.clock.physical_ms() + limits::CLOCK_OFFSET_MS_MAX;
        match records.iter().any(|shipped| shipped.record.version.time.millis() > bound) {
            true => {
                self.figures.batches_held += 1;
                Err(Verdict::Ahead)
            }
            false => Ok(records),
        }
    }

    /// Begins a batch that can be taken; what the peer is told at once, if anything.
    fn admit(
        &mut self,
        peer: PeerNode,
        origin: Origin,
        records: Vec<Shipped>,
    ) -> Result<Option<Verdict>, Error> {
        let shares = self.split_batch(&self.catalog.applied.tables[&origin.table], records);
        if shares.is_empty() {
            return Ok(Some(Verdict::Committed));
        }
        let takers: Option<Vec<_>> = shares.keys().map(|group| self.taker(*group, origin.stream)).collect();
        let Some(takers) = takers else { return Ok(Some(Verdict::Busy)) };
        let now_ns = self.now.monotonic_ns;
        match self.arrivals.admit(&origin, now_ns) {
            Admission::Drop => Ok(None),
            Admission::Busy => Ok(Some(Verdict::Busy)),
            Admission::Begin => {
                self.arrivals.begin(origin, peer.node, shares.keys().copied(), now_ns);
                for ((group, share), taker) in shares.into_iter().zip(takers) {
                    match taker == self.settings.node {
                        true => self.receive(group, origin, share, taker)?,
                        false => self.pass_share(group, origin, share, taker),
                    }
                }
                Ok(None)
            }
        }
    }

    /// The node that can be expected to decide a share. Where nobody here knows who leads, each new stream
    /// asks another.
    fn taker(&self, group: GroupId, stream: u64) -> Option<NodeId> {
        let me = self.settings.node;
        match self.replicas.get(&group) {
            // What finds no room here waits at its sender.
            Some(replica) if replica.decides() => {
                (!self.pressed && !self.storage.nearly_full && !replica.is_full()).then_some(me)
            }
            Some(replica) => replica.leader_node().filter(|node| *node != me),
            None => {
                let holders = self.holders(group);
                let at = stream.checked_rem(holders.len() as u64)?;
                holders.get(at as usize).copied()
            }
        }
    }

    fn pass_share(&mut self, group: GroupId, origin: Origin, records: Vec<Shipped>, to: NodeId) {
        let share = Message::Batch(Batch { origin, records });
        self.write_to(to, Letter { group, content: Content::Share(share.encode()) });
    }

    /// Another node carried a share here, or brings what became of one.
    pub(crate) fn share_letter(&mut self, node: NodeId, group: GroupId, bytes: &[u8]) -> Result<(), Error> {
        match Message::decode(bytes) {
            Ok(Message::Batch(Batch { origin, records })) => {
                let is_shared =
                    self.shared(origin.from.region, origin.from, origin.to, origin.table).is_some();
                let able = is_shared && self.taker(group, origin.stream) == Some(self.settings.node);
                let records = match able {
                    true => self.open_to_come(&origin, records),
                    false => Err(Verdict::Busy),
                };
                match records {
                    Ok(records) => self.receive(group, origin, records, node)?,
                    Err(verdict) => self.tell_share(node, group, Ack { origin, verdict }),
                }
            }
            Ok(Message::Ack(ack)) => self.share_ended(group, ack),
            Ok(_) | Err(_) => self.figures.messages_refused += 1,
        }
        Ok(())
    }

    /// Decides a partition's share of a batch, for the node that took the batch.
    fn receive(
        &mut self,
        group: GroupId,
        origin: Origin,
        share: Vec<Shipped>,
        taken_by: NodeId,
    ) -> Result<(), Error> {
        let replica = self.replicas.get_mut(&group).expect("its leader was asked for");
        let has = |hash| replica.home.range.contains(hash) && !replica.gives_away(hash);
        if !share.iter().all(|shipped| has(shipped.place.hash)) {
            // It was or is being split, and whoever routed here had not heard of that.
            self.tell_share(taken_by, group, Ack { origin, verdict: Verdict::Busy });
            return Ok(());
        }
        let moment = replica.moment(self.clock.present(), self.now.wall_ms);
        let ledger_empty = replica.ledger_entries == 0 && !replica.overlay.has_ledgered();
        let view = replica.view(&self.engine);
        let incoming = |Shipped { place, record, time }: Shipped| Incoming { place, record, time };
        let share = share.into_iter().map(incoming).collect();
        let decision = receive::decide(&view, &replica.home, moment, origin.from, share, ledger_empty)?;
        let after = match decision {
            Decision::Answer { after, .. } => after,
            Decision::Propose { effect, .. } => match replica.propose(effect) {
                Ok(index) => {
                    self.dirty.insert(group);
                    index
                }
                Err(_) => {
                    self.tell_share(taken_by, group, Ack { origin, verdict: Verdict::Busy });
                    return Ok(());
                }
            },
        };
        let after = if self.settings.faults.has(Planted::ShareUncommitted) { 0 } else { after };
        self.tell_after(group, after, Waiter::Share { group, origin, taken_by });
        Ok(())
    }

    /// Tells the node that took a batch what became of a share.
    pub(crate) fn tell_share(&mut self, node: NodeId, group: GroupId, ack: Ack) {
        match node == self.settings.node {
            true => self.share_ended(group, ack),
            false => {
                let content = Content::Share(Message::Ack(ack).encode());
                self.write_to(node, Letter { group, content });
            }
        }
    }

    /// A share is committed, or could not be; the last one answers the peer.
    fn share_ended(&mut self, group: GroupId, ack: Ack) {
        if let Some((node, ack)) = self.arrivals.share(group, ack) {
            self.acknowledge(PeerNode { region: ack.origin.from.region, node }, ack);
        }
    }

    /// Routes records by key: regions split independently. Of two records of one place the greater version
    /// counts.
    fn split_batch(&self, table: &Table, records: Vec<Shipped>) -> BTreeMap<GroupId, Vec<Shipped>> {
        let mut shares: BTreeMap<GroupId, BTreeMap<Place, Shipped>> = BTreeMap::new();
        for shipped in records {
            let share = shares.entry(self.partition_of(table, shipped.place.hash)).or_default();
            let known = share.get(&shipped.place).map(|known| known.record.version);
            if known.is_none_or(|known| known < shipped.record.version) {
                share.insert(shipped.place.clone(), shipped);
            }
        }
        shares.into_iter().map(|(group, share)| (group, share.into_values().collect())).collect()
    }
}
