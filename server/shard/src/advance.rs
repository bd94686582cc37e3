//! Driving raft: what it wants appended goes to the log, what it has committed is applied, and whoever waited
//! is told.
//!
//! All groups of a turn share one append and one batch of writes; nobody is told before that batch is
//! written.

use partition::effect::{Effect, Step};
use region::{Table, Update};
use storage::keys;
use storage::log::LogWrite;
use storage::{Batch, Engine, LogBatch};
use types::{GroupId, Planted, limits};

use consensus::{Committed, Group};
use partition::Home;
use storage::engine::StateName;

use crate::data::Data;
use crate::open::NODE;
use crate::replica::{Closing, Replica};
use crate::split::Split;
use crate::waiter::{CatalogWaiter, Waiter};
use crate::{Error, Shard, fetch};

/// What an application owes once its batch is written.
#[derive(Default)]
struct Owed {
    waiters: Vec<Waiter>,
    catalog: Vec<CatalogWaiter>,
    updates: Vec<(Option<Table>, Option<Table>)>,
    deciding: Vec<GroupId>,
    /// Data of what was dropped, or has no seat here any more.
    given_up: Vec<Data>,
    /// Whether the catalog's members, or the region's nodes, are others.
    members: bool,
}

impl<E: Engine> Shard<E> {
    /// Appends what the turn proposed, the clock's ceiling before it, and tells whether a sync is needed.
    pub(crate) fn append(&mut self) -> Result<bool, Error> {
        let mut batch = LogBatch::new();
        if let Some(ceiling) = self.clock.raise_ceiling() {
            let value = ceiling.as_u64().to_be_bytes().to_vec();
            batch.push(LogWrite::State { group: NODE, name: StateName::ClockCeiling, value });
            self.unsynced.ceiling = Some(ceiling);
        }
        self.advance_groups(&mut batch)?;
        self.mark_void(&mut batch);
        if !batch.is_empty() {
            self.engine.append(batch)?;
        }
        let unsynced = &self.unsynced;
        let sync = !unsynced.numbers.is_empty() || unsynced.ceiling.is_some() || !unsynced.voided.is_empty();
        if sync {
            let mut unsynced = std::mem::take(&mut self.unsynced);
            unsynced.id = self.turn;
            self.turns.push_back(unsynced);
        }
        Ok(sync)
    }

    /// Lets raft work through every group that may want something. What it wants appended is added to the
    /// batch; what it has committed is applied.
    pub(crate) fn advance_groups(&mut self, log: &mut LogBatch) -> Result<(), Error> {
        let mut writes = Batch::new();
        let mut owed = Owed::default();
        for group in std::mem::take(&mut self.dirty) {
            // Before anything is applied: what another leader put at an index is not what was waited for
            // there.
            self.notice_term(group);
            while let Some((raft, random)) = self.group_and_random(group) {
                let Some(ready) = raft.ready(log)? else {
                    // Only once everything known to be committed is applied, so that it is read piece by
                    // piece.
                    if raft.is_leader() || !raft.is_single_voter() {
                        break;
                    }
                    raft.campaign(random);
                    continue;
                };
                if let Some(number) = ready.sync {
                    self.unsynced.numbers.push((group, number));
                }
                if ready.restored.is_some() {
                    let number = ready.sync.expect("a log that begins anew is synced");
                    self.mark_restored(group, number, log);
                }
                self.post(group, ready.messages);
                self.tell_lacking(group, &ready.lacking);
                self.apply(group, &ready.committed, &mut writes, &mut owed)?;
                if writes.bytes() >= limits::APPLY_BYTES_MAX && owed.given_up.is_empty() {
                    self.engine.write(std::mem::take(&mut writes))?;
                }
            }
            self.notice_term(group);
            self.stir(group);
            self.note_served(group);
            if let Some(replica) = self.replicas.get_mut(&group) {
                // A leader's own first entry is behind whatever was applied.
                replica.established |= replica.decides() || replica.state.applied > consensus::BEGINNING;
                if replica.decides() && !replica.ships() {
                    owed.deciding.push(group);
                }
            }
        }
        // Behind everything that the dropped partitions' logs may have replayed.
        if !self.settings.faults.has(Planted::KeepOldRange) {
            owed.given_up.iter().for_each(|data| data.destroy(&mut writes));
        }
        if !writes.is_empty() {
            self.engine.write(writes)?;
        }
        self.settle(owed)
    }

