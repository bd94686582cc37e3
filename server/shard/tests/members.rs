//! Nodes that join, are drained, removed and replaced, with the tables' data following them.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use std::collections::BTreeSet;

use item::Outcome;
use item::operation::{Command, Operation, PageOptions, Scan};
use item::outcome::Answer;
use types::NodeId;
use types::command::{ClusterCommand, NodeState};
use world::{World, get, put, value};

const TABLE: &str = "movies";
const KEYS: u32 = 60;

fn key(number: u32) -> String {
    format!("k{number}")
}

/// A region of so many nodes with a table full of items.
fn region(nodes: usize) -> World {
    let mut world = World::cluster(nodes);
    world.create_in_cluster(TABLE, 8);
    write(&mut world, "a");
    world
}

fn write(world: &mut World, text: &str) {
    for number in 0..KEYS {
        world.ask_cluster(&put(TABLE, &key(number), text));
    }
}

fn check(world: &mut World, text: &str) {
    for number in 0..KEYS {
        let (_, outcome) = world.ask_cluster(&get(TABLE, &key(number)));
        assert_eq!(value(outcome), Some(world::item(&key(number), text)), "{}", key(number));
    }
    world.assert_replicas_equal(TABLE);
}

fn replicas(world: &mut World, at: usize) -> u64 {
    let statuses = world.node_statuses();
    statuses.iter().find(|status| status.node == NodeId(at as u64 + 1)).expect("it is known").replicas
}

#[test]
fn a_node_that_joins_is_given_its_share() {
    let mut world = region(3);
    let joined = world.join();
    world.run_until_settled(TABLE, 3);
    assert_eq!(replicas(&mut world, joined), 6);
    check(&mut world, "a");
    // It is a replica like any other: without one of the others, and after a crash of its own.
    world.kill(0);
    write(&mut world, "b");
    world.kill(joined);
    world.start_again(joined);
    world.run_ms(3000);
    world.start_again(0);
    check(&mut world, "b");
}

#[test]
fn a_region_of_one_node_becomes_one_of_three() {
    let mut world = World::cluster(1);
    world.create(TABLE, &["a"], 4);
    write(&mut world, "a");
    world.join();
    world.run_until_settled(TABLE, 2);
    world.join();
    world.run_until_settled(TABLE, 3);
    check(&mut world, "a");
    world.kill(0);
    write(&mut world, "b");
    world.start_again(0);
    world.run_ms(5000);
    check(&mut world, "b");
}

#[test]
fn a_node_that_lost_its_disk_is_replaced() {
    let mut world = region(3);
    world.kill(2);
    write(&mut world, "b");
    world.remove(2).expect("it is dead");
    let joined = world.join();
    world.run_until_settled(TABLE, 3);
    assert_eq!((replicas(&mut world, 2), replicas(&mut world, joined)), (0, 8));
    check(&mut world, "b");
    // Whoever is left is enough: the catalog does not count the dead one any more.
    world.kill(1);
    write(&mut world, "c");
    world.start_again(1);
    world.run_ms(5000);
    check(&mut world, "c");
    world.start_again(2);
    world.run_ms(5000);
    check(&mut world, "c");
}

#[test]
fn a_drained_node_gives_up_everything_and_can_be_removed() {
    let mut world = region(4);
    let refused = world.remove(1).expect_err("it lives and holds replicas");
    assert!(matches!(refused, item::Error::NodeInUse { replicas: 6, .. }), "{refused}");
    world.drain(1).expect("drained");
    world.run_until_settled(TABLE, 3);
    assert_eq!(replicas(&mut world, 1), 0);
    check(&mut world, "a");
    world.remove(1).expect("it holds nothing");
    world.run_ms(10_000);
    assert!(world.down.contains(&1), "it has heard of it and stopped");
    assert_eq!(world.node_statuses()[1].state, NodeState::Removed);
    // Should it start again, nobody listens to it.
    world.start_again(1);
    let number = world.start(1, Command::Item(get(TABLE, &key(0))));
    world.run_ms(10_000);
    assert!(world.reply(number).is_none_or(|answer| answer.is_err()));
    assert!(world.down.contains(&1), "and it stops again");
    write(&mut world, "b");
    check(&mut world, "b");
}

