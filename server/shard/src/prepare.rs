//! What a disk holds of a replica that the catalog says is here, and making what it lacks.

use region::nodes::FIRST_REPLICA;
use region::{Seat, Table};
use storage::engine::StateName;
use storage::log::LogWrite;
use storage::{Engine, LogBatch};
use types::{GroupId, HashRange, Planted};

use crate::open::load_state;
use crate::{Error, Shard, fetch};

/// What a disk holds of a replica that the catalog says is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// Its log.
    Log,
    /// Nothing: its log was made.
    Made,
    /// Nothing that can be opened yet: it is born when its parent is split here, or comes once what has its
    /// hashes here is gone; or this is the log of a replica that came after it, and the catalog's own log
    /// will tell how.
    Later,
}

impl<E: Engine> Shard<E> {
    /// Looks for a replica's log and makes one where there is none, or only that of one that was here before.
    /// A replica that its group was made with begins like the others; one that came later is given data, and
    /// never before what has its hashes here is gone (`P6`).
    pub(crate) fn prepare(
        &self,
        table: &Table,
        (group, range): (GroupId, HashRange),
        seat: Seat,
        batch: &mut LogBatch,
    ) -> Result<Found, Error> {
        let is_child = table.parent(group).is_some();
        if self.engine.state(group, StateName::Configuration)?.is_some() {
            let stored = self.engine.state(group, StateName::Replica)?;
            let stored = stored.and_then(|bytes| bytes.try_into().ok());
            match stored.map_or(seat.replica, u64::from_be_bytes) {
                // A crash took back what its birth wrote, and its parent's log brings that again.
                there if there == seat.replica && is_child && self.is_unborn(group)? => {
                    return Ok(Found::Later);
                }
                there if there == seat.replica => return Ok(Found::Log),
                there if there > seat.replica => return Ok(Found::Later),
                _ => batch.push(LogWrite::Remove { group }),
            }
        }
        if is_child || seat.replica >= FIRST_REPLICA {
            if self.is_covered(table, range) && !self.settings.faults.has(Planted::KeepOldRange) {
                return Ok(Found::Later);
            }
            consensus::join(group, batch);
        } else {
            let state = load_state(&self.engine, group)?;
            if state.applied > 0 {
                return Err(Error::LogLost { group, applied: state.applied });
            }
            let voters: Vec<_> = table.seats(group).iter().map(|seat| seat.replica).collect();
            consensus::create(group, &voters, batch);
        }
        let value = seat.replica.to_be_bytes().to_vec();
        batch.push(LogWrite::State { group, name: StateName::Replica, value });
        Ok(Found::Made)
    }

    fn is_unborn(&self, group: GroupId) -> Result<bool, Error> {
        let fetched = self.engine.state(group, StateName::Restored)?.is_some();
        let void = fetch::void(&self.engine, group)?.is_some();
        Ok(!fetched && !void && load_state(&self.engine, group)?.applied == 0)
    }

    /// Whether a replica here has any of a range's hashes.
    fn is_covered(&self, table: &Table, range: HashRange) -> bool {
        let replicas = self.replicas.values().map(|replica| &replica.home);
        let homes = replicas.chain(self.arriving.values().map(|arriving| &arriving.home));
        homes.filter(|home| home.table == table.entry.id).any(|home| home.range.overlaps(&range))
    }

    /// Opens the replicas that could not be opened before, as far as they can be.
    pub(crate) fn open_later(&mut self) -> Result<(), Error> {
        for group in std::mem::take(&mut self.later) {
            let table = self.catalog.applied.table_of(group).cloned();
            if let Some(table) = table
                && let Some(range) = table.range(group)
            {
                self.open_seated(&table, group, range)?;
            }
        }
        Ok(())
    }
}