    fn apply(
        &mut self,
        group: GroupId,
        committed: &[Committed],
        writes: &mut Batch,
        owed: &mut Owed,
    ) -> Result<(), Error> {
        let Some(last) = committed.last() else { return Ok(()) };
        if group == GroupId::CATALOG {
            if self.catalog.fetch.is_some() {
                return Ok(());
            }
            for entry in committed {
                if let Some(change) = &entry.change {
                    let members = self.catalog.group.apply_change(change, &mut self.random);
                    writes.put(keys::members::encode(group), members.encode());
                    owed.members = true;
                }
                self.apply_update(entry, writes, owed)?;
            }
            self.catalog.group.applied(last.index);
            writes.put(keys::partition::encode(group), self.catalog.state.encode());
        } else if self.replicas.contains_key(&group) {
            for entry in committed {
                self.apply_entry(group, entry, writes, owed)?;
            }
            let replica = self.replicas.get_mut(&group).expect("seen above");
            replica.group.applied(last.index);
            writes.put(keys::partition::encode(group), replica.state.encode());
            if replica.last_change >= committed[0].index {
                self.shipping.insert(group);
            }
        }
        Ok(())
    }

    fn apply_entry(
        &mut self,
        group: GroupId,
        entry: &Committed,
        writes: &mut Batch,
        owed: &mut Owed,
    ) -> Result<(), Error> {
        let replica = self.replicas.get_mut(&group).expect("called for one that is here");
        if let Some(change) = &entry.change {
            let members = replica.group.apply_change(change, &mut self.random);
            replica.changed = entry.index;
            writes.put(keys::members::encode(group), members.encode());
        }
        let applied = apply_effect(replica, entry, writes)?;
        self.figures.ledger_entries += applied.ledgered;
        self.figures.tombstones_collected += applied.collected;
        if let Some((at, child)) = applied.split {
            let (index, term) = (entry.index, entry.term);
            // What is given up goes with what said so.
            owed.given_up.iter().for_each(|data| data.destroy(writes));
            let split = Split { parent: group, child, at, index, term };
            self.carry_out_split(split, std::mem::take(writes))?;
        }
        let replica = self.replicas.get_mut(&group).expect("seen above");
        release(replica, entry.index, owed);
        Ok(())
    }

    fn apply_update(&mut self, entry: &Committed, writes: &mut Batch, owed: &mut Owed) -> Result<(), Error> {
        let unreadable = |_| Error::Entry { group: GroupId::CATALOG, index: entry.index };
        if !entry.data.is_empty() {
            let update = Update::decode(&entry.data).map_err(unreadable)?;
            update.store(writes);
            owed.members |= update.nodes.is_some();
            let changed = update.table.as_ref().map(|table| table.entry.id);
            let find = |shard: &Self| changed.and_then(|id| shard.catalog.applied.tables.get(&id).cloned());
            let before = find(self);
            update.apply(&mut self.catalog.applied);
            let after = find(self);
            if let Some(after) = &after {
                owed.given_up.extend(self.give_up(before.as_ref(), after));
            }
            owed.updates.push((before, after));
        }
        self.catalog.unplanned = true;
        self.catalog.state.applied = entry.index;
        self.catalog.state.applied_term = entry.term;
        if let Some((index, waiter)) = self.catalog.in_flight.take() {
            match index == entry.index {
                true => owed.catalog.push(waiter),
                false => self.catalog.in_flight = Some((index, waiter)),
            }
        }
        Ok(())
    }

    /// Carries out what applying owes: tables are opened and closed, whoever waited is told.
    fn settle(&mut self, owed: Owed) -> Result<(), Error> {
        for group in owed.deciding {
            self.add_shippers(group)?;
        }
        if owed.members {
            self.know_nodes();
        }
        let changed = !owed.updates.is_empty();
        for (before, after) in owed.updates {
            self.follow(before, after)?;
        }
        if changed {
            self.index_names();
            self.due.gossip_ns = 0;
            self.restart_paused();
        }
        owed.waiters.into_iter().for_each(|waiter| self.tell(waiter));
        owed.catalog.into_iter().for_each(|waiter| self.tell_catalog(waiter));
        self.scan_what_is_ready()
    }