#[test]
fn what_was_given_up_can_come_back() {
    let mut world = region(4);
    for round in ["b", "c", "d"] {
        world.drain(0).expect("drained");
        world.run_until_settled(TABLE, 3);
        write(&mut world, round);
        world.resume(0).expect("resumed");
        world.run_ms(5000);
        world.run_until_settled(TABLE, 3);
        assert_eq!(replicas(&mut world, 0), 6);
        check(&mut world, round);
        world.crash_node(0);
        check(&mut world, round);
    }
}

/// A leader whose log began with its own data cannot give anybody what went before.
#[test]
fn a_member_that_was_away_for_long_is_given_data_anew() {
    let mut world = region(3);
    world.kill(2);
    let joined = world.join();
    world.drain(2).expect("drained");
    world.run_until_settled(TABLE, 3);
    assert_eq!((replicas(&mut world, 2), replicas(&mut world, joined)), (0, 8));
    write(&mut world, "b");
    // The catalog's log reaches back only on those who were there when the third was.
    world.kill(0);
    world.kill(1);
    world.start_again(2);
    world.start_again(1);
    world.run_ms(5000);
    write(&mut world, "c");
    world.start_again(0);
    world.resume(2).expect("resumed");
    world.run_ms(5000);
    world.run_until_settled(TABLE, 3);
    assert_eq!(replicas(&mut world, 2), 6);
    check(&mut world, "c");
}

/// Changes that no peer has travel with the replicas: whoever leads later ships them (`P12`).
#[test]
fn what_is_not_shipped_yet_follows_the_replicas() {
    let mut world = World::with_nodes(&["a", "b"], 4);
    world.create_in_clusters(TABLE, &["a", "b"], 1);
    let b = world.name(4);
    world.pause(&b);
    write(&mut world, "a");
    let before = world.partitions(TABLE)[0].clone();
    // One after the other, every replica goes elsewhere.
    for _ in 0..3 {
        let seats = world.partitions(TABLE)[0].seats.clone();
        let free = (1..=4).map(NodeId).find(|node| seats.iter().all(|(seated, _)| seated != node));
        let oldest = seats
            .iter()
            .map(|(node, _)| *node)
            .find(|node| before.seats[..].iter().any(|(old, _)| old == node));
        let partition = before.partition;
        let (from, to) = (oldest.expect("some are left"), free.expect("one of four"));
        let table = types::TableName::new(TABLE).expect("a name");
        world.cluster_command(&ClusterCommand::Move { table, partition, from, to }).expect("moved");
        world.run_until_settled(TABLE, 3);
    }
    world.resume_shipping(&b);
    world.run_ms(10_000);
    for number in 0..KEYS {
        let (_, outcome) = world.ask_region(1, &get(TABLE, &key(number)));
        assert_eq!(value(outcome), Some(world::item(&key(number), "a")), "{}", key(number));
    }
}

/// Where no node holds all partitions, each reads as far as it can, and says where to go on.
#[test]
fn a_scan_goes_from_node_to_node() {
    let mut world = region(5);
    for consistent in [false, true] {
        let (mut found, mut at, mut pages) = (BTreeSet::new(), 0, 0);
        let (mut after, mut from) = (None, None);
        loop {
            let page = PageOptions { consistent, after: after.clone(), ..PageOptions::default() };
            let table = types::TableName::new(TABLE).expect("a name");
            let scan = Operation::Scan(Scan { table, segment: None, from, page });
            pages += 1;
            let page = match world.wait_for(at, Command::Item(scan)) {
                Some(Ok(Answer::Item(Outcome::Page(page)))) => page,
                Some(Err(item::Error::Elsewhere { node })) => {
                    at = node.0 as usize - 1;
                    continue;
                }
                other => panic!("{other:?}"),
            };
            for item in page.items {
                assert!(found.insert(format!("{:?}", item["k"])), "each item once");
            }
            match (page.last, page.rest) {
                (Some(last), None) => (after, from) = (Some(last), None),
                (None, Some((node, hash))) => (at, from) = (node.0 as usize - 1, Some(hash)),
                (None, None) => break,
                both => panic!("{both:?}"),
            }
        }
        assert_eq!(found.len(), KEYS as usize);
        assert!(pages > 2, "no node holds everything");
    }
}
