//! Regions of three nodes each that replicate to each other: whichever node takes a batch, whoever leads, and
//! whatever fails meanwhile, all replicas end up the same.
//!
//! No clocks of their own here; the simulator has those.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use std::collections::BTreeMap;

use item::operation::{Command, Get, Operation};
use item::outcome::Answer;
use item::{AttributeValue, Error, Item, Outcome};
use proptest::prelude::*;
use types::command::{RegionCommand, TableAnswer};
use world::{World, delete, get, item, put};

const REGIONS: [&str; 2] = ["a", "b"];

fn clusters() -> World {
    let mut world = World::with_nodes(&REGIONS, 3);
    world.create_in_clusters("movies", &REGIONS, 4);
    world
}

/// All replicas in all regions hold the same.
fn assert_equal(world: &mut World) {
    let digests: Vec<_> = (0..6)
        .map(|node| match world.digest(node, "movies") {
            TableAnswer::Digest { parts, .. } => parts,
            other => panic!("{other:?}"),
        })
        .collect();
    for digest in &digests {
        assert_eq!(digest, &digests[0]);
    }
}

fn value(outcome: Outcome) -> Option<Item> {
    match outcome {
        Outcome::Stored(item) => item.map(|item| item.item()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_write_in_one_region_is_read_from_every_node_of_the_other() {
    let mut world = clusters();
    for at in 0..40 {
        world.ask_region(at % 2, &put("movies", &format!("k{at}"), "one"));
    }
    world.run_ms(1000);
    assert_equal(&mut world);
    for node in 0..6 {
        for at in 0..40 {
            let Operation::Get(strong) = get("movies", &format!("k{at}")) else { unreachable!("a get") };
            let eventual = Operation::Get(Get { consistent: false, ..strong });
            let read = world.command(node, Command::Item(eventual));
            let Ok(Answer::Item(outcome)) = read else { panic!("{read:?}") };
            assert_eq!(value(outcome), Some(item(&format!("k{at}"), "one")), "node {node}");
        }
    }
}

#[test]
fn everything_arrives_though_leaders_and_receivers_are_lost() {
    let mut world = clusters();
    for round in 0..6 {
        // One node of each region at a time, each of them once.
        let lost = [round % 3, 3 + round % 3];
        for at in 0..20 {
            world.ask_region(at % 2, &put("movies", &format!("k{at}"), &format!("before {round}")));
        }
        lost.iter().for_each(|node| world.kill(*node));
        for at in 0..20 {
            world.ask_region(at % 2, &put("movies", &format!("k{at}"), &format!("{round}")));
        }
        lost.iter().for_each(|node| world.start_again(*node));
    }
    world.run_ms(5000);
    assert_equal(&mut world);
    for at in 0..20 {
        let (_, read) = world.ask_region(1 - at % 2, &get("movies", &format!("k{at}")));
        assert_eq!(value(read), Some(item(&format!("k{at}"), "5")));
    }
}

#[test]
fn what_was_deleted_is_collected_once_all_have_passed_it() {
    let mut world = clusters();
    for at in 0..10 {
        world.ask_region(0, &put("movies", &format!("k{at}"), "one"));
    }
    world.run_ms(1000);
    for at in 0..10 {
        world.ask_region(1, &delete("movies", &format!("k{at}")));
    }
    world.run_ms(1000);
    assert!(world.records() > 0, "tombstones are kept at first");
    world.run_ms(30_000);
    assert_eq!((world.records(), world.changes()), (0, 0));
}

#[test]
fn what_a_receiver_does_not_hold_reaches_whoever_leads_it() {
    let mut world = World::with_nodes(&REGIONS, 5);
    world.create_in_clusters("movies", &REGIONS, 15);
    // Of every partition somebody else has to lead now than whoever is to, in one region after the other.
    for lost in [5, 6, 7] {
        world.kill(lost);
        for at in 0..30 {
            world.ask_region(0, &put("movies", &format!("k{at}"), &format!("without {lost}")));
        }
        world.run_ms(15_000);
        for at in 0..30 {
            let (_, read) = world.ask_region(1, &get("movies", &format!("k{at}")));
            assert_eq!(value(read), Some(item(&format!("k{at}"), &format!("without {lost}"))));
        }
        world.start_again(lost);
        world.run_ms(3000);
    }
}

#[test]
fn a_pause_decided_by_one_node_holds_back_all() {
    let mut world = clusters();
    let b = world.name(3);
    let paused =
        |world: &mut World, command: fn(types::RegionName) -> RegionCommand, b: &types::RegionName| {
            let told = world.nodes_of(0).any(|node| {
                let command = Command::Region(command(b.clone()));
                world.command(node, command).is_ok()
            });
            assert!(told, "somebody leads the catalog");
            world.run_ms(500);
        };
    paused(&mut world, |to| RegionCommand::Pause { to }, &b);
    for at in 0..20 {
        world.ask_region(0, &put("movies", &format!("k{at}"), "one"));
    }
    world.run_ms(3000);
    assert!(value(world.ask_region(1, &get("movies", "k7")).1).is_none());
    paused(&mut world, |to| RegionCommand::Resume { to }, &b);
    world.run_ms(3000);
    assert_equal(&mut world);
    assert_eq!(value(world.ask_region(1, &get("movies", "k7")).1), Some(item("k7", "one")));
}

#[derive(Clone, Debug)]
enum Act {
    /// Writes a key that only this region writes, asking one of its nodes.
    Put(usize, u8),
    Kill(usize),
    Start(usize),
    /// Cuts one direction between two nodes, of whatever regions.
    Cut(usize, usize),
    Heal,
    /// Stops a node for a while, without its knowing.
    Freeze(usize, u64),
    Flush(usize),
    Run(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let node = || 0..6usize;
    prop_oneof![
        10 => (node(), 0..3u8).prop_map(|(node, key)| Act::Put(node, key)),
        1 => node().prop_map(Act::Kill),
        2 => node().prop_map(Act::Start),
        3 => (node(), node()).prop_map(|(from, to)| Act::Cut(from, to)),
        1 => Just(Act::Heal),
        1 => (node(), 50..3000u64).prop_map(|(node, ms)| Act::Freeze(node, ms)),
        1 => node().prop_map(Act::Flush),
        4 => (5..1500u64).prop_map(Act::Run),
    ]
}

/// The newest acknowledged number of each key, and the newest that was ever tried.
#[derive(Default)]
struct Model {
    acknowledged: BTreeMap<String, u64>,
    tried: u64,
}

impl Model {
    fn run(&mut self, world: &mut World, act: &Act) {
        match *act {
            Act::Put(node, key) if !world.down.contains(&node) => self.put(world, node, key),
            Act::Kill(node) => world.kill(node),
            Act::Start(node) if world.down.contains(&node) => world.start_again(node),
            Act::Cut(from, to) => world.cut.push((from, to)),
            Act::Heal => world.cut.clear(),
            Act::Freeze(node, ms) if world.down.insert(node) => {
                world.run_ms(ms);
                world.down.remove(&node);
            }
            Act::Flush(node) if !world.down.contains(&node) => world.flush(node),
            Act::Run(ms) => world.run_ms(ms),
            Act::Put(..) | Act::Start(_) | Act::Freeze(..) | Act::Flush(_) => {}
        }
    }

    fn put(&mut self, world: &mut World, node: usize, key: u8) {
        let key = format!("{}{key}", REGIONS[node / 3]);
        self.tried += 1;
        let number = world.start(node, Command::Item(put("movies", &key, &self.tried.to_string())));
        for _ in 0..600 {
            world.run_ms(5);
            match world.reply(number) {
                None => {}
                Some(Ok(_)) => {
                    self.acknowledged.insert(key, self.tried);
                    return;
                }
                Some(Err(Error::NotLeader | Error::Elsewhere { .. } | Error::OutcomeUnknown)) => return,
                Some(Err(other)) => panic!("{other}"),
            }
        }
    }

    fn check(&self, world: &mut World) {
        for (key, acknowledged) in &self.acknowledged {
            for region in 0..2 {
                let read = value(world.ask_region(region, &get("movies", key)).1);
                let number = read.map(|item| match &item["v"] {
                    AttributeValue::S(text) => text.parse::<u64>().expect("a number was written"),
                    other => panic!("{other:?}"),
                });
                assert!(
                    number >= Some(*acknowledged),
                    "{key} holds {number:?}, {acknowledged} was acknowledged"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn all_replicas_end_up_the_same(
        acts in proptest::collection::vec(act(), 1..60),
        delay_ms in 0..40u64,
    ) {
        let mut world = clusters();
        world.delay_ms = delay_ms;
        let mut model = Model::default();
        for act in &acts {
            model.run(&mut world, act);
        }
        world.cut.clear();
        for node in world.down.clone() {
            world.start_again(node);
        }
        world.run_ms(12_000);
        assert_equal(&mut world);
        model.check(&mut world);
    }
}
