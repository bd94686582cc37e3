//! Starting a shard from what its engine holds.
//!
//! The catalog says which partitions exist; each replays its log from its applied index. A partition without
//! a log was created by an update whose first append a crash took back: it never held anything, and is made
//! again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use consensus::{Group, Members};
use global::ship::{Pending, Shipper};
use partition::{Home, Overlay};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use region::{Catalog, Nodes, Seat, Table};
use storage::engine::{StateName, each};
use storage::keys::{self, PartitionState};
use storage::{Batch, Direction, Engine, LogBatch};
use types::{GroupId, HashRange, HybridTime, Now, RegionId};

use crate::confirm::Confirming;
use crate::data::Data;
use crate::fetch::{self, Arriving, Fetch};
use crate::housekeeping::any;
use crate::nodes::Outbox;
use crate::peer::Peer;
use crate::prepare::Found;
use crate::quiescence::Quiescence;
use crate::replica::{Closing, Eager, Replica, Untidy};
use crate::reseat::Reseating;
use crate::shard::{CatalogReplica, Due, Unsynced};
use crate::wide::Wide;
use crate::{Clock, Error, Figures, FirstStart, Settings, Shard, TurnId, identity};

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
            arriving: BTreeMap::new(),
            later: BTreeSet::new(),
            supplies: BTreeMap::new(),
            reseating: Reseating::default(),
            voiding: BTreeSet::new(),
            members_known: Vec::new(),
            members_told: None,
            names: BTreeMap::new(),
            peers,
            passed: BTreeMap::new(),
            arrivals: Default::default(),
            fans: BTreeMap::new(),
            dirty: BTreeSet::from([GroupId::CATALOG]),
            shipping: BTreeSet::new(),
            quiescence: Quiescence::default(),
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
            storage: Default::default(),
            overview: Default::default(),
            answers_full: false,
            answered_bytes: 0,
            dropped: false,
            #[cfg(feature = "observe")]
            closed_received: Vec::new(),
        };
        shard.drop_retired()?;
        shard.know_nodes();
        shard.open_tables()?;
        Ok(shard)
    }

    /// Drops what earlier builds kept and this one does not read.
    fn drop_retired(&self) -> Result<(), Error> {
        if any(&self.engine, keys::retired())? {
            let ((from, to), mut writes) = (keys::retired(), Batch::new());
            writes.delete_range(from, to);
            self.engine.write(writes)?;
        }
        Ok(())
    }

    /// Opens everything that the catalog says is here.
    fn open_tables(&mut self) -> Result<(), Error> {
        for table in self.catalog.applied.here().cloned().collect::<Vec<_>>() {
            self.open_table(&table)?;
        }
        self.index_names();
        Ok(())
    }

    /// The catalog's data have come and are in place: what it says now is followed from what it said before.
    pub(crate) fn open_fetched_catalog(&mut self, state: PartitionState) -> Result<(), Error> {
        (self.catalog.state, self.catalog.fetch) = (state, None);
        let after = load_catalog(&self.engine, &self.settings)?;
        let before = std::mem::replace(&mut self.catalog.applied, after.clone());
        self.know_nodes();
        let mut writes = Batch::new();
        for (table, after) in &after.tables {
            self.give_up(before.tables.get(table), after).iter().for_each(|data| data.destroy(&mut writes));
        }
        self.engine.write(writes)?;
        for (table, after) in after.tables {
            self.follow(before.tables.get(&table).cloned(), Some(after))?;
        }
        self.index_names();
        self.due.gossip_ns = 0;
        self.restart_paused();
        Ok(())
    }

    /// Opens the partitions of a table that have a seat here, making those that have no log: first all that
    /// the copy was made with, in one append, then what was taken from them.
    pub(crate) fn open_table(&mut self, table: &Table) -> Result<(), Error> {
        let me = self.settings.node;
        let mine = |(group, range)| Some((group, range, table.seat_on(group, me)?));
        let mine = table.partitions().filter_map(mine);
        let (children, made): (Vec<_>, Vec<_>) = mine.partition(|(group, ..)| table.parent(*group).is_some());
        let mut batch = LogBatch::new();
        let mut found = Vec::new();
        for (group, range, seat) in &made {
            found.push(self.prepare(table, (*group, *range), *seat, &mut batch)?);
        }
        if !batch.is_empty() {
            self.engine.append(batch)?;
        }
        for ((group, range, seat), found) in made.into_iter().zip(found) {
            self.open_seat(table, (group, range), seat, found)?;
        }
        for (group, range, _) in children {
            self.open_seated(table, group, range)?;
        }
        Ok(())
    }

    /// Opens one partition that has a seat here, if it is not open.
    pub(crate) fn open_seated(
        &mut self,
        table: &Table,
        group: GroupId,
        range: HashRange,
    ) -> Result<(), Error> {
        let Some(seat) = table.seat_on(group, self.settings.node) else { return Ok(()) };
        if self.group_mut(group).is_some() {
            // It was born before the catalog told of it.
            self.set_home(group, self.home(table, group, range))?;
            self.note_seats(group, table.seats(group));
            return Ok(());
        }
        let mut batch = LogBatch::new();
        let found = self.prepare(table, (group, range), seat, &mut batch)?;
        if !batch.is_empty() {
            self.engine.append(batch)?;
        }
        self.open_seat(table, (group, range), seat, found)
    }

    fn open_seat(
        &mut self,
        table: &Table,
        (group, range): (GroupId, HashRange),
        seat: Seat,
        found: Found,
    ) -> Result<(), Error> {
        if found == Found::Later {
            self.later.insert(group);
            return Ok(());
        }
        let home = self.home(table, group, self.range_here(table, group, range)?);
        let seats = table.seats(group).to_vec();
        let Some((raft, fetch)) =
            open_group(&self.engine, fetch::data(&home), seat.replica, &mut self.random)?
        else {
            // Its group went on without it, and the catalog will say so.
            return Ok(());
        };
        if let Some(fetch) = fetch {
            self.arriving.insert(group, Arriving { group: raft, home, seats: seats.clone(), fetch });
            self.dirty.insert(group);
        } else {
            let mut replica = self.replica(raft, home, seats.clone())?;
            if found == Found::Made && seats[0] == seat {
                replica.eager = Eager::new();
            }
            self.take_up(replica);
        }
        self.note_seats(group, &seats);
        Ok(())
    }

    /// The range that a partition's data have here: what the catalog says may not have reached them yet, or
    /// they may be ahead of it.
    fn range_here(&self, table: &Table, group: GroupId, range: HashRange) -> Result<HashRange, Error> {
        if fetch::void(&self.engine, group)?.is_some() {
            return Ok(fetch::void_range(&self.engine, group)?.unwrap_or(range));
        }
        let end = fetch::restored(&self.engine, group)?.and_then(|end| end.state.last);
        let set = load_state(&self.engine, group)?.last.or(end);
        let last = set.or(table.first_range(group).map(|range| range.last));
        Ok(HashRange { first: range.first, last: last.unwrap_or(range.last) })
    }

    /// A replica's data have come and are in place.
    pub(crate) fn open_fetched(&mut self, group: GroupId) -> Result<(), Error> {
        let arriving = self.arriving.remove(&group).expect("its data were fetched");
        let replica = self.replica(arriving.group, arriving.home, arriving.seats)?;
        self.take_up(replica);
        Ok(())
    }

    pub(crate) fn take_up(&mut self, replica: Replica<E>) {
        let group = replica.home.partition;
        self.replicas.insert(group, replica);
        self.unserved.insert(group);
        self.dirty.insert(group);
        self.shipping.insert(group);
    }

    /// A replica over the data that are here.
    pub(crate) fn replica(
        &mut self,
        raft: Group<E>,
        home: Home,
        seats: Vec<Seat>,
    ) -> Result<Replica<E>, Error> {
        let group = home.partition;
        let state = load_state(&self.engine, group)?;
        let overlay = Overlay::new(home.incarnation);
        let last_change = last_change(&self.engine, group)?;
        let ledger_entries = count(&self.engine, keys::ledger::hashes(home.table, home.range))?;
        let (term, closed) = (raft.term(), state.closed);
        // Its log begins with the first leader's own entry, and is never cut back to nothing.
        let established = raft.last_index() > consensus::BEGINNING;
        self.figures.ledger_entries += ledger_entries;
        Ok(Replica {
            group: raft,
            held: 0,
            changed: 0,
            seats,
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
            round: Default::default(),
            meter: Default::default(),
        })
    }

    /// What a partition knows of itself, as the catalog has it.
    pub(crate) fn home(&self, table: &Table, partition: GroupId, range: HashRange) -> Home {
        let me = &self.settings.region;
        let others = table.entry.copies.keys().filter(|region| *region != me);
        Home {
            partition,
            root: table.root(partition),
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
    let (catalog, node) = (GroupId::CATALOG, settings.node);
    if engine.state(catalog, StateName::Configuration)?.is_none() {
        let mut batch = LogBatch::new();
        let voters: Vec<_> = settings.nodes.iter().map(|node| node.0).collect();
        match settings.first_start {
            FirstStart::Joining => consensus::join(catalog, &mut batch),
            _ => consensus::create(catalog, &voters, &mut batch),
        }
        engine.append(batch)?;
    }
    let opened = open_group(engine, Data::Catalog, node.0, random)?;
    let (group, fetch) = opened.ok_or(Error::Removed { node })?;
    let state = load_state(engine, catalog)?;
    Ok(CatalogReplica {
        term: group.term(),
        held: 0,
        group,
        seats: Vec::new(),
        state,
        applied: load_catalog(engine, settings)?,
        in_flight: None,
        queue: VecDeque::new(),
        fetch,
        reported: BTreeMap::new(),
        led_since_ns: None,
        unplanned: true,
        loads: Default::default(),
    })
}

/// A replica's raft group, and how far its data are, if it has none.
type Opened<E> = (Group<E>, Option<Fetch>);

/// Opens a group's replica; and says that it must fetch data, if what is here is void. `None` if it is no
/// member any more.
pub(crate) fn open_group<E: Engine>(
    engine: &E,
    data: Data,
    replica: u64,
    random: &mut ChaCha8Rng,
) -> Result<Option<Opened<E>>, Error> {
    let (disk, group) = (engine.clone(), data.group());
    if let Some(members) = fetch::void(engine, group)? {
        let mut writes = Batch::new();
        data.destroy(&mut writes);
        engine.write(writes)?;
        let raft = Group::open_void(disk, group, replica, Some(&members), random)?;
        return Ok(Some((raft, Some(Fetch::default()))));
    }
    fetch::redo(engine, group)?;
    let members = load_members(engine, group)?;
    if members.as_ref().is_some_and(|members| !members.contains(replica)) {
        return Ok(None);
    }
    let applied = load_state(engine, group)?.applied;
    let raft = Group::open(disk, group, replica, applied, members.as_ref(), random)?;
    Ok(Some((raft, None)))
}

fn load_catalog(engine: &impl Engine, settings: &Settings) -> Result<Catalog, Error> {
    let nodes = Nodes::begun_with(&settings.nodes, &settings.addresses);
    Ok(region::update::load(engine, settings.region.clone(), nodes)?)
}

/// A group's members as of its data; none, if they never changed.
fn load_members(engine: &impl Engine, group: GroupId) -> Result<Option<Members>, Error> {
    let stored = engine.get(&keys::members::encode(group))?;
    Ok(stored.map(|bytes| Members::decode(&bytes)).transpose()?)
}

pub(crate) fn load_state(engine: &impl Engine, group: GroupId) -> Result<PartitionState, Error> {
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

pub(crate) fn pending(engine: &impl Engine, home: &Home, cursor: u64) -> Result<Pending, Error> {
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

pub(crate) fn count(engine: &impl Engine, bounds: keys::Bounds) -> Result<u64, Error> {
    let mut count = 0;
    each(engine, &bounds, |_, _| {
        count += 1;
        Ok(true)
    })?;
    Ok(count)
}
