//! Regions of three nodes each that replicate to each other: whichever node takes a batch, whoever leads, and
//! whatever fails meanwhile, all replicas end up the same.
//!
//! No clocks of their own here; the simulator has those.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use std::collections::BTreeMap;

use item::operation::Command;
use item::outcome::Answer;
use item::{AttributeValue, Error};
use proptest::prelude::*;
use types::command::RegionCommand;
use world::fault::{self, Fault, fault};
use world::{World, delete, eventually, get, item, put, value};

const REGIONS: [&str; 2] = ["a", "b"];

fn clusters() -> World {
    let mut world = World::with_nodes(&REGIONS, 3);
    world.create_in_clusters("movies", &REGIONS, 4);
    world
}

#[test]
fn a_write_in_one_region_is_read_from_every_node_of_the_other() {
    let mut world = clusters();
    for at in 0..40 {
        world.ask_region(at % 2, &put("movies", &format!("k{at}"), "one"));
    }
    world.run_ms(1000);
    world.assert_equal("movies");
    for node in 0..6 {
        for at in 0..40 {
            let read = world.command(node, Command::Item(eventually("movies", &format!("k{at}"))));
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
    world.assert_equal("movies");
    for at in 0..20 {
        let (_, read) = world.ask_region(1 - at % 2, &get("movies", &format!("k{at}")));
        assert_eq!(value(read), Some(item(&format!("k{at}"), "5")));
    }
}

#[test]
fn a_node_that_comes_back_hears_of_leaders_that_rest() {
    let mut world = clusters();
    world.kill(1);
    world.ask_region(1, &put("movies", "k", "one"));
    world.run_ms(3000);
    world.start_again(1);
    world.run_ms(12_000);
    world.assert_equal("movies");
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
    world.assert_equal("movies");
    assert_eq!(value(world.ask_region(1, &get("movies", "k7")).1), Some(item("k7", "one")));
}

#[derive(Clone, Debug)]
enum Act {
    /// Writes a key that only this region writes, asking one of its nodes.
    Put(usize, u8),
    Fault(Fault),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => (0..6usize, 0..3u8).prop_map(|(node, key)| Act::Put(node, key)),
        fault::PARTS => fault(6, 1).prop_map(Act::Fault),
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
            Act::Fault(ref fault) => world.suffer(fault),
            Act::Put(..) => {}
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
        world.recover();
        world.run_ms(12_000);
        world.assert_equal("movies");
        model.check(&mut world);
    }
}
