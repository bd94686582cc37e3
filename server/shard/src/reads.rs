//! Reads: committed data only, at the leader, answered in the turn that asked unless they take too long.

use std::collections::BTreeMap;

use item::operation::{BatchGet, Get, KeysAndOptions, Query, Scan};
use item::outcome::BatchGot;
use item::{Error as Refusal, Invalid, Item, Key, Outcome, size};
use partition::page::Effort;
use partition::{get, query, scan, versions};
use storage::Engine;
use types::command::TableCommand;
use types::{HashRange, TableId, TableName, limits};

use crate::snapshot_read::{Paged, What};
use crate::{Error, Shard, SnapshotRead};

/// A result within a result: outside what is fatal, inside what the client is told.
pub(crate) type Told<T> = Result<Result<T, Refusal>, Error>;

/// Takes the value out of a client's result, or tells the client.
macro_rules! told {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal.into())),
        }
    };
}
pub(crate) use told;

impl<E: Engine> Shard<E> {
    /// `GetItem`.
    pub(crate) fn get(&mut self, number: u64, request: Get) -> Told<()> {
        let table = told!(self.table(&request.table));
        let key = told!(Key::of_key(&table.entry.key, &request.key).map_err(Invalid::from));
        let replica = told!(self.leader(table.partition_of(key.hash)));
        let outcome = match &request.projection {
            None => Outcome::Stored(get::stored(&self.engine, &replica.home, key)?),
            Some(projection) => {
                let item = get::read(&self.engine, &replica.home, key)?;
                Outcome::Item(item.map(|item| projection.apply(&item)))
            }
        };
        self.reply_item(number, Ok(outcome));
        Ok(Ok(()))
    }

    /// `Query`.
    pub(crate) fn query(&mut self, number: u64, request: Query) -> Told<()> {
        let table = told!(self.table(&request.table));
        let (id, key) = (table.entry.id, &table.entry.key);
        let plan = told!(query::plan(key, &request));
        told!(self.leader(table.partition_of(plan.hash)));
        match query::read(&self.engine, id, key, &plan, &request, Effort::Turn)? {
            Some(page) => self.reply_item(number, Ok(Outcome::Page(page))),
            None => {
                let key = key.clone();
                self.leave(number, id, What::Query(Box::new(Paged { key, plan, request })));
            }
        }
        Ok(Ok(()))
    }

    /// `Scan`.
    pub(crate) fn scan(&mut self, number: u64, request: Scan) -> Told<()> {
        let table = told!(self.table(&request.table));
        let (id, key) = (table.entry.id, &table.entry.key);
        let plan = told!(scan::plan(key, &request));
        for (group, range) in table.partitions() {
            if plan.range.is_some_and(|wanted| wanted.overlaps(&range)) {
                told!(self.leader(group));
            }
        }
        match scan::read(&self.engine, id, key, &plan, &request, Effort::Turn)? {
            Some(page) => self.reply_item(number, Ok(Outcome::Page(page))),
            None => {
                let key = key.clone();
                self.leave(number, id, What::Scan(Box::new(Paged { key, plan, request })));
            }
        }
        Ok(Ok(()))
    }

    /// Leaves a read to be made outside the turn, of what is committed in it.
    fn leave(&mut self, number: u64, table: TableId, what: What) {
        self.reads.push(SnapshotRead { number, snapshot: self.engine.snapshot(), table, what });
    }

    /// `BatchGetItem`: what does not fit the answer is handed back.
    pub(crate) fn batch_get(&mut self, number: u64, request: BatchGet) -> Told<()> {
        let mut got = BatchGot::default();
        let mut bytes = 0;
        for (name, wanted) in &request.tables {
            let items = told!(self.get_keys(name, wanted, &mut bytes, &mut got.unprocessed)?);
            got.items.insert(name.clone(), items);
        }
        self.reply_item(number, Ok(Outcome::Got(got)));
        Ok(Ok(()))
    }

    fn get_keys(
        &self,
        name: &TableName,
        wanted: &KeysAndOptions,
        bytes: &mut usize,
        unprocessed: &mut BTreeMap<TableName, KeysAndOptions>,
    ) -> Told<Vec<Item>> {
        let table = told!(self.table(name));
        let (mut items, mut left) = (Vec::new(), Vec::new());
        for key in &wanted.keys {
            let place = told!(Key::of_key(&table.entry.key, key).map_err(Invalid::from));
            let leader = self.leader(table.partition_of(place.hash));
            let (Ok(replica), true) = (leader, *bytes < limits::BATCH_BYTES_MAX - limits::ITEM_BYTES_MAX)
            else {
                left.push(key.clone());
                continue;
            };
            if let Some(item) = get::read(&self.engine, &replica.home, place)? {
                *bytes += size::item_size(&item);
                items.push(wanted.projection.as_ref().map_or(item.clone(), |keep| keep.apply(&item)));
            }
        }
        if !left.is_empty() {
            unprocessed.insert(name.clone(), KeysAndOptions { keys: left, ..wanted.clone() });
        }
        Ok(Ok(items))
    }

    /// `Digest` and `Versions`: always too long for a turn.
    pub(crate) fn compare(&mut self, number: u64, command: TableCommand) -> Told<()> {
        let (TableCommand::Digest { name, range, .. } | TableCommand::Versions { name, range, .. }) =
            &command
        else {
            unreachable!("only comparisons come here")
        };
        let (range, entry) = (*range, &told!(self.table(name)).entry);
        let (table, key) = (entry.id, entry.key.clone());
        let positions = told!(self.positions(name, range));
        let what = match command {
            TableCommand::Digest { parts, .. } => What::Digest { range, parts, positions },
            TableCommand::Versions { after, limit, .. } => {
                What::Versions(told!(versions::plan(&key, range, after.as_deref(), limit)))
            }
            _ => unreachable!("seen above"),
        };
        self.leave(number, table, what);
        Ok(Ok(()))
    }

    /// The partitions that a range touches, and how far each has applied.
    fn positions(&self, name: &TableName, range: HashRange) -> Result<Vec<(u64, u64)>, Refusal> {
        let table = self.table(name)?;
        let touched = table.partitions().filter(|(_, part)| part.overlaps(&range));
        touched.map(|(group, _)| Ok((group.0, self.leader(group)?.state.applied))).collect()
    }
}
