//! The composition root: what a shard holds, and the order of a turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use consensus::Group;
use global::{Arrivals, Passed};
use rand_chacha::ChaCha8Rng;
use region::{BatchWriteFan, Catalog, Seat};
use storage::keys::PartitionState;
use storage::{Engine, LogBatch};
use types::{GroupId, Now, RegionId, TableId, TableName, limits};

use crate::catalog::CatalogRequest;
use crate::compact::Flushing;
use crate::confirm::Confirming;
use crate::fetch::{Arriving, Fetch};
use crate::load::Loads;
use crate::nodes::Outbox;
use crate::overview::Overview;
use crate::peer::Peer;
use crate::quiescence::Quiescence;
use crate::replica::Replica;
use crate::reseat::Reseating;
use crate::room::Storage;
use crate::supply::Supplies;
use crate::waiter::CatalogWaiter;
use crate::wide::Wide;
use crate::{Clock, Envelope, Error, Figures, Inbox, Member, Settings, SnapshotRead, Turn, TurnId};

/// One shard.
pub struct Shard<E: Engine> {
    pub(crate) engine: E,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) now: Now,
    pub(crate) random: ChaCha8Rng,
    pub(crate) catalog: CatalogReplica<E>,
    pub(crate) replicas: BTreeMap<GroupId, Replica<E>>,
    /// Replicas that have no data yet.
    pub(crate) arriving: BTreeMap<GroupId, Arriving<E>>,
    /// Partitions with a seat here that cannot be opened yet.
    pub(crate) later: BTreeSet<GroupId>,
    /// Data that others fetch.
    pub(crate) supplies: Supplies<E::Snapshot>,
    /// Groups whose members change.
    pub(crate) reseating: Reseating,
    /// Groups whose data here are to be void.
    pub(crate) voiding: BTreeSet<GroupId>,
    /// The other nodes of the region, and what of it the driver was told.
    pub(crate) members_known: Vec<Member>,
    pub(crate) members_told: Option<Vec<Member>>,
    pub(crate) names: BTreeMap<TableName, TableId>,
    pub(crate) peers: BTreeMap<RegionId, Peer>,
    pub(crate) passed: BTreeMap<TableId, Passed>,
    pub(crate) arrivals: Arrivals,
    pub(crate) fans: BTreeMap<u64, BatchWriteFan>,
    /// Groups that raft may want something for.
    pub(crate) dirty: BTreeSet<GroupId>,
    /// Partitions with something to ship or unacknowledged.
    pub(crate) shipping: BTreeSet<GroupId>,
    /// Which groups of several members rest, and which nodes live.
    pub(crate) quiescence: Quiescence,
    /// Partitions that nobody can be expected to decide for.
    pub(crate) unserved: BTreeSet<GroupId>,
    /// Letters to other nodes.
    pub(crate) outbox: Outbox,
    /// Answers that wait for a quorum.
    pub(crate) confirming: Confirming<E::Snapshot>,
    /// Strong scans of what several nodes lead.
    pub(crate) wide: Wide,
    pub(crate) unsynced: Unsynced,
    pub(crate) turns: VecDeque<Unsynced>,
    pub(crate) turn: TurnId,
    pub(crate) out: Vec<Envelope>,
    pub(crate) reads: Vec<SnapshotRead<E::Snapshot>>,
    pub(crate) figures: Figures,
    pub(crate) due: Due,
    /// Partitions that left something to collect.
    pub(crate) untidy: BTreeSet<GroupId>,
    /// The partition that was served last; the next round of shipping begins behind it.
    pub(crate) shipped_last: GroupId,
    /// The resting partition whose closed time was renewed last.
    pub(crate) closed_last: GroupId,
    /// Whether a table was dropped whose logs wait for a flush.
    pub(crate) dropped: bool,
    pub(crate) flushing: Option<Flushing>,
    /// Whether writes must be refused for the disk's sake.
    pub(crate) pressed: bool,
    /// Whether there is room for what makes the disk fuller.
    pub(crate) storage: Storage,
    /// What the nodes told of themselves.
    pub(crate) overview: Overview,
    /// Whether reads must be refused for memory's sake.
    pub(crate) answers_full: bool,
    /// What the turn's answers weigh.
    pub(crate) answered_bytes: usize,
    pub(crate) log_bytes_flushed: u64,
    #[cfg(feature = "observe")]
    pub(crate) closed_received: Vec<crate::observation::ClosedReceived>,
}

/// The catalog's raft group and applied state.
pub(crate) struct CatalogReplica<E: Engine> {
    pub group: Group<E>,
    /// Where its members sit: a node's catalog replica has the node's number.
    pub seats: Vec<Seat>,
    /// The term that an update in flight belongs to.
    pub term: u64,
    /// The index up to which all members hold the log.
    pub held: u64,
    pub state: PartitionState,
    pub applied: Catalog,
    /// The index of the update in flight; one at a time.
    pub in_flight: Option<(u64, CatalogWaiter)>,
    pub queue: VecDeque<CatalogRequest>,
    /// How far its data are, while it has none.
    pub fetch: Option<Fetch>,
    /// While it leads: what other leaders reported of their groups' members.
    pub reported: BTreeMap<GroupId, Vec<u64>>,
    /// While it leads: since when, and whether there may be something to plan.
    pub led_since_ns: Option<u64>,
    pub unplanned: bool,
    /// While it leads: what other leaders told of their load.
    pub loads: Loads,
}

/// What a turn appended and a sync makes durable.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    pub id: TurnId,
    /// Raft's numbers of what was appended, by group.
    pub numbers: Vec<(GroupId, u64)>,
    /// The ceiling that was appended, if one was.
    pub ceiling: Option<types::HybridTime>,
    /// Groups whose data are void once it is synced.
    pub voided: Vec<GroupId>,
}