    /// Opens and closes the partitions that an update made or dropped.
    pub(crate) fn follow(&mut self, before: Option<Table>, after: Option<Table>) -> Result<(), Error> {
        let Some(after) = after else { return Ok(()) };
        let was_here = before.as_ref().is_some_and(|table| table.is_here(&self.settings.region));
        if !after.is_here(&self.settings.region) {
            if let Some(before) = before.filter(|_| was_here) {
                self.close(&before);
            }
            return Ok(());
        }
        if !was_here {
            return self.open_table(&after);
        }
        let (me, before) = (self.settings.node, before.expect("it was here"));
        // Most updates only move replicas; what partitions know of their table stays as it is then.
        let is_other = before.entry != after.entry;
        for (group, range) in after.partitions() {
            let (had, has) = (before.seat_on(group, me), after.seat_on(group, me));
            if had.is_none() {
                self.close_stray(group, has.map(|seat| seat.replica))?;
            }
            if had.map(|seat| seat.replica) != has.map(|seat| seat.replica) {
                if had.is_some() {
                    self.close_group(group);
                }
                self.open_seated(&after, group, range)?;
                continue;
            }
            if is_other {
                self.set_home(group, self.home(&after, group, range))?;
            }
            let same = before.seats(group) == after.seats(group)
                && before.is_unsettled(group) == after.is_unsettled(group);
            if !same {
                self.note_seats(group, after.seats(group));
            }
        }
        if after.children.waiting().next().is_some() {
            self.due.reseat_ns = 0;
        }
        Ok(())
    }

    /// Closes and destroys a replica that was born here before the catalog told of it, if by now the catalog,
    /// whose data came from another node, has given its seat away.
    fn close_stray(&mut self, group: GroupId, seated: Option<u64>) -> Result<(), Error> {
        let strays = |replica: &&Replica<E>| Some(replica.group.replica()) != seated;
        if let Some(data) = self.replicas.get(&group).filter(strays).map(Replica::data) {
            let mut writes = Batch::new();
            data.destroy(&mut writes);
            self.engine.write(writes)?;
            self.close_group(group);
        }
        Ok(())
    }

    /// A partition knows something else of its table. Its range changes only when it is split.
    pub(crate) fn set_home(&mut self, group: GroupId, home: Home) -> Result<(), Error> {
        if let Some(arriving) = self.arriving.get_mut(&group) {
            arriving.home = Home { range: arriving.home.range, ..home };
        } else if let Some(replica) = self.replicas.get_mut(&group) {
            replica.home = Home { range: replica.home.range, ..home };
            self.add_shippers(group)?;
        }
        Ok(())
    }

    /// The data that an update of a table gives up here: all of them, or those of replicas that lose their
    /// seats. They are destroyed in the batch that applies it: a crash in between replays both.
    pub(crate) fn give_up(&self, before: Option<&Table>, after: &Table) -> Vec<Data> {
        let (region, me) = (&self.settings.region, self.settings.node);
        let Some(before) = before.filter(|table| table.is_here(region)) else { return Vec::new() };
        let replica = |table: &Table, group| {
            table.seat_on(group, me).filter(|_| table.is_here(region)).map(|seat| seat.replica)
        };
        let lost =
            |group| replica(before, group).is_some() && replica(before, group) != replica(after, group);
        // One that was never opened has nothing here that is its own.
        let lost = |group: &GroupId| lost(*group) && !self.later.contains(group);
        let partitions = before.partitions().filter(|(group, _)| lost(group));
        let data = |(group, range)| {
            let arriving = self.arriving.get(&group).map(|arriving| &arriving.home);
            match self.replicas.get(&group).map(|replica| &replica.home).or(arriving) {
                Some(home) => fetch::data(home),
                None => Data::Partition { table: before.entry.id, group, root: before.root(group), range },
            }
        };
        partitions.map(data).collect()
    }

    /// Closes a table's partitions.
    fn close(&mut self, table: &Table) {
        table.partitions().for_each(|(group, _)| self.close_group(group));
        self.passed.remove(&table.entry.id);
    }

    /// Closes a partition; who still waits learns that nobody knows. Its log goes once a flush covers that
    /// its data are gone.
    fn close_group(&mut self, group: GroupId) {
        self.dropped = true;
        self.quiescence.forget(group);
        self.reseating.note(group, false);
        self.later.remove(&group);
        self.arriving.remove(&group);
        self.supplies.retain(|(supplied, _), _| *supplied != group);
        self.take_down(group);
    }

    /// Takes a replica out of service, for whatever reason; who waits learns that nobody knows.
    pub(crate) fn take_down(&mut self, group: GroupId) -> Option<(Group<E>, Home)> {
        let replica = self.replicas.remove(&group)?;
        self.shipping.remove(&group);
        self.unserved.remove(&group);
        self.figures.ledger_entries -= replica.ledger_entries;
        for shipper in replica.shippers.values() {
            self.count_flight(shipper.peer(), shipper.bytes_in_flight(), 0);
        }
        replica.waiting.into_values().flatten().for_each(|waiter| self.tell_unknown(waiter));
        self.unconfirmed(group);
        Some((replica.group, replica.home))
    }

