//! The bytes of catalog entries and updates, as committed: logs, disks and peers out there hold them.

use std::collections::{BTreeMap, BTreeSet};

use region::{Child, Children, Copy, Entry, Life, Seat, Settings, Table, Update};
use types::{
    GroupId, HybridTime, Incarnation, KeyAttribute, KeyHash, KeySchema, KeyType, RegionId, RegionName,
    TableId, TableName, fixture,
};

fn entry(life: Life, sort: Option<KeyAttribute>) -> Entry {
    let region = |name: &str| RegionName::new(name).expect("a name");
    let confirmed = Copy::Confirmed(Incarnation { region: RegionId(8), counter: 2 });
    Entry {
        id: TableId { created: HybridTime::from_millis(7), origin: RegionId(8) },
        name: TableName::new("movies").expect("a name"),
        key: KeySchema { partition: KeyAttribute { name: "Title".into(), key_type: KeyType::S }, sort },
        partitions: 300,
        life,
        copies: BTreeMap::from([
            (region("a"), confirmed),
            (region("b"), Copy::Planned),
            (region("c"), Copy::Dropped),
        ]),
    }
}

#[test]
fn entries() {
    let row = Some(KeyAttribute { name: "row".into(), key_type: KeyType::N });
    let cases = [
        ("creating", entry(Life::Creating, None).encode()),
        ("active", entry(Life::Active, row).encode()),
        ("deleting", entry(Life::Deleting, None).encode()),
        ("deleted", entry(Life::Deleted, None).encode()),
    ];
    fixture::check(include_str!("../fixtures/entry.hex"), &cases, |_, bytes| {
        Entry::decode(bytes).ok().map(|entry| entry.encode())
    });
}

#[test]
fn updates() {
    let (entry, first_group, seats) = (entry(Life::Active, None), GroupId(16), Vec::new());
    let table = Table { entry, first_group, seats, children: Children::default() };
    let mut split = table.clone();
    let child = Child { parent: GroupId(16), first: KeyHash(1 << 60), seats: vec![Seat::ONLY], waits: true };
    split.children.insert(GroupId(316), child);
    let paused = BTreeSet::from([RegionName::new("b").expect("a name")]);
    let settings = Settings { next_group: GroupId(316), next_counter: 3, paused };
    let of = |table, settings| Update { table, settings, nodes: None }.encode();
    let cases = [
        ("table", of(Some(table.clone()), None)),
        ("settings", of(None, Some(settings.clone()))),
        ("both", of(Some(table), Some(settings))),
        ("split", of(Some(split), None)),
    ];
    fixture::check(include_str!("../fixtures/update.hex"), &cases, |_, bytes| {
        Update::decode(bytes).ok().map(|update| update.encode())
    });
}
