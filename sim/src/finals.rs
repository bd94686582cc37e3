//! What a region's disk holds in the end, read without the shard's help.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use storage::keys::{Bounds, LedgerEntry, ledger, record};
use storage::{Direction, Error, Read, Record};
use types::TableId;
use types::command::SeatState;

use crate::disk::Disk;
use crate::history::History;
use crate::node::Node;
use crate::world::World;

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

/// Live records by their stored keys.
type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// The live records of a table; `None` when the disk cannot be read.
fn live(disk: &Disk, table: TableId) -> Option<Records> {
    live_within(disk, &record::table(table))
}

fn live_within(disk: &Disk, bounds: &Bounds) -> Option<Records> {
    let mut live = BTreeMap::new();
    let read = each(disk, bounds, |key, value| {
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

/// What is wrong with where a table's records are: in each region on the nodes that its catalog names, and
/// nowhere else; the same in all regions.
pub fn misplaced(world: &World, table: TableId) -> Option<String> {
    let mut first: Option<Records> = None;
    for region in 0..world.regions() {
        let held = match gather(world, region, table) {
            Ok(held) => held,
            Err(detail) => return Some(detail),
        };
        if *first.get_or_insert_with(|| held.clone()) != held {
            let name = &world.nodes[world.nodes_of(region).start].name;
            return Some(format!("{name} and the first region differ"));
        }
    }
    None
}

/// A region's live records, if its nodes hold what they should.
fn gather(world: &World, region: usize, table: TableId) -> Result<Records, String> {
    let nodes = world.nodes_of(region);
    let living = nodes.clone().filter(|node| !world.nodes[*node].buried);
    let machines = living.clone().filter_map(|node| world.machine(node));
    let (_, seated) = machines
        .map(|machine| machine.seated(table))
        .max_by_key(|(applied, _)| *applied)
        .ok_or("nobody runs")?;
    let mut all = Records::new();
    for (range, seats) in seated {
        if let Some(seat) = seats.iter().find(|seat| seat.state != SeatState::Settled) {
            return Err(format!("a replica on node {} still comes or goes", seat.node.0));
        }
        let mut held = None;
        for node in living.clone() {
            let at = &world.nodes[node];
            let records =
                live_within(&at.disk, &record::hashes(table, range)).ok_or("a disk cannot be read")?;
            match seats.iter().any(|seat| seat.node == at.node) {
                true if *held.get_or_insert_with(|| records.clone()) != records => {
                    return Err(format!("{} differs from another replica", at.label()));
                }
                false if !records.is_empty() => return Err(format!("{} keeps what it gave up", at.label())),
                _ => {}
            }
        }
        all.extend(held.ok_or("a partition has no replica that lives")?);
    }
    Ok(all)
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
