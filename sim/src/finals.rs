//! What a region's disk holds in the end, read without the shard's help.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use storage::keys::{Bounds, LedgerEntry, ledger, record};
use storage::{Direction, Error, Read, Record};
use types::TableId;

use crate::disk::Disk;
use crate::history::History;
use crate::node::Node;

/// Writes into a history what a disk of a region holds of the table.
pub fn read(history: &mut History, region: usize, disk: &Disk) -> Result<(), Error> {
    let Some(table) = history.table else { return Ok(()) };
    let (mut records, mut losses, mut strangers) = (BTreeMap::new(), Vec::new(), Vec::new());
    each(disk, &record::table(table), |key, value| {
        let key = record::Key::decode(key)?.key;
        match history.key(key) {
            Some(key) => drop(records.insert(key, Record::decode(value)?)),
            None => strangers.push((region, key.to_vec())),
        }
        Ok(())
    })?;
    each(disk, &ledger::table(table), |key, value| {
        let key = ledger::Key::decode(key)?.key;
        match history.key(key) {
            Some(key) => losses.push((key, LedgerEntry::decode(value)?)),
            None => strangers.push((region, key.to_vec())),
        }
        Ok(())
    })?;
    history.strangers.extend(strangers);
    history.finals[region].records = records;
    history.finals[region].ledger = losses;
    Ok(())
}

/// The live records of a table, by their stored keys; `None` when the disk cannot be read.
fn live(disk: &Disk, table: TableId) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut live = BTreeMap::new();
    let read = each(disk, &record::table(table), |key, value| {
        if !Record::decode(value)?.is_tombstone() {
            live.insert(key.to_vec(), value.to_vec());
        }
        Ok(())
    });
    read.is_ok().then_some(live)
}

/// Two nodes, of those that are not dead for good, that hold different live records of a table.
pub fn differing(nodes: &[Node], table: TableId) -> Option<String> {
    let mut living = nodes.iter().filter(|node| !node.buried);
    let first = living.next()?;
    let held = live(&first.disk, table);
    let other = living.find(|other| live(&other.disk, table) != held)?;
    Some(format!("{} and {} differ", first.label(), other.label()))
}

/// The table of some record that a disk holds.
pub fn any_table(disk: &Disk) -> Option<TableId> {
    let (from, _) = record::table(TableId::default());
    let mut found = None;
    each(disk, &(vec![from[0]], vec![from[0] + 1]), |key, _| {
        found = Some(record::Key::decode(key)?.table);
        Ok(())
    })
    .ok()?;
    found
}

fn each(
    disk: &Disk,
    (from, to): &Bounds,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut result = Ok(());
    let bounds = (Bound::Included(&from[..]), Bound::Excluded(&to[..]));
    disk.scan(bounds.0, bounds.1, Direction::Forward, &mut |key, value| {
        result = visit(key, value);
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    result
}
