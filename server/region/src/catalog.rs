//! The catalog: which tables a region has, which it is making and dropping, and what it was told to pause.
//!
//! One command is decided at a time, against applied state only: the catalog is small and seldom written, so
//! it needs no overlay. Whoever drives it must not decide while an update is in flight.

use std::collections::{BTreeMap, BTreeSet};

use item::{Error, Invalid};
use types::{GroupId, HybridTime, Incarnation, KeySchema, NodeId, RegionName, TableId, TableName, limits};

use crate::nodes::Nodes;
pub use crate::table::Table;
use crate::update::Update;
use crate::{Copy, Entry, Life, seat};

/// What the catalog keeps beside its tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The next partition's number.
    pub next_group: GroupId,
    /// The next incarnation's counter.
    pub next_counter: u32,
    /// Regions that nothing is shipped to.
    pub paused: BTreeSet<RegionName>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { next_group: GroupId::FIRST, next_counter: 1, paused: BTreeSet::new() }
    }
}

/// The applied state of a region's catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catalog {
    /// The region whose catalog it is.
    pub me: RegionName,
    /// The region's nodes.
    pub nodes: Nodes,
    /// All tables, deleted ones included.
    pub tables: BTreeMap<TableId, Table>,
    /// The rest.
    pub settings: Settings,
}

/// What came of an entry that a peer sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Learned {
    /// Nothing new; the peer may be told that this region knows it.
    Known,
    /// To be proposed; once applied, the peer may be told.
    Update(Box<Update>),
    /// Another table has the name; the peer is told that its creation failed.
    Refused,
    /// Another table may or may not keep the name: the peer is told nothing and asks again.
    Undecided,
}

impl Catalog {
    /// An empty catalog of a region of these nodes.
    pub fn new(me: RegionName, nodes: Nodes) -> Self {
        Catalog { me, nodes, tables: BTreeMap::new(), settings: Settings::default() }
    }

    /// The table that has a name, unless it was deleted everywhere. One that is being deleted gives way: it
    /// may be a creation that this region refused.
    pub fn find(&self, name: &TableName) -> Option<&Table> {
        let same = self.named().filter(|table| table.entry.name == *name);
        same.min_by_key(|table| table.entry.life >= Life::Deleting)
    }

    /// The tables that have a copy in this region.
    pub fn here(&self) -> impl Iterator<Item = &Table> {
        self.tables.values().filter(|table| table.is_here(&self.me))
    }

    /// The table that a partition is of, if it has a copy in this region.
    pub fn table_of(&self, group: GroupId) -> Option<&Table> {
        self.here().find(|table| table.has(group))
    }

    /// The tables that have their names, in the order of their ids.
    pub fn named(&self) -> impl Iterator<Item = &Table> {
        self.tables.values().filter(|table| table.entry.life != Life::Deleted)
    }

    /// Decides a creation (`P19`): this region's copy is made at once, the others' when they hear of it.
    pub fn create(
        &self,
        name: TableName,
        key: KeySchema,
        regions: &BTreeSet<RegionName>,
        partitions: u32,
        now: HybridTime,
    ) -> Result<(TableId, Update), Error> {
        if self.find(&name).is_some() {
            return Err(Error::TableInUse { name });
        }
        if self.named().count() >= limits::TABLES_MAX {
            return Err(Error::TooManyTables { limit: limits::TABLES_MAX });
        }
        if !regions.contains(&self.me) {
            return Err(Invalid::Missing { field: "the receiving region among Regions" }.into());
        }
        let newest = self.tables.keys().next_back().map_or(HybridTime::ZERO, |id| id.created);
        let id = TableId { created: now.max(newest.next()), origin: self.me.id() };
        let copies = regions.iter().map(|region| (region.clone(), Copy::Planned)).collect();
        let entry = Entry { id, name, key, partitions, life: Life::Creating, copies };
        Ok((id, self.adopt(entry)))
    }

    /// Gives an entry its copy in this region: an incarnation and partitions, their numbers never used
    /// before.
    fn adopt(&self, mut entry: Entry) -> Update {
        let mut settings = self.settings.clone();
        let incarnation = Incarnation { region: self.me.id(), counter: settings.next_counter };
        let first_group = settings.next_group;
        settings.next_counter += 1;
        settings.next_group.0 += u64::from(entry.partitions);
        entry.copies.insert(self.me.clone(), Copy::Confirmed(incarnation));
        entry.advance(&self.me);
        let active = self.least_led_first();
        let seats = match active[..] {
            [NodeId::ONLY] => Vec::new(),
            _ => seat::spread(&active, entry.partitions),
        };
        let table = Table { entry, first_group, seats, children: Default::default() };
        Update { table: Some(table), settings: Some(settings), nodes: None }
    }

