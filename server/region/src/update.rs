//! What a catalog command turned into: the entries that its log carries.
//!
//! Stored in the log and, entry by entry, in the key space; the format is for ever.

use std::collections::BTreeSet;

use storage::keys::catalog as key;
use storage::{Batch, Error, Read};
use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::{GroupId, KeyHash, RegionName};

use crate::catalog::{Catalog, Settings, Table};
use crate::entry::Entry;
use crate::nodes::Nodes;
use crate::seat;
use crate::table::{Child, Children};

const FORMAT: u8 = 1;
/// The format of a table whose replicas sit on several nodes.
const FORMAT_SEATED: u8 = 2;
/// The format of a table that has replicas on their way.
const FORMAT_MOVING: u8 = 3;
/// The format of a table with partitions that splits made.
const FORMAT_SPLIT: u8 = 4;
/// The format of an update of the nodes.
const FORMAT_NODES: u8 = 2;
const SETTINGS: u8 = 1;
const NODES: u8 = 2;

/// Entries to put into the catalog, whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Update {
    /// A table's entry.
    pub table: Option<Table>,
    /// The settings.
    pub settings: Option<Settings>,
    /// The nodes.
    pub nodes: Option<Nodes>,
}

impl Update {
    /// Puts the entries into the catalog in memory.
    pub fn apply(self, catalog: &mut Catalog) {
        if let Some(table) = self.table {
            catalog.tables.insert(table.entry.id, table);
        }
        if let Some(settings) = self.settings {
            catalog.settings = settings;
        }
        if let Some(nodes) = self.nodes {
            catalog.nodes = nodes;
        }
    }

    /// Puts the entries into the key space.
    pub fn store(&self, batch: &mut Batch) {
        if let Some(table) = &self.table {
            batch.put(key::table(table.entry.id), encode_table(table));
        }
        if let Some(settings) = &self.settings {
            batch.put(key::setting(SETTINGS), encode_settings(settings));
        }
        if let Some(nodes) = &self.nodes {
            batch.put(key::setting(NODES), nodes.encode());
        }
    }

    /// The bytes that the log carries.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![if self.nodes.is_some() { FORMAT_NODES } else { FORMAT }];
        out.push(u8::from(self.table.is_some()));
        if let Some(table) = &self.table {
            put_sized(&mut out, &encode_table(table));
        }
        out.push(u8::from(self.settings.is_some()));
        if let Some(settings) = &self.settings {
            put_sized(&mut out, &encode_settings(settings));
        }
        if let Some(nodes) = &self.nodes {
            put_sized(&mut out, &nodes.encode());
        }
        out
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Update, Malformed> {
        let mut reader = Reader::new(bytes);
        let format = reader.u8()?;
        if !(FORMAT..=FORMAT_NODES).contains(&format) {
            return Err(Malformed);
        }
        let table = reader.bool()?.then(|| decode_table(reader.sized()?)).transpose()?;
        let settings = reader.bool()?.then(|| decode_settings(reader.sized()?)).transpose()?;
        let nodes = (format == FORMAT_NODES).then(|| Nodes::decode(reader.sized()?)).transpose()?;
        reader.finish()?;
        Ok(Update { table, settings, nodes })
    }
}

/// Reads the whole catalog of a region from its key space; `nodes` are those that it was begun with, as long
/// as none came or went.
pub fn load(engine: &impl Read, me: RegionName, nodes: Nodes) -> Result<Catalog, Error> {
    let corrupt = |_| Error::undecodable("catalog entry");
    let mut catalog = Catalog::new(me, nodes);
    storage::engine::each(engine, &key::tables(), |_, value| {
        let table = decode_table(value).map_err(corrupt)?;
        catalog.tables.insert(table.entry.id, table);
        Ok(true)
    })?;
    if let Some(value) = engine.get(&key::setting(SETTINGS))? {
        catalog.settings = decode_settings(&value).map_err(corrupt)?;
    }
    if let Some(value) = engine.get(&key::setting(NODES))? {
        catalog.nodes = Nodes::decode(&value).map_err(corrupt)?;
    }
    Ok(catalog)
}

fn encode_table(table: &Table) -> Vec<u8> {
    let split = !table.children.is_empty();
    let states = split || seat::any_moving(&table.seats);
    let mut out = vec![match table.seats.is_empty() {
        _ if split => FORMAT_SPLIT,
        true => FORMAT,
        false if states => FORMAT_MOVING,
        false => FORMAT_SEATED,
    }];
    put_varint(&mut out, table.first_group.0);
    put_sized(&mut out, &table.entry.encode());
    if split || !table.seats.is_empty() {
        seat::put(&mut out, &table.seats, states);
    }
    if split {
        put_children(&mut out, &table.children);
    }
    out
}

