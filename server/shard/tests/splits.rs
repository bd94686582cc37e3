//! Partitions that are split while they are used: nothing is lost or doubled, within a region and between.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use item::operation::{Command, Operation};
use types::command::{ClusterAnswer, ClusterCommand, PartitionStatus};
use types::{GroupId, KeyHash, RequestId, TableName};
use world::{World, delete, get, item, put, value};

const TABLE: &str = "movies";

fn split(world: &mut World, partition: u64, at: Option<u64>) -> Result<ClusterAnswer, item::Error> {
    let (table, partition) = (TableName::new(TABLE).expect("a name"), GroupId(partition));
    world.cluster_command(&ClusterCommand::Split { table, partition, at: at.map(KeyHash) })
}

/// Splits a partition, and waits until its child is heard of.
fn split_and_wait(world: &mut World, partition: u64, at: Option<u64>) {
    split(world, partition, at).expect("it can be split");
    for _ in 0..200 {
        world.run_ms(100);
        if world.partitions(TABLE).iter().all(|status| !status.splitting) {
            return;
        }
    }
    panic!("never split: {:?}", world.partitions(TABLE));
}

fn key(at: usize) -> String {
    format!("k{at}")
}

fn write_all(world: &mut World, value: &str) {
    for at in 0..40 {
        world.ask_region(0, &put(TABLE, &key(at), value));
    }
}

fn check_all(world: &mut World, region: usize, expected: &str) {
    for at in 0..40 {
        let (_, read) = world.ask_region(region, &get(TABLE, &key(at)));
        assert_eq!(value(read), Some(item(&key(at), expected)));
    }
}

const FIRST: u64 = GroupId::FIRST.0;

#[test]
fn halves_and_their_halves_hold_what_the_whole_held() {
    for nodes in [1, 3] {
        let mut world = World::with_nodes(&["a"], nodes);
        world.create_in_clusters(TABLE, &["a"], 1);
        write_all(&mut world, "whole");
        split_and_wait(&mut world, FIRST, None);
        check_all(&mut world, 0, "whole");
        write_all(&mut world, "halves");
        for partition in [FIRST, FIRST + 1] {
            split_and_wait(&mut world, partition, None);
        }
        check_all(&mut world, 0, "halves");
        let statuses = world.partitions(TABLE);
        assert_eq!(statuses.len(), 4);
        assert!(statuses.windows(2).all(|pair| pair[0].range.touches(&pair[1].range)));
        world.assert_replicas_equal(TABLE);
        for node in 0..nodes {
            world.kill(node);
        }
        for node in 0..nodes {
            world.start_again(node);
        }
        world.run_ms(5000);
        check_all(&mut world, 0, "halves");
    }
}

#[test]
fn what_was_not_shipped_yet_is_shipped_by_both_halves() {
    let mut world = World::with_nodes(&["a", "b"], 3);
    world.create_in_clusters(TABLE, &["a", "b"], 1);
    let b = world.name(3);
    write_all(&mut world, "before");
    world.run_ms(3000);
    world.pause(&b);
    write_all(&mut world, "meanwhile");
    world.ask_region(0, &delete(TABLE, "k7"));
    split_and_wait(&mut world, FIRST, None);
    world.resume_shipping(&b);
    world.run_ms(8000);
    world.assert_equal(TABLE);
    let (_, read) = world.ask_region(1, &get(TABLE, "k7"));
    assert_eq!(value(read), None);
    world.ask_region(0, &put(TABLE, "k7", "meanwhile"));
    world.run_ms(3000);
    check_all(&mut world, 1, "meanwhile");
}

#[test]
fn a_request_is_known_to_the_half_that_has_its_item() {
    let mut world = World::cluster(3);
    world.create_in_cluster(TABLE, 1);
    for at in 0..20_u8 {
        let Operation::Put(mut first) = put(TABLE, &key(at.into()), "first") else { unreachable!("a put") };
        first.options.request = Some(RequestId([at; 16]));
        world.ask_region(0, &Operation::Put(first));
        world.ask_region(0, &put(TABLE, &key(at.into()), "second"));
    }
    split_and_wait(&mut world, FIRST, None);
    for at in 0..20_u8 {
        let Operation::Put(mut again) = put(TABLE, &key(at.into()), "first") else { unreachable!("a put") };
        again.options.request = Some(RequestId([at; 16]));
        world.ask_region(0, &Operation::Put(again));
        let (_, read) = world.ask_region(0, &get(TABLE, &key(at.into())));
        assert_eq!(value(read), Some(item(&key(at.into()), "second")), "it was written twice");
    }
}

#[test]
fn what_decides_too_much_for_long_is_split_by_itself() {
    let mut world = World::cluster(3);
    world.create_in_cluster(TABLE, 1);
    // Two and a half thousand a second, for twenty.
    for round in 0..800 {
        for at in 0..65 {
            let put = put(TABLE, &key((round * 65 + at) % 997), "v");
            for node in 0..3 {
                world.start(node, Command::Item(put.clone()));
            }
        }
        world.run_ms(25);
    }
    let statuses = world.partitions(TABLE);
    assert!((3..=6).contains(&statuses.len()), "{} partitions", statuses.len());
    let hot = |status: &PartitionStatus| status.load.is_some_and(|load| load.per_second > 1800);
    assert!(!statuses.iter().any(hot), "{statuses:?}");
    world.run_ms(3000);
    world.assert_replicas_equal(TABLE);
}

#[test]
fn what_holds_too_much_is_split_by_itself() {
    let mut world = World::cluster(3);
    world.partition_bytes_max = 1500;
    // What a node is told of itself it is told when it starts.
    (0..3).for_each(|node| world.kill(node));
    (0..3).for_each(|node| world.start_again(node));
    world.create_in_cluster(TABLE, 1);
    write_all(&mut world, &"v".repeat(50));
    world.run_ms(200_000);
    let statuses = world.partitions(TABLE);
    assert!((3..=8).contains(&statuses.len()), "{} partitions", statuses.len());
    check_all(&mut world, 0, &"v".repeat(50));
    world.assert_replicas_equal(TABLE);
}

#[test]
fn refusals_name_what_is_wrong() {
    let mut world = World::cluster(3);
    world.create_in_cluster(TABLE, 2);
    for (partition, at, named) in [(FIRST + 2, None, "Partition"), (FIRST + 1, Some(7), "At")] {
        let refused = split(&mut world, partition, at).expect_err("nothing is split");
        assert!(refused.to_string().contains(named), "{refused}");
    }
    split(&mut world, FIRST, None).expect("begins");
    let busy = split(&mut world, FIRST, Some(5));
    assert_eq!(busy, Err(item::Error::PartitionInMotion { partition: GroupId(FIRST) }));
}