    /// The active nodes in a round that begins with the one that is to lead least: a table's first partition
    /// goes there, and many tables have no other.
    fn least_led_first(&self) -> Vec<NodeId> {
        let mut active: Vec<_> = self.nodes.active().collect();
        if let Some(least) = (0..active.len()).min_by_key(|at| self.shares_of(active[*at]).1) {
            active.rotate_left(least);
        }
        active
    }

    /// Decides a deletion in every region.
    pub fn delete(&self, name: &TableName) -> Result<(TableId, Update), Error> {
        let table = self.find(name).ok_or_else(|| Error::TableNotFound { name: name.clone() })?;
        match table.entry.life {
            Life::Active => Ok((table.entry.id, self.end(table))),
            _ => Err(Error::TableInUse { name: name.clone() }),
        }
    }

    /// A peer refused a table that this region is creating: the creation failed, and is undone.
    pub fn refused(&self, id: TableId) -> Option<Update> {
        let table = self.tables.get(&id)?;
        (table.entry.life == Life::Creating && id.origin == self.me.id()).then(|| self.end(table))
    }

    fn end(&self, table: &Table) -> Update {
        let mut table = table.clone();
        table.entry.life = Life::Deleting;
        table.entry.advance(&self.me);
        Update { table: Some(table), ..Update::default() }
    }

    /// Takes in what a peer knows of a table.
    pub fn learn(&self, entry: Entry) -> Learned {
        if let Some(mine) = self.tables.get(&entry.id) {
            let mut joined = mine.entry.join(&entry);
            joined.advance(&self.me);
            if joined == mine.entry {
                return Learned::Known;
            }
            let table = Table { entry: joined, ..mine.clone() };
            return Learned::Update(Box::new(Update { table: Some(table), ..Update::default() }));
        }
        if !entry.copies.contains_key(&self.me) {
            return Learned::Known;
        }
        if entry.life >= Life::Deleting {
            let mut entry = entry;
            entry.advance(&self.me);
            let (first_group, seats, children) = Default::default();
            let table = Table { entry, first_group, seats, children };
            return Learned::Update(Box::new(Update { table: Some(table), ..Update::default() }));
        }
        match self.find(&entry.name) {
            None => Learned::Update(Box::new(self.adopt(entry))),
            Some(other) if other.entry.life == Life::Deleting => Learned::Undecided,
            // The earlier of two creations under way keeps the name; one that is active has it for good.
            Some(other) if other.entry.life == Life::Creating && entry.id < other.entry.id => {
                Learned::Undecided
            }
            Some(_) => Learned::Refused,
        }
    }