fn put_children(out: &mut Vec<u8>, children: &Children) {
    for (group, child) in children.iter() {
        put_varint(out, group.0);
        put_varint(out, child.parent.0);
        out.extend_from_slice(&child.first.0.to_be_bytes());
        out.push(u8::from(child.waits));
        seat::put(out, std::slice::from_ref(&child.seats), true);
    }
}

/// The inverse of `put_children`; they end what they stand in.
fn children(reader: &mut Reader<'_>) -> Result<Children, Malformed> {
    let mut children = Children::default();
    while !reader.is_empty() {
        let (group, parent) = (GroupId(reader.varint()?), GroupId(reader.varint()?));
        let (first, waits) = (KeyHash(reader.u64()?), reader.bool()?);
        let seats = seat::read(reader, true)?.pop().filter(|seats| !seats.is_empty()).ok_or(Malformed)?;
        // So nobody is his own ancestor.
        if parent >= group {
            return Err(Malformed);
        }
        children.insert(group, Child { parent, first, seats, waits });
    }
    Ok(children)
}

fn decode_table(bytes: &[u8]) -> Result<Table, Malformed> {
    let mut reader = Reader::new(bytes);
    let format = reader.u8()?;
    let first_group = GroupId(reader.varint()?);
    let entry = Entry::decode(reader.sized()?)?;
    let seats = match format {
        FORMAT => Vec::new(),
        FORMAT_SEATED => seat::read(&mut reader, false)?,
        FORMAT_MOVING | FORMAT_SPLIT => seat::read(&mut reader, true)?,
        _ => return Err(Malformed),
    };
    let children = if format == FORMAT_SPLIT { children(&mut reader)? } else { Children::default() };
    reader.finish()?;
    let seated = seats.len() == entry.partitions as usize && seats.iter().all(|seats| !seats.is_empty());
    let bare = format == FORMAT || format == FORMAT_SPLIT && seats.is_empty();
    if !seated && !bare {
        return Err(Malformed);
    }
    Ok(Table { entry, first_group, seats, children })
}

fn encode_settings(settings: &Settings) -> Vec<u8> {
    let mut out = vec![FORMAT];
    put_varint(&mut out, settings.next_group.0);
    put_varint(&mut out, u64::from(settings.next_counter));
    put_varint(&mut out, settings.paused.len() as u64);
    for region in &settings.paused {
        put_sized(&mut out, region.as_str().as_bytes());
    }
    out
}

fn decode_settings(bytes: &[u8]) -> Result<Settings, Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != FORMAT {
        return Err(Malformed);
    }
    let next_group = GroupId(reader.varint()?);
    let next_counter = u32::try_from(reader.varint()?).map_err(|_| Malformed)?;
    let count = reader.count(2)?;
    let region = |reader: &mut Reader<'_>| RegionName::new(reader.text()?).map_err(|_| Malformed);
    let paused = (0..count).map(|_| region(&mut reader)).collect::<Result<BTreeSet<_>, _>>()?;
    reader.finish()?;
    Ok(Settings { next_group, next_counter, paused })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use types::NodeId;
    use types::command::SeatState;

    use super::*;
    use crate::Seat;
    use crate::entry::tests::{any_entry, name};

    proptest! {
        #[test]
        fn updates_round_trip(
            entry in any_entry(),
            group in any::<u64>(),
            both in any::<bool>(),
            nodes in 0..4u64,
            moving in any::<bool>(),
            split in 0..3u64,
        ) {
            let nodes: Vec<_> = (1..=nodes).map(NodeId).collect();
            let mut seats =
                if nodes.is_empty() { Vec::new() } else { seat::spread(&nodes, entry.partitions) };
            if moving && let Some(seats) = seats.first_mut() {
                let seat = Seat { node: NodeId(9), replica: 70_000, state: SeatState::Joining };
                (seats[0].state, _) = (SeatState::Leaving, seats.push(seat));
            }
            let paused = BTreeSet::from([name("a"), name("b")]);
            let settings = Settings { next_group: GroupId(group), next_counter: 7, paused };
            let mut children = Children::default();
            for at in 0..split {
                let (parent, first) = (GroupId(at), KeyHash(u64::from(u32::MAX) << at));
                let child = Child { parent, first, seats: vec![Seat::ONLY], waits: moving };
                children.insert(GroupId(70 + at), child);
            }
            let table = Table { entry, first_group: GroupId(group), seats, children };
            let nodes = moving.then(|| Nodes::begun_with(&nodes, &BTreeMap::new()));
            let update = Update { table: both.then_some(table), settings: Some(settings), nodes };
            prop_assert_eq!(Update::decode(&update.encode()), Ok(update));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Update::decode(&bytes);
        }
    }
}
