//! One partition's replica on this shard: its raft group, its state and whoever waits for it.

use std::collections::BTreeMap;

use consensus::Group;
use global::Shipper;
use item::Error as Refusal;
use partition::effect::Effect;
use partition::forget::Round;
use partition::{Home, Moment, Overlay, View};
use region::Seat;
use storage::Engine;
use storage::keys::PartitionState;
use types::{HybridTime, KeyHash, NodeId, Planted, RegionId, limits};

use crate::data::Data;
use crate::fetch;
use crate::load::Meter;
use crate::waiter::Waiter;

/// A partition's replica.
pub(crate) struct Replica<E: Engine> {
    /// Its raft group.
    pub group: Group<E>,
    /// The index up to which all members hold the log.
    pub held: u64,
    /// The index of the last change of members that was applied in this process.
    pub changed: u64,
    /// Where its members sit.
    pub seats: Vec<Seat>,
    /// Its place.
    pub home: Home,
    /// Its applied state.
    pub state: PartitionState,
    /// Effects in flight, of one term (`P2`).
    pub overlay: Overlay,
    /// The term of the overlay.
    pub term: u64,
    /// Whether it led when that was last looked at.
    pub led: bool,
    /// Who waits for which index.
    pub waiting: BTreeMap<u64, Vec<Waiter>>,
    /// One per peer that holds a copy.
    pub shippers: BTreeMap<RegionId, Shipper>,
    /// The index of the newest change made here and applied.
    pub last_change: u64,
    /// The largest closed time chosen: every stamp is above it (`P8`).
    pub closed: HybridTime,
    /// The newest of them that no later leader can stamp below; what peers are told.
    pub promised: Closing,
    /// Entries of the conflict ledger in this range.
    pub ledger_entries: u64,
    /// Whether it is to lead, and stands before its time.
    pub eager: Eager,
    /// Whether it has ever decided, in an earlier process too.
    pub established: bool,
    /// The index of the newest proposal of housekeeping; the next waits for it.
    pub tidied: u64,
    /// What there may be to tidy.
    pub untidy: Untidy,
    /// How far forgetting has come.
    pub round: Round,
    /// What it has decided lately.
    pub meter: Meter,
}

/// When a replica that is to lead a new group stands again: the others may not have made their replicas when
/// it stood first. Ever later, or it would begin anew before the votes can arrive, and then not before its
/// time any more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Eager {
    /// Ticks between the last time and the next; 0 when it is not eager.
    wait: u32,
    left: u32,
}

impl Eager {
    /// Stands at once, and again after a tick, two, four.
    pub fn new() -> Self {
        Eager { wait: 1, left: 1 }
    }

    /// A tick passed; whether to stand now.
    pub fn tick(&mut self, led: bool) -> bool {
        if led {
            *self = Eager::default();
        }
        if self.wait == 0 {
            return false;
        }
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        self.wait = if self.wait < limits::RAFT_ELECTION_TICKS { 2 * self.wait } else { 0 };
        self.left = self.wait;
        true
    }
}

/// A closed time that was chosen, and the newest change applied then: it may leave behind that one (`P8`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Closing {
    /// The time.
    pub time: HybridTime,
    /// The change's index.
    pub last_change: u64,
}

/// What a look at the partition may find to collect; cleared when it found nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Untidy {
    /// Tombstones.
    pub tombstones: bool,
    /// Changes that everybody has.
    pub changes: bool,
    /// Outcomes of requests.
    pub outcomes: bool,
}

impl Untidy {
    /// After a start, everything may be there.
    pub const UNKNOWN: Untidy = Untidy { tombstones: true, changes: true, outcomes: true };
}

impl<E: Engine> Replica<E> {
    /// Where its data lie.
    pub fn data(&self) -> Data {
        fetch::data(&self.home)
    }

    /// What decisions are made against.
    pub fn view<'a>(&'a self, engine: &'a E) -> View<'a, E> {
        View { engine, overlay: &self.overlay }
    }

    /// The times that a decision is made at.
    pub fn moment(&self, now: HybridTime, wall_ms: u64) -> Moment {
        let floor = self.state.floor.max(self.overlay.floor());
        Moment { now, wall_ms, floor, closed: self.closed }
    }

    /// Whether a split in flight gives away some of the hashes up to one (`P2`).
    pub fn gives_away(&self, last: KeyHash) -> bool {
        let behind = self.home.faults.has(Planted::DecideBehindSplit);
        !behind && self.overlay.split().is_some_and(|at| at <= last)
    }

    /// Whether another write must be refused for what is in flight already.
    pub fn is_full(&self) -> bool {
        self.overlay.bytes() >= limits::PARTITION_IN_FLIGHT_BYTES_MAX
    }

    /// Proposes an effect; it enters the overlay only once raft has accepted it at an index (`P2`).
    pub fn propose(&mut self, effect: Effect) -> Result<u64, consensus::ProposeError> {
        let bytes = effect.encode();
        let length = bytes.len();
        let index = self.group.propose(bytes)?;
        self.overlay.add(index, effect, length);
        Ok(index)
    }

    /// Whether there is a shipper for every other life.
    pub fn ships(&self) -> bool {
        self.home.others.iter().all(|life| self.shippers.contains_key(&life.region))
    }

    /// What a client is told that this replica cannot answer.
    pub fn ask_the_leader(&self) -> Refusal {
        match self.leader_node().filter(|_| !self.group.is_leader()) {
            Some(node) => Refusal::Elsewhere { node },
            None => Refusal::NotLeader,
        }
    }

    /// The node that its leader sits on, as far as it knows.
    pub fn leader_node(&self) -> Option<NodeId> {
        let leader = self.group.leader()?;
        self.seats.iter().find(|seat| seat.replica == leader).map(|seat| seat.node)
    }

    /// Whether somebody can be expected to decide: this replica, or the leader that it follows.
    pub fn is_served(&self) -> bool {
        self.decides() || self.group.leader().is_some_and(|leader| leader != self.group.replica())
    }

    /// Whether everything that the replica knows is what its term decided: it may decide (`P2`).
    pub fn decides(&self) -> bool {
        let early = self.home.faults.has(Planted::DecideEarly) && self.group.is_leader();
        (self.group.decides() || early) && self.term == self.group.term()
    }
}
