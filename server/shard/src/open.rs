//! Starting a shard from what its engine holds.
//!
//! The catalog says which partitions exist; each replays its log from its applied index. A partition without
//! a log was created by an update whose first append a crash took back: it never held anything, and is made
//! again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use consensus::Group;
use global::ship::{Pending, Shipper};
use partition::{Home, Overlay};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use region::{Seat, Table};
use storage::engine::{StateName, each};
use storage::keys::{self, PartitionState};
use storage::{Direction, Engine, LogBatch};
use types::{GroupId, HashRange, HybridTime, Now, RegionId};

use crate::confirm::Confirming;
use crate::nodes::Outbox;
use crate::peer::Peer;
use crate::quiescence::Quiescence;
use crate::replica::{Closing, Eager, Replica, Untidy};
use crate::shard::{CatalogReplica, Due, Unsynced};
use crate::wide::Wide;
use crate::{Clock, Error, Figures, Settings, Shard, TurnId, identity};

/// Where a shard's own states stand in the log store.
pub(crate) const NODE: GroupId = GroupId(0);

impl<E: Engine> Shard<E> {
    /// Opens a shard over an engine and recovers everything that the engine holds. An error is fatal.
    pub fn open(engine: E, settings: Settings, now: Now) -> Result<Self, Error> {
        identity::claim(&engine, &settings)?;
        let ceiling = engine.state(NODE, StateName::ClockCeiling)?;
        let ceiling = ceiling.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
        let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
        let catalog = open_catalog(&engine, &settings, &mut random)?;
        let peers = settings.peers.iter().map(|name| (name.id(), Peer::new(name.clone()))).collect();
        let others = settings.nodes.iter().copied().filter(|node| *node != settings.node);
        let quiescence = Quiescence::new(others, now.monotonic_ns);
        let mut shard = Shard {
            clock: Clock::new(now, HybridTime::from_u64(ceiling)),
            // What a start finds in the log, no flush covers for certain.
            log_bytes_flushed: 0,
            engine,
            settings,
            now,
            random,
            catalog,
            replicas: BTreeMap::new(),
            names: BTreeMap::new(),
            peers,
            passed: BTreeMap::new(),
            arrivals: Default::default(),
            fans: BTreeMap::new(),
            dirty: BTreeSet::from([GroupId::CATALOG]),
            shipping: BTreeSet::new(),
            quiescence,
            unserved: BTreeSet::new(),
            outbox: Outbox::default(),
            confirming: Confirming::default(),
            wide: Wide::default(),
            unsynced: Unsynced::default(),
            turns: VecDeque::new(),
            turn: TurnId::default(),
            out: Vec::new(),
            reads: Vec::new(),
            figures: Figures::default(),
            due: Due::default(),
            untidy: BTreeSet::new(),
            shipped_last: GroupId::default(),
            closed_last: GroupId::default(),
            flushing: None,
            pressed: false,
            answers_full: false,
            answered_bytes: 0,
            dropped: false,
            #[cfg(feature = "observe")]
            closed_received: Vec::new(),
        };
        let me = &shard.settings.region;
        let here = shard.catalog.applied.tables.values().filter(|table| table.is_here(me));
        for table in here.cloned().collect::<Vec<_>>() {
            shard.open_table(&table)?;
        }
        if shard.is_shared(GroupId::CATALOG) {
            shard.quiescence.wake(GroupId::CATALOG);
        }
        shard.index_names();
        Ok(shard)
    }

    /// Opens the partitions of a table, making those that have no log.
    pub(crate) fn open_table(&mut self, table: &Table) -> Result<(), Error> {
        let mut batch = LogBatch::new();
        let me = self.settings.node;
        let mine = |group| table.seat_on(group, me);
        let mut made = BTreeSet::new();
        for group in table.partitions().map(|(group, _)| group).filter(|group| mine(*group).is_some()) {
            if self.engine.state(group, StateName::Configuration)?.is_none() {
                let state = load_state(&self.engine, group)?;
                if state.applied > 0 {
                    return Err(Error::LogLost { group, applied: state.applied });
                }
                let voters: Vec<_> = table.seats(group).iter().map(|seat| seat.replica).collect();
                consensus::create(group, &voters, &mut batch);
                made.insert(group);
            }
        }
        if !batch.is_empty() {
            self.engine.append(batch)?;
        }
        for (group, range) in table.partitions() {
            let Some(seat) = mine(group) else { continue };
            let mut replica = self.open_replica(table, group, range, seat)?;
            if made.contains(&group) && table.seats(group)[0] == seat {
                replica.eager = Eager::new();
            }
            self.replicas.insert(group, replica);
            if self.is_shared(group) {
                self.quiescence.wake(group);
            }
            self.unserved.insert(group);
            self.dirty.insert(group);
            self.shipping.insert(group);
        }
        Ok(())
    }

