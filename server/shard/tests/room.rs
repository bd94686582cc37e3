//! Nodes whose disks are nearly full: they refuse what would fill them, do everything else, and take all
//! again once there is room.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use std::collections::BTreeMap;

use item::operation::{BatchWrite, BatchWriteEntry, Command, Operation};
use item::{Error, Outcome};
use types::command::{NodeState, TableCommand};
use types::{KeyAttribute, KeySchema, KeyType, NodeId};
use world::{World, delete, get, item, name, put};

const RESERVE: u64 = 1000;

fn full(node: u64) -> Error {
    Error::StorageFull { node: NodeId(node), free_bytes: 10, needed_bytes: 1250 }
}

fn batch(puts: &[&str], deletes: &[&str]) -> Operation {
    let puts = puts.iter().map(|key| BatchWriteEntry::Put(item(key, "batch")));
    let deletes = deletes.iter().map(|of| match delete("movies", of) {
        Operation::Delete(delete) => BatchWriteEntry::Delete(delete.key),
        other => panic!("{other:?}"),
    });
    let entries = puts.chain(deletes).collect();
    Operation::BatchWrite(BatchWrite { tables: BTreeMap::from([(name("movies"), entries)]) })
}

fn refused(world: &mut World, region: usize, operation: Operation) -> Error {
    world.ask(region, operation).expect_err("there is no room")
}

#[test]
fn what_grows_is_refused_and_everything_else_goes_on() {
    let mut world = World::new(&["a"]);
    world.create("movies", &["a"], 4);
    for key in ["one", "two", "three"] {
        world.ask(0, put("movies", key, "before")).expect("written");
    }
    world.limit(0, 10, RESERVE);
    assert_eq!(refused(&mut world, 0, put("movies", "one", "after")), full(1));
    assert_eq!(refused(&mut world, 0, batch(&["one", "four"], &[])), full(1), "nothing was done of it");
    let key = KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None };
    let create = TableCommand::Create { name: name("books"), key, regions: vec![], partitions: 1 };
    assert_eq!(world.command(0, Command::Table(create)).err(), Some(full(1)));
    assert!(world.shards[0].figures().refused_for_room >= 4);
    world.ask(0, delete("movies", "two")).expect("deletes go on");
    match world.ask(0, batch(&["four"], &["three"])) {
        Ok(Outcome::Wrote(unprocessed)) => assert_eq!(unprocessed[&name("movies")].len(), 1),
        other => panic!("{other:?}"),
    }
    let left = [("one", Some(item("one", "before"))), ("two", None), ("three", None), ("four", None)];
    for (key, value) in left {
        assert_eq!(world.read(0, get("movies", key)), value, "{key}");
    }
    assert_eq!(world.page(0, "movies", None).0.count, 1);
    world.limit(0, RESERVE, RESERVE);
    assert!(matches!(refused(&mut world, 0, put("movies", "one", "after")), Error::StorageFull { .. }));
    world.limit(0, 2 * RESERVE, RESERVE);
    world.ask(0, put("movies", "one", "after")).expect("there is room again");
    assert_eq!(world.read(0, get("movies", "one")), Some(item("one", "after")));
}

#[test]
fn what_other_regions_bring_waits_for_room_and_is_not_lost() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 2);
    world.limit(1, 10, RESERVE);
    for at in 0..50 {
        world.ask(0, put("movies", &format!("k{at}"), "one")).expect("there is room in a");
    }
    world.run_ms(5000);
    assert_eq!(world.page(1, "movies", None).0.count, 0, "b takes nothing in");
    world.limit(1, 2 * RESERVE, RESERVE);
    world.run_ms(5000);
    assert_eq!(world.page(1, "movies", None).0.count, 50);
    world.assert_equal("movies");
}

#[test]
fn a_node_that_is_nearly_full_gives_its_replicas_away() {
    let mut world = World::cluster(4);
    world.create_in_cluster("movies", 4);
    for at in 0..40 {
        world.ask_cluster(&put("movies", &format!("k{at}"), "one"));
    }
    world.limit(0, 10, RESERVE);
    world.drain(0).expect("drained");
    world.run_until_settled("movies", 3);
    let nodes = world.node_statuses();
    assert_eq!((nodes[0].state, nodes[0].replicas), (NodeState::Draining, 0), "{nodes:?}");
    for at in 0..40 {
        world.ask_cluster(&put("movies", &format!("k{at}"), "two"));
    }
}

#[test]
fn what_most_followers_have_no_room_for_is_refused_and_what_one_has_none_for_is_not() {
    let mut world = World::cluster(3);
    world.create_in_cluster("movies", 1);
    let (leader, _) = world.ask_cluster(&put("movies", "k", "one"));
    let others: Vec<_> = (0..3).filter(|node| *node != leader).collect();
    world.limit(others[0], 10, RESERVE);
    world.ask_cluster(&put("movies", "k", "two"));
    world.limit(others[1], 10, RESERVE);
    let refused = world.command(leader, Command::Item(put("movies", "k", "three"))).expect_err("no room");
    assert_eq!(refused, full(others[0] as u64 + 1));
    world.ask_cluster(&delete("movies", "k"));
    world.limit(others[0], 2 * RESERVE, RESERVE);
    world.ask_cluster(&put("movies", "k", "four"));
}

#[test]
fn a_node_without_room_is_given_no_replicas() {
    let mut world = World::cluster(3);
    world.create_in_cluster("movies", 6);
    world.join();
    world.limit(3, 10, RESERVE);
    world.run_ms(20_000);
    let at_once = world.node_statuses()[3].replicas;
    world.run_ms(20_000);
    assert_eq!(world.node_statuses()[3].replicas, at_once);
    world.limit(3, 2 * RESERVE, RESERVE);
    world.run_until_settled("movies", 3);
    assert!(world.node_statuses()[3].replicas >= 4, "{:?}", world.node_statuses());
}