    /// Decides whether changes are shipped to a region; `None` when nothing changes.
    pub fn pause(&self, to: &RegionName, paused: bool) -> Option<Update> {
        let mut settings = self.settings.clone();
        let changed = match paused {
            true => settings.paused.insert(to.clone()),
            false => settings.paused.remove(to),
        };
        changed.then_some(Update { settings: Some(settings), ..Update::default() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::{KeyAttribute, KeyHash, KeyType};

    use super::*;
    use crate::entry::tests::name;

    fn schema() -> KeySchema {
        KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None }
    }

    fn create(catalog: &mut Catalog, regions: &[&str], now: u64) -> Result<TableId, Error> {
        let regions = regions.iter().map(|region| name(region)).collect();
        let movies = TableName::new("movies").expect("a table's name");
        let (id, update) = catalog.create(movies, schema(), &regions, 3, HybridTime::from_u64(now))?;
        update.apply(catalog);
        Ok(id)
    }

    /// Tells one region all that another knows; a refusal is told back.
    fn tell(from: usize, to: usize, world: &mut [Catalog]) {
        let entries: Vec<_> = world[from].tables.values().map(|table| table.entry.clone()).collect();
        for entry in entries {
            let id = entry.id;
            match world[to].learn(entry) {
                Learned::Update(update) => update.apply(&mut world[to]),
                Learned::Refused => {
                    if let Some(update) = world[from].refused(id) {
                        update.apply(&mut world[from]);
                    }
                }
                Learned::Known | Learned::Undecided => {}
            }
        }
    }

    fn only() -> Nodes {
        Nodes::begun_with(&[NodeId::ONLY], &BTreeMap::new())
    }

    fn world() -> Vec<Catalog> {
        ["a", "b", "c"].map(|region| Catalog::new(name(region), only())).to_vec()
    }

    /// All tell all, until a round brings nothing new.
    fn settle(world: &mut [Catalog]) {
        for _ in 0..50 {
            let before = world.to_vec();
            for (from, to) in (0..9).map(|pair| (pair / 3, pair % 3)).filter(|(from, to)| from != to) {
                tell(from, to, world);
            }
            if *world == before[..] {
                return;
            }
        }
        panic!("the regions do not come to rest");
    }

    #[test]
    fn a_table_is_active_when_all_have_confirmed() {
        let mut world = world();
        let id = create(&mut world[0], &["a", "b", "c"], 5).expect("created");
        tell(0, 1, &mut world);
        tell(1, 0, &mut world);
        assert_eq!(world[0].tables[&id].entry.life, Life::Creating);
        settle(&mut world);
        for catalog in &world {
            assert_eq!(catalog.tables[&id].entry.life, Life::Active);
            assert_eq!(catalog.tables[&id].entry, world[0].tables[&id].entry);
        }
    }

    #[test]
    fn a_late_creation_never_undoes_a_deletion() {
        let mut world = world();
        let id = create(&mut world[0], &["a", "b"], 5).expect("created");
        settle(&mut world);
        let late = world[0].tables[&id].entry.clone();
        let (_, update) = world[1].delete(&late.name).expect("deleted");
        update.apply(&mut world[1]);
        settle(&mut world);
        assert_eq!(world[0].tables[&id].entry.life, Life::Deleted);
        for catalog in &mut world[..2] {
            assert_eq!(catalog.learn(late.clone()), Learned::Known);
            assert!(catalog.find(&late.name).is_none());
        }
        let again = create(&mut world[0], &["a", "b"], 5).expect("created again");
        assert!(again > id, "an id is never used twice");
    }

    #[test]
    fn small_tables_are_led_by_all_nodes_alike() {
        let nodes: Vec<_> = (1..=3).map(NodeId).collect();
        let mut catalog = Catalog::new(name("a"), Nodes::begun_with(&nodes, &BTreeMap::new()));
        let regions = BTreeSet::from([name("a")]);
        for table in 0..6 {
            let table = TableName::new(format!("table-{table}")).expect("a table's name");
            let (_, update) =
                catalog.create(table, schema(), &regions, 1, HybridTime::ZERO).expect("created");
            update.apply(&mut catalog);
        }
        assert!(nodes.iter().all(|node| catalog.shares_of(*node).1 == 2));
    }

    #[test]
    fn numbers_are_never_issued_twice() {
        let mut catalog = Catalog::new(name("a"), only());
        let first = create(&mut catalog, &["a"], 5).expect("created");
        let (_, update) = catalog.delete(&catalog.tables[&first].entry.name.clone()).expect("deleted");
        update.apply(&mut catalog);
        let second = create(&mut catalog, &["a"], 6).expect("created");
        assert_eq!(catalog.tables[&second].first_group.0, catalog.tables[&first].first_group.0 + 3);
        assert_eq!(catalog.settings.next_counter, 3);
    }

    proptest! {
        #[test]
        fn concurrent_creations_resolve_identically(
            creators in proptest::collection::vec((0usize..3, 1u64..4), 1..4),
            told in proptest::collection::vec((0usize..3, 0usize..3), 0..30),
        ) {
            let mut world = world();
            let mut told = told.into_iter();
            for (region, now) in creators {
                let all = ["a", "b", "c"];
                let others = if now == 3 { &all[..] } else { &all[region.min(1)..] };
                let _ = create(&mut world[region], others, now);
                for (from, to) in told.by_ref().take(8) {
                    if from != to {
                        tell(from, to, &mut world);
                    }
                }
            }
            settle(&mut world);
            let ids: BTreeSet<_> = world.iter().flat_map(|catalog| catalog.tables.keys()).copied().collect();
            for id in ids {
                let entries: Vec<_> = world.iter().filter_map(|catalog| catalog.tables.get(&id)).collect();
                for table in &entries {
                    prop_assert_eq!(&table.entry, &entries[0].entry);
                    prop_assert!(matches!(table.entry.life, Life::Active | Life::Deleted));
                }
            }
        }

        #[test]
        fn every_hash_has_the_partition_whose_range_holds_it(hash in any::<u64>(), partitions in 1u32..5000) {
            let mut catalog = Catalog::new(name("a"), only());
            let id = create(&mut catalog, &["a"], 5).expect("created");
            let mut table = catalog.tables[&id].clone();
            table.entry.partitions = partitions;
            let group = table.partition_of(KeyHash(hash));
            prop_assert!(table.range(group).expect("one of its partitions").contains(KeyHash(hash)));
        }
    }
}