    fn open_replica(
        &mut self,
        table: &Table,
        group: GroupId,
        range: HashRange,
        seat: Seat,
    ) -> Result<Replica<E>, Error> {
        let home = self.home(table, group, range);
        let state = load_state(&self.engine, group)?;
        let raft =
            Group::open(self.engine.clone(), group, seat.replica, state.applied, None, &mut self.random)?;
        let overlay = Overlay::new(home.incarnation);
        let last_change = last_change(&self.engine, group)?;
        let ledger_entries = count(&self.engine, keys::ledger::hashes(home.table, range))?;
        let (term, closed) = (raft.term(), state.closed);
        // Its log begins with the first leader's own entry, and is never cut back to nothing.
        let established = raft.last_index() > consensus::BEGINNING;
        self.figures.ledger_entries += ledger_entries;
        Ok(Replica {
            group: raft,
            held: 0,
            seats: table.seats(group).to_vec(),
            home,
            state,
            overlay,
            term,
            led: false,
            waiting: BTreeMap::new(),
            shippers: BTreeMap::new(),
            last_change,
            closed,
            promised: Closing::default(),
            ledger_entries,
            eager: Eager::default(),
            established,
            tidied: 0,
            untidy: Untidy::UNKNOWN,
        })
    }

    /// What a partition knows of itself, as the catalog has it.
    pub(crate) fn home(&self, table: &Table, partition: GroupId, range: HashRange) -> Home {
        let me = &self.settings.region;
        let others = table.entry.copies.keys().filter(|region| *region != me);
        Home {
            partition,
            table: table.entry.id,
            key: table.entry.key.clone(),
            range,
            incarnation: table.entry.incarnation(me).expect("a copy that is here is confirmed"),
            others: others.filter_map(|region| table.entry.incarnation(region)).collect(),
            faults: self.settings.faults,
        }
    }

    /// Adds a shipper for each other life that has none, starting from its logged cursor. Only the leader
    /// ships, and only once it has applied what came before its term: a cursor or change still to be replayed
    /// would be counted twice.
    pub(crate) fn add_shippers(&mut self, group: GroupId) -> Result<(), Error> {
        let Some(replica) = self.replicas.get_mut(&group).filter(|replica| replica.decides()) else {
            return Ok(());
        };
        self.shipping.insert(group);
        for life in replica.home.others.clone() {
            if replica.shippers.contains_key(&life.region) {
                continue;
            }
            let cursor = load_cursor(&self.engine, replica.home.partition, life.region)?;
            let pending = pending(&self.engine, &replica.home, cursor)?;
            replica.shippers.insert(life.region, Shipper::new(life, cursor, pending));
        }
        Ok(())
    }
}

fn open_catalog<E: Engine>(
    engine: &E,
    settings: &Settings,
    random: &mut ChaCha8Rng,
) -> Result<CatalogReplica<E>, Error> {
    if engine.state(GroupId::CATALOG, StateName::Configuration)?.is_none() {
        let mut batch = LogBatch::new();
        let voters: Vec<_> = settings.nodes.iter().map(|node| node.0).collect();
        consensus::create(GroupId::CATALOG, &voters, &mut batch);
        engine.append(batch)?;
    }
    let seats = settings.nodes.iter().map(|node| Seat { node: *node, replica: node.0 }).collect();
    let state = load_state(engine, GroupId::CATALOG)?;
    let group = Group::open(engine.clone(), GroupId::CATALOG, settings.node.0, state.applied, None, random)?;
    let applied = region::update::load(engine, settings.region.clone(), settings.nodes.clone())?;
    Ok(CatalogReplica {
        term: group.term(),
        held: 0,
        group,
        seats,
        state,
        applied,
        in_flight: None,
        queue: VecDeque::new(),
    })
}

fn load_state(engine: &impl Engine, group: GroupId) -> Result<PartitionState, Error> {
    let stored = engine.get(&keys::partition::encode(group))?;
    Ok(stored.map(|bytes| PartitionState::decode(&bytes)).transpose()?.unwrap_or_default())
}

fn load_cursor(engine: &impl Engine, partition: GroupId, peer: RegionId) -> Result<u64, Error> {
    let stored = engine.get(&keys::cursor::Key { partition, peer }.encode())?;
    Ok(stored.map(|bytes| keys::Cursor::decode(&bytes)).transpose()?.map_or(0, |cursor| cursor.index))
}

/// The index of the newest change; one that another region made does no harm.
fn last_change(engine: &impl Engine, partition: GroupId) -> Result<u64, Error> {
    let (from, to) = keys::change::partition(partition);
    let mut newest = None;
    let bounds = (std::ops::Bound::Included(&from[..]), std::ops::Bound::Excluded(&to[..]));
    engine.scan(bounds.0, bounds.1, Direction::Backward, &mut |key, _| {
        newest = Some(keys::change::Key::decode(key));
        std::ops::ControlFlow::Break(())
    })?;
    Ok(newest.transpose()?.map_or(0, |key| key.index))
}

fn pending(engine: &impl Engine, home: &Home, cursor: u64) -> Result<Pending, Error> {
    let mut pending = Pending::default();
    let bounds = keys::change::indices(home.partition, cursor + 1, u64::MAX);
    each(engine, &bounds, |_, value| {
        let change = keys::Change::decode(value)?;
        if change.maker == home.incarnation {
            pending.changes += 1;
            pending.bytes += u64::from(change.bytes);
        }
        Ok(true)
    })?;
    Ok(pending)
}

fn count(engine: &impl Engine, bounds: keys::Bounds) -> Result<u64, Error> {
    let mut count = 0;
    each(engine, &bounds, |_, _| {
        count += 1;
        Ok(true)
    })?;
    Ok(count)
}