    /// Notes whether somebody can be expected to decide for a partition. It changes only with what raft did.
    fn note_served(&mut self, group: GroupId) {
        match self.replicas.get(&group) {
            Some(replica) if !replica.is_served() => drop(self.unserved.insert(group)),
            _ => drop(self.unserved.remove(&group)),
        }
    }

    /// Drops the overlay when term or role changed: what was in flight may or may not come (`P2`, `P3`).
    fn notice_term(&mut self, group: GroupId) {
        if group == GroupId::CATALOG {
            return self.notice_catalog_term();
        }
        let Some(replica) = self.replicas.get_mut(&group) else { return };
        let (term, leads) = (replica.group.term(), replica.group.is_leader());
        if (replica.term, replica.led) == (term, leads) {
            return;
        }
        (replica.term, replica.led) = (term, leads);
        if !replica.home.faults.has(Planted::KeepOverlay) {
            replica.overlay = partition::Overlay::new(replica.home.incarnation);
        }
        replica.promised = Closing::default();
        let waiting = std::mem::take(&mut replica.waiting);
        // Only a leader ships, and another's cursors may have moved on.
        for shipper in std::mem::take(&mut replica.shippers).into_values() {
            self.count_flight(shipper.peer(), shipper.bytes_in_flight(), 0);
        }
        waiting.into_values().flatten().for_each(|waiter| self.tell_unknown(waiter));
        self.unconfirmed(group);
    }

    fn notice_catalog_term(&mut self) {
        if self.catalog.term == self.catalog.group.term() && self.catalog.group.is_leader() {
            return;
        }
        self.catalog.term = self.catalog.group.term();
        if let Some((_, waiter)) = self.catalog.in_flight.take() {
            self.tell_catalog_unknown(waiter);
        }
        if !self.catalog.group.is_leader() && self.is_shared(GroupId::CATALOG) {
            self.refuse_queue();
        }
    }
}

fn apply_effect<E: Engine>(
    replica: &mut Replica<E>,
    entry: &Committed,
    writes: &mut Batch,
) -> Result<partition::apply::Applied, Error> {
    let (index, term) = (entry.index, entry.term);
    if entry.data.is_empty() {
        replica.state.applied = index;
        replica.state.applied_term = term;
        return Ok(Default::default());
    }
    let effect = effect(replica, entry)?;
    for step in &effect.steps {
        #[cfg(feature = "observe")]
        if let Step::Record { place, .. } = step {
            assert!(replica.home.range.contains(place.hash), "a write is its own partition's (`P2`)");
        }
        note(replica, index, step);
    }
    let applied = partition::apply(&replica.home, index, term, &effect, &mut replica.state, writes);
    replica.ledger_entries += applied.ledgered;
    Ok(applied)
}

/// What an entry carries: as this leader decided it, if it did in the entry's own term, or else decoded.
fn effect<E: Engine>(replica: &mut Replica<E>, entry: &Committed) -> Result<Effect, Error> {
    let flying = match entry.term == replica.term {
        true => replica.overlay.take(entry.index),
        false => None,
    };
    match flying {
        Some(effect) => {
            #[cfg(feature = "observe")]
            assert_eq!(effect.encode(), entry.data, "the log carries what was decided");
            Ok(effect)
        }
        None => {
            let (group, index) = (replica.home.partition, entry.index);
            Effect::decode(&entry.data).map_err(|_| Error::Entry { group, index })
        }
    }
}

/// Keeps what the replica remembers outside the key space.
fn note<E: Engine>(replica: &mut Replica<E>, index: u64, step: &Step) {
    match step {
        Step::Record { place, record, made: Some(made) } => {
            replica.untidy.changes = true;
            replica.untidy.tombstones |= record.is_tombstone();
            if made.maker == replica.home.incarnation {
                replica.last_change = index;
                let bytes = record.body.as_ref().map_or(0, Vec::len) + place.key.len();
                replica.shippers.values_mut().for_each(|shipper| shipper.made(bytes as u64));
            }
        }
        Step::Remember { .. } => replica.untidy.outcomes = true,
        Step::Cursor { peer, index } => {
            if let Some(shipper) = replica.shippers.get_mut(peer) {
                shipper.set_logged(*index);
            }
        }
        _ => {}
    }
}

fn release<E: Engine>(replica: &mut Replica<E>, index: u64, owed: &mut Owed) {
    while let Some(entry) = replica.waiting.first_entry().filter(|entry| *entry.key() <= index) {
        owed.waiters.extend(entry.remove());
    }
}
