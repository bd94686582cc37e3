//! Splits: the catalog says which partition is to be split, and where; its leader puts that into its log, and
//! every replica divides itself when it applies it.
//!
//! The child's raft state is durable before anything of the split is, and before its first message: whoever
//! finds it after a crash goes on from it, and nothing is overwritten (`P6`). Behind the entry the parent's
//! leader decides nothing for the hashes that it gives away (`P2`).

use consensus::Point;
use partition::effect::{Effect, Step};
use partition::split::{self, Child};
use region::seat;
use storage::engine::StateName;
use storage::keys;
use storage::log::LogWrite;
use storage::{Batch, Engine, LogBatch};
use types::{GroupId, KeyHash, Planted, limits};

use crate::data::Data;
use crate::load::Meter;
use crate::open::{count, open_group, pending};
use crate::replica::{Eager, Untidy};
use crate::reseat::is_as_wanted;
use crate::{Error, Shard, fetch};

/// A split that is committed and to be carried out, and the entry that says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split {
    pub parent: GroupId,
    pub child: GroupId,
    pub at: KeyHash,
    pub index: u64,
    pub term: u64,
}

impl<E: Engine> Shard<E> {
    /// Proposes the splits that the catalog wants of partitions that are led here.
    pub(crate) fn propose_splits(&mut self) -> Result<(), Error> {
        let tables = self.catalog.applied.here();
        let wanted = tables.flat_map(|table| table.children.waiting());
        let wanted: Vec<_> = wanted.map(|(child, of)| (of.parent, child, of.first)).collect();
        for (parent, child, at) in wanted {
            if !self.can_split(parent, at)? {
                continue;
            }
            let replica = self.replicas.get_mut(&parent).expect("it can be split");
            let effect = Effect { steps: vec![Step::Split { at, child }] };
            // A refused proposal is made again.
            if replica.propose(effect).is_ok() {
                self.dirty.insert(parent);
            }
        }
        Ok(())
    }

    /// Whether a partition is led here, was not split there yet, and can be: its members are as the catalog
    /// wants them and none comes or goes (`P6`), and it has not too much to move.
    fn can_split(&self, parent: GroupId, at: KeyHash) -> Result<bool, Error> {
        let Some(replica) = self.replicas.get(&parent).filter(|replica| replica.decides()) else {
            return Ok(false);
        };
        if !replica.home.range.contains(at) || replica.overlay.split().is_some() {
            return Ok(false);
        }
        let settled = is_as_wanted(&replica.group.members(), &seat::voters(&replica.seats));
        if !settled || replica.group.changes() {
            return Ok(false);
        }
        Ok(!split::is_too_much(&self.engine, &replica.home, limits::SPLIT_LOOKED_MAX)?)
    }

    /// Carries out a split, in its place among the parent's entries. The writes of the entries before it are
    /// written first, since what is moved is read.
    pub(crate) fn carry_out_split(&mut self, split: Split, before: Batch) -> Result<(), Error> {
        self.engine.write(before)?;
        let replica = self.replicas.get_mut(&split.parent).expect("it applies its own entry");
        let (me, led) = (replica.group.replica(), replica.group.is_leader());
        let (members, seats) = (replica.group.members(), replica.seats.clone());
        let wanted = self.catalog.applied.table_of(split.child);
        // Whoever has lost its seat, or was given another replica instead, does not come to life.
        let wanted = wanted.map(|table| table.seats(split.child).to_vec());
        let seated = |seats: &Vec<_>| seats.iter().any(|seat: &region::Seat| seat.replica == me);
        let is_born = wanted.as_ref().is_none_or(seated);
        if is_born {
            let point = Point { index: split.index, term: split.term, members };
            self.begin_log(split.child, me, &point)?;
        }
        let mut writes = Batch::new();
        let Child { home, state } = self.divide(split, &mut writes)?;
        let data = fetch::data(&home);
        match is_born {
            true => writes.put(keys::partition::encode(split.child), state.encode()),
            false => data.destroy(&mut writes),
        }
        self.engine.write(writes)?;
        self.narrowed(split.parent)?;
        if is_born {
            self.bear(data, home, wanted.unwrap_or(seats), me, led)?;
        }
        self.figures.partitions_split += 1;
        Ok(())
    }

    /// Makes the child's log and has it durable; one that is there already stands (`P6`).
    fn begin_log(&mut self, child: GroupId, replica: u64, point: &Point) -> Result<(), Error> {
        let there = self.engine.state(child, StateName::Configuration)?.is_some();
        if there && !self.settings.faults.has(Planted::OverwriteChild) {
            return Ok(());
        }
        let mut log = LogBatch::new();
        if there {
            log.push(LogWrite::Remove { group: child });
        }
        consensus::begin(child, point, &mut log);
        let value = replica.to_be_bytes().to_vec();
        log.push(LogWrite::State { group: child, name: StateName::Replica, value });
        self.engine.append(log)?;
        Ok(self.engine.sync()?)
    }

    fn divide(&mut self, split: Split, writes: &mut Batch) -> Result<Child, Error> {
        let Split { parent, child, at, .. } = split;
        let replica = self.replicas.get_mut(&parent).expect("it applies its own entry");
        let divided = split::divide(&self.engine, &mut replica.home, &mut replica.state, at, child, writes)?;
        writes.put(keys::partition::encode(parent), replica.state.encode());
        if self.settings.faults.has(Planted::LeaveChanges) {
            let (from, to) = keys::change::partition(child);
            writes.delete_range(from, to);
        }
        Ok(divided)
    }

    /// A partition has fewer hashes than before: what is counted of it is counted again, and shipping begins
    /// again from its cursors, since what was under way may be the child's.
    fn narrowed(&mut self, group: GroupId) -> Result<(), Error> {
        let replica = self.replicas.get_mut(&group).expect("it was divided");
        let entries = count(&self.engine, keys::ledger::hashes(replica.home.table, replica.home.range))?;
        self.figures.ledger_entries = self.figures.ledger_entries + entries - replica.ledger_entries;
        (replica.ledger_entries, replica.untidy) = (entries, Untidy::UNKNOWN);
        replica.meter = Meter::default();
        let shippers = replica.shippers.iter();
        let cursors: Vec<_> = shippers.map(|(peer, shipper)| (*peer, shipper.cursor())).collect();
        let home = replica.home.clone();
        for (peer, cursor) in cursors {
            let pending = pending(&self.engine, &home, cursor)?;
            self.with_shipper(group, peer, |shipper| shipper.begin_again(pending));
        }
        self.shipping.insert(group);
        Ok(())
    }

    /// Opens a child that was born. Where the parent is led, it stands at once: nobody else is nearer to it.
    fn bear(
        &mut self,
        data: Data,
        home: partition::Home,
        seats: Vec<region::Seat>,
        me: u64,
        led: bool,
    ) -> Result<(), Error> {
        let group = home.partition;
        let opened = open_group(&self.engine, data, me, &mut self.random)?;
        // None where its group went on without it meanwhile: then the catalog will say so.
        let Some((raft, None)) = opened else { return Ok(()) };
        let mut replica = self.replica(raft, home, seats.clone())?;
        if led {
            replica.eager = Eager::new();
        }
        self.take_up(replica);
        self.note_seats(group, &seats);
        self.due.reseat_ns = 0;
        Ok(())
    }
}
