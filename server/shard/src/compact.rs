//! Keeping the log short: the key space is flushed, then the log is cut at what the flush covers.
//!
//! The log is only ever cut up to the *flushed* index: what was applied and not flushed is replayed from it.
//! The log of a dropped partition goes whole, once a flush covers the drop: before, a crash would bring the
//! partition's data back without its log.

use std::collections::BTreeMap;

use storage::log::LogWrite;
use storage::{Engine, LogBatch};
use types::{GroupId, limits};

use crate::fetch::Fetch;
use crate::open::NODE;
use crate::{Error, Shard};

/// What a flush under way will cover.
#[derive(Debug)]
pub(crate) struct Flushing {
    applied: BTreeMap<GroupId, u64>,
    /// Data that were fetched, by the number of the whole.
    fetched: BTreeMap<GroupId, u64>,
    orphans: Vec<GroupId>,
}

impl<E: Engine> Shard<E> {
    /// Whether a flush is due: the log holds more that none covers than a restart should replay, or a table
    /// was dropped.
    pub fn wants_flush(&self) -> bool {
        let grown = self.engine.log_bytes().saturating_sub(self.log_bytes_flushed);
        let due = self.dropped || grown >= limits::LOG_UNFLUSHED_BYTES_MAX as u64;
        // Before the replay is over, a flush would cover nothing of what it is made for.
        (due && self.is_serving() || self.has_fetched()) && self.flushing.is_none()
    }

    /// Whether data were fetched that count for nothing before they are flushed.
    fn has_fetched(&self) -> bool {
        let arriving = self.arriving.values().map(|arriving| &arriving.fetch);
        arriving.chain(&self.catalog.fetch).any(Fetch::wants_flush)
    }

    /// Notes how far everything is applied, and which logs no partition owns. The driver then calls
    /// `Engine::flush` on a thread of its own, and `compact` when that has returned. An error is fatal.
    pub fn begin_flush(&mut self) -> Result<(), Error> {
        let mut applied: BTreeMap<_, _> =
            self.replicas.iter().map(|(group, replica)| (*group, replica.state.applied)).collect();
        applied.insert(GroupId::CATALOG, self.catalog.state.applied);
        applied.extend(self.arriving.keys().map(|group| (*group, 0)));
        let fetching = self.fetching();
        let covered = |group| Some((group, self.fetch_of(group)?.covered()?));
        let fetched = fetching.into_iter().filter_map(covered).collect();
        // Only a catalog that has applied all of its own log knows every partition that it has made here.
        let raft = &self.catalog.group;
        let orphans = match self.catalog_decides() || raft.applied_index() == raft.last_index() {
            true => self.engine.groups()?,
            false => Vec::new(),
        };
        let catalog = &self.catalog.applied;
        let seated = |group: GroupId| {
            let table = catalog.table_of(group);
            table.is_some_and(|table| table.seat_on(group, self.settings.node).is_some())
        };
        // One that the catalog here has not heard of yet, or that waits for its parent's log, is somebody's.
        let orphan = |group: &GroupId| {
            let known = *group < catalog.settings.next_group && *group != NODE;
            known && !applied.contains_key(group) && !seated(*group)
        };
        let orphans = orphans.into_iter().filter(orphan).collect();
        self.dropped = false;
        self.flushing = Some(Flushing { applied, fetched, orphans });
        Ok(())
    }

    /// The flush begun by `begin_flush` is done: cuts the logs at what it covers and nobody lacks. An error
    /// is fatal.
    pub fn compact(&mut self) -> Result<(), Error> {
        let flushed = self.flushing.take().expect("a flush was begun");
        for (group, transfer) in flushed.fetched {
            if let Some(fetch) = self.fetch_of(group).filter(|fetch| fetch.covered() == Some(transfer)) {
                fetch.flushed();
                self.due.reseat_ns = 0;
            }
        }
        let mut batch = LogBatch::new();
        for (group, applied) in flushed.applied {
            // Others may lack what is applied here, and can only be given it from the log.
            let applied = match self.is_shared(group) {
                true => applied.min(self.held(group)),
                false => applied,
            };
            if let Some(group) = self.group_mut(group) {
                group.compact(applied, &mut batch)?;
            }
        }
        flushed.orphans.into_iter().for_each(|group| batch.push(LogWrite::Remove { group }));
        if !batch.is_empty() {
            self.engine.append(batch)?;
        }
        self.log_bytes_flushed = self.engine.log_bytes();
        Ok(())
    }
}