/// When periodic work is due, on the monotonic clock in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due {
    pub tick_ns: u64,
    pub give_way_ns: u64,
    pub pulse_ns: u64,
    pub tidy_ns: u64,
    pub again_ns: u64,
    pub gossip_ns: u64,
    pub pressure_ns: u64,
    pub room_ns: u64,
    pub reseat_ns: u64,
    pub load_ns: u64,
    pub growth_ns: u64,
}

impl<E: Engine> Shard<E> {
    /// Takes what waits in the inbox as far as a turn goes, does what is due, and appends, unsynced. An error
    /// is fatal.
    pub fn turn(&mut self, now: Now, inbox: &mut Inbox) -> Result<Turn<E::Snapshot>, Error> {
        assert!(self.ready_for_turn(), "a turn while {} syncs are under way", self.turns.len());
        self.turn.0 += 1;
        self.now = now;
        self.clock.advance(now);
        self.take(inbox)?;
        self.change_confirmed();
        self.decide_catalog();
        self.do_what_is_due()?;
        self.ship()?;
        self.tick();
        self.ask_quorums();
        let sync = self.append()?;
        self.send_letters();
        let (send, reads) = (std::mem::take(&mut self.out), std::mem::take(&mut self.reads));
        Ok(Turn { id: self.turn, sync, send, reads })
    }

    /// The other nodes of the region, as far as the catalog here knows them, if that has changed since it was
    /// last asked.
    pub fn take_members(&mut self) -> Option<Vec<Member>> {
        if self.members_told.as_ref() == Some(&self.members_known) {
            return None;
        }
        self.members_told = Some(self.members_known.clone());
        self.members_told.clone()
    }

    /// Whether another turn may be made: not while as many syncs are under way as may be.
    pub fn ready_for_turn(&self) -> bool {
        self.turns.len() < limits::TURNS_IN_FLIGHT_MAX
    }

    /// A turn's appends are durable: tells raft, applies what it commits, and gives what had waited. Turns
    /// must come in their order. An error is fatal.
    pub fn persisted(&mut self, turn: TurnId, now: Now) -> Result<Vec<Envelope>, Error> {
        let done = self.turns.pop_front().expect("a turn that asked for a sync");
        assert_eq!(done.id, turn, "syncs end in the order of their turns");
        self.now = now;
        self.clock.advance(now);
        if let Some(ceiling) = done.ceiling {
            self.clock.set_durable(ceiling);
        }
        for group in done.voided {
            self.void(group)?;
        }
        for (group, number) in &done.numbers {
            if let Some(raft) = self.group_mut(*group) {
                let messages = raft.persisted(*number);
                self.post(*group, messages);
            }
            self.place(*group, *number)?;
            self.dirty.insert(*group);
        }
        let mut batch = LogBatch::new();
        self.advance_groups(&mut batch)?;
        if !batch.is_empty() {
            self.engine.append(batch)?;
        }
        self.send_letters();
        Ok(std::mem::take(&mut self.out))
    }

    /// Takes envelopes out of the inbox, within the limits of a turn.
    fn take(&mut self, inbox: &mut Inbox) -> Result<(), Error> {
        self.answers_full = inbox.answers_full;
        self.answered_bytes = 0;
        let (mut taken, mut bytes) = (0, 0);
        while taken < limits::TURN_REQUESTS_MAX && bytes + self.answered_bytes < limits::TURN_BYTES_MAX {
            let Some(envelope) = inbox.pop() else { break };
            taken += 1;
            bytes += envelope.weight();
            match envelope {
                Envelope::Request(request) => self.request(*request)?,
                Envelope::Link(link) => self.link(link)?,
                Envelope::Node(link) => self.letters(&link)?,
                Envelope::Removed => return Err(Error::Removed { node: self.settings.node }),
                Envelope::LinkUp(peer) => self.link_up(peer),
                Envelope::LinkDown(peer) => self.link_down(peer),
                Envelope::Reply(_) => unreachable!("replies only leave"),
            }
        }
        Ok(())
    }

    /// When a turn is wanted though the inbox is empty, on the monotonic clock in nanoseconds; 0 is at once.
    pub fn wake_at_ns(&self) -> Option<u64> {
        let catalog_waits = !self.catalog.queue.is_empty() && self.catalog.in_flight.is_none();
        if !self.dirty.is_empty()
            || !self.unsynced.numbers.is_empty()
            || !self.voiding.is_empty()
            || self.wants_to_ask()
            || catalog_waits && self.catalog_decides()
        {
            return Some(0);
        }
        let due = self.due;
        let tick_ns = if self.quiescence.knows_others() { due.tick_ns } else { u64::MAX };
        let periodic = due.pulse_ns.min(due.tidy_ns).min(due.again_ns).min(due.gossip_ns).min(tick_ns);
        let shipping = self.shipping.iter().filter_map(|group| self.ship_wake_at_ns(*group)).min();
        Some(shipping.map_or(periodic, |at| at.min(periodic)))
    }

    pub(crate) fn group_and_random(&mut self, group: GroupId) -> Option<(&mut Group<E>, &mut ChaCha8Rng)> {
        let group = match group {
            GroupId::CATALOG => &mut self.catalog.group,
            _ => match self.replicas.get_mut(&group) {
                Some(replica) => &mut replica.group,
                None => &mut self.arriving.get_mut(&group)?.group,
            },
        };
        Some((group, &mut self.random))
    }

    pub(crate) fn group_mut(&mut self, group: GroupId) -> Option<&mut Group<E>> {
        self.group_and_random(group).map(|(group, _)| group)
    }
}
