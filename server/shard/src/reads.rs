//! Reads: committed data only, at the leader, answered in the turn that asked unless they take too long.

use std::collections::{BTreeMap, BTreeSet};

use item::operation::{BatchGet, Get, KeysAndOptions, Query, Scan};
use item::outcome::{Answer, BatchGot};
use item::{Error as Refusal, Invalid, Item, Key, Outcome, size};
use partition::page::Effort;
use partition::{get, query, scan, versions};
use storage::Engine;
use types::command::TableCommand;
use types::{GroupId, HashRange, KeyHash, Planted, TableId, TableName, limits};

use crate::confirm::Held;
use crate::replica::Replica;
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
        let (hash, group) = (key.hash, self.partition_of(table, key.hash));
        let replica = told!(self.reader(group, hash, request.consistent));
        let outcome = match &request.projection {
            None => Outcome::Stored(get::stored(&self.engine, &replica.home, key)?),
            Some(projection) => {
                let item = get::read(&self.engine, &replica.home, key)?;
                Outcome::Item(item.map(|item| projection.apply(&item)))
            }
        };
        self.meter(group, hash);
        self.show(number, request.consistent.then_some(group), outcome);
        Ok(Ok(()))
    }

    /// `Query`.
    pub(crate) fn query(&mut self, number: u64, request: Query) -> Told<()> {
        let table = told!(self.table(&request.table));
        let (id, key) = (table.entry.id, &table.entry.key);
        let plan = told!(query::plan(key, &request));
        let (group, consistent) = (self.partition_of(table, plan.hash), request.page.consistent);
        let hash = plan.hash;
        told!(self.reader(group, hash, consistent));
        match query::read(&self.engine, id, key, &plan, &request, Effort::Turn)? {
            Some(page) => self.show(number, consistent.then_some(group), Outcome::Page(page)),
            None => {
                let paged = Paged { key: key.clone(), plan, request };
                self.leave(number, id, consistent.then_some(group), What::Query(Box::new(paged)));
            }
        }
        self.meter(group, hash);
        Ok(Ok(()))
    }

    /// `Scan`.
    pub(crate) fn scan(&mut self, number: u64, request: Scan) -> Told<()> {
        let (plan, pieces) = told!(self.plan_scan(&request, |_| true));
        if !request.page.consistent {
            return self.read_scan_here(number, request, plan, &pieces);
        }
        let refused = pieces.iter().find_map(|(group, part)| self.leader_for(*group, part.last).err());
        let groups: Vec<_> = pieces.into_iter().map(|(group, _)| group).collect();
        let Some(refusal) = refused else {
            return self.read_scan(number, request, plan, groups);
        };
        let is_here = |group: &GroupId| self.is_shared(*group) && self.replicas.contains_key(group);
        if !groups.iter().all(is_here) {
            return Ok(Err(refusal));
        }
        self.scan_wide(number, request, groups);
        Ok(Ok(()))
    }

    /// Makes a scan from those replicas here that have applied all that it must see.
    pub(crate) fn scan_here(&mut self, number: u64, request: Scan, of: &BTreeSet<GroupId>) -> Told<()> {
        let (plan, pieces) = told!(self.plan_scan(&request, |group| of.contains(&group)));
        self.read_scan_here(number, request, plan, &pieces)
    }

    /// Reads a page of a scan that nobody need confirm.
    fn read_scan_here(
        &mut self,
        number: u64,
        request: Scan,
        plan: scan::Plan,
        pieces: &[(GroupId, HashRange)],
    ) -> Told<()> {
        told!(pieces.iter().try_for_each(|(group, part)| self.reader(*group, part.last, false).map(drop)));
        self.read_scan(number, request, plan, Vec::new())
    }

    /// What to read for a scan, and the partitions that it touches, with their parts: as many from the first
    /// on as have a replica here, and may be read. The page says who holds what follows.
    fn plan_scan(
        &self,
        request: &Scan,
        may: impl Fn(GroupId) -> bool,
    ) -> Result<(scan::Plan, Vec<(GroupId, HashRange)>), Refusal> {
        let table = self.table(&request.table)?;
        let mut plan = scan::plan(&table.entry.key, request)?;
        let touched = plan.range.into_iter().flat_map(|range| self.pieces(table, range));
        let (mut pieces, mut end) = (Vec::new(), None);
        for (group, part) in touched {
            if !self.replicas.contains_key(&group) || !may(group) {
                let Refusal::Elsewhere { node } = self.holder(group) else { return Err(Refusal::NotLeader) };
                if pieces.is_empty() {
                    return Err(Refusal::Elsewhere { node });
                }
                plan.rest = Some((node, part.first));
                break;
            }
            pieces.push((group, part));
            end = Some(part.last);
        }
        if let (Some(range), Some(end)) = (&mut plan.range, end) {
            range.last = range.last.min(end);
        }
        Ok((plan, pieces))
    }

    /// Reads a page of a scan; the groups that are named confirm it.
    fn read_scan(&mut self, number: u64, request: Scan, plan: scan::Plan, groups: Vec<GroupId>) -> Told<()> {
        let table = told!(self.table(&request.table));
        let (id, key) = (table.entry.id, &table.entry.key);
        match scan::read(&self.engine, id, key, &plan, &request, Effort::Turn)? {
            Some(page) => self.show(number, groups, Outcome::Page(page)),
            None => {
                let paged = Paged { key: key.clone(), plan, request };
                self.leave(number, id, groups, What::Scan(Box::new(paged)));
            }
        }
        Ok(Ok(()))
    }

    /// Answers with what was read, once the groups that were read strongly have confirmed it.
    fn show(&mut self, number: u64, groups: impl IntoIterator<Item = GroupId>, outcome: Outcome) {
        self.confirm(groups, Held::Answer { number, result: Ok(Answer::Item(outcome)) });
    }

    /// Leaves a read to be made outside the turn, of what is committed in it, likewise.
    fn leave(&mut self, number: u64, table: TableId, groups: impl IntoIterator<Item = GroupId>, what: What) {
        let snapshot = self.engine.snapshot();
        self.confirm(groups, Held::Read(Box::new(SnapshotRead { number, snapshot, table, what })));
    }

    /// The replica to read from, up to a hash: strongly only where it leads, eventually wherever it is.
    fn reader(&self, group: GroupId, last: KeyHash, strongly: bool) -> Result<&Replica<E>, Refusal> {
        let strongly = strongly && !self.settings.faults.has(Planted::AnyoneReads);
        match strongly {
            true => self.leader_for(group, last),
            false if !self.is_shared(group) => self.leader(group),
            false => self.replicas.get(&group).ok_or_else(|| self.holder(group)),
        }
    }

    /// `BatchGetItem`: what does not fit the answer is handed back.
    pub(crate) fn batch_get(&mut self, number: u64, request: BatchGet) -> Told<()> {
        let (mut got, mut groups, mut bytes) = (BatchGot::default(), Vec::new(), 0);
        for (name, wanted) in &request.tables {
            let items = told!(self.get_keys(name, wanted, &mut bytes, &mut groups, &mut got.unprocessed)?);
            got.items.insert(name.clone(), items);
        }
        self.show(number, groups, Outcome::Got(got));
        Ok(Ok(()))
    }

    fn get_keys(
        &self,
        name: &TableName,
        wanted: &KeysAndOptions,
        bytes: &mut usize,
        groups: &mut Vec<GroupId>,
        unprocessed: &mut BTreeMap<TableName, KeysAndOptions>,
    ) -> Told<Vec<Item>> {
        let table = told!(self.table(name));
        let (mut items, mut left) = (Vec::new(), Vec::new());
        for key in &wanted.keys {
            let place = told!(Key::of_key(&table.entry.key, key).map_err(Invalid::from));
            let group = self.partition_of(table, place.hash);
            let reader = self.reader(group, place.hash, wanted.consistent);
            let (Ok(replica), true) = (reader, *bytes < limits::BATCH_BYTES_MAX - limits::ITEM_BYTES_MAX)
            else {
                left.push(key.clone());
                continue;
            };
            groups.extend(wanted.consistent.then_some(group));
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
        self.leave(number, table, None, what);
        Ok(Ok(()))
    }

    /// The partitions that a range touches, and how far each has applied.
    fn positions(&self, name: &TableName, range: HashRange) -> Result<Vec<(u64, u64)>, Refusal> {
        let table = self.table(name)?;
        let touched = self.pieces(table, range);
        let position = |(group, part): (GroupId, HashRange)| {
            Ok((group.0, self.reader(group, part.last, false)?.state.applied))
        };
        touched.map(position).collect()
    }
}
