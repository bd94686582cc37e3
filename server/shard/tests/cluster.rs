//! Three nodes of one region, joined by links that are cut at will: replicas, leaders, and what is read
//! where.
//!
//! No chance here; the simulator has that.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use item::Error;
use item::expression::{Condition, Substitutions};
use item::operation::{Command, Operation, PageOptions, Scan};
use item::outcome::Answer;
use world::{World, delete, eventually, get, item, put, value};

const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn cluster() -> World {
    let mut world = World::cluster(3);
    world.create_in_cluster("movies", 6);
    world
}

#[test]
fn every_node_leads_its_share_and_all_hold_the_same() {
    let mut world = cluster();
    let mut led = [0; 3];
    for key in (0..60).map(|at| format!("k{at}")) {
        led[world.ask_cluster(&put("movies", &key, "one")).0] += 1;
        let (_, read) = world.ask_cluster(&get("movies", &key));
        assert_eq!(value(read), Some(item(&key, "one")));
    }
    assert!(led.iter().all(|count| *count > 5), "{led:?}");
    world.run_ms(1000);
    world.assert_equal("movies");
    for node in 0..3 {
        let read = world.command(node, Command::Item(eventually("movies", "k7")));
        let Ok(Answer::Item(outcome)) = read else { panic!("{read:?}") };
        assert_eq!(value(outcome), Some(item("k7", "one")), "node {node}");
    }
}

#[test]
fn what_was_acknowledged_outlives_any_one_node() {
    let mut world = cluster();
    for (round, lost) in [0, 1, 2, 0].into_iter().enumerate() {
        let written = format!("round {round}");
        for key in KEYS {
            world.ask_cluster(&put("movies", key, &written));
        }
        world.kill(lost);
        for key in KEYS {
            let (node, read) = world.ask_cluster(&get("movies", key));
            assert_eq!((node == lost, value(read)), (false, Some(item(key, &written))));
            world.ask_cluster(&put("movies", key, "without one"));
        }
        world.start_again(lost);
        world.run_ms(3000);
        world.assert_equal("movies");
    }
}

#[test]
fn what_was_acknowledged_outlives_a_crash_of_all() {
    let mut world = cluster();
    for key in KEYS {
        world.ask_cluster(&put("movies", key, "one"));
    }
    (0..3).for_each(|node| world.kill(node));
    (0..3).for_each(|node| world.start_again(node));
    for key in KEYS {
        assert_eq!(value(world.ask_cluster(&get("movies", key)).1), Some(item(key, "one")));
    }
    world.run_ms(1000);
    world.assert_equal("movies");
}

#[test]
fn a_leader_that_was_cut_off_shows_nothing_old() {
    let mut world = cluster();
    let (leader, _) = world.ask_cluster(&put("movies", "k", "old"));
    for other in (0..3).filter(|node| *node != leader) {
        world.cut.extend([(leader, other), (other, leader)]);
    }
    // It still believes to lead when it is asked.
    let asked = world.start(leader, Command::Item(get("movies", "k")));
    world.run_ms(5);
    world.down.insert(leader);
    world.ask_cluster(&put("movies", "k", "new"));
    world.down.remove(&leader);
    world.run_ms(3000);
    let reply = world.reply(asked);
    assert!(matches!(reply, Some(Err(Error::NotLeader))), "{reply:?}");
    world.cut.clear();
    world.run_ms(3000);
    assert_eq!(value(world.ask_cluster(&get("movies", "k")).1), Some(item("k", "new")));
    world.assert_equal("movies");
}

#[test]
fn without_a_majority_nothing_is_acknowledged() {
    let mut world = cluster();
    let (leader, _) = world.ask_cluster(&put("movies", "k", "one"));
    let others: Vec<_> = (0..3).filter(|node| *node != leader).collect();
    others.iter().for_each(|node| world.kill(*node));
    let asked = world.start(leader, Command::Item(put("movies", "k", "two")));
    world.run_ms(5000);
    let reply = world.reply(asked);
    assert!(matches!(reply, Some(Err(Error::OutcomeUnknown))), "{reply:?}");
    world.start_again(others[0]);
    world.ask_cluster(&put("movies", "k", "three"));
    assert_eq!(value(world.ask_cluster(&get("movies", "k")).1), Some(item("k", "three")));
}

#[test]
fn whoever_comes_back_leads_its_share_again() {
    let mut world = cluster();
    let leaders = |world: &mut World| KEYS.map(|key| world.ask_cluster(&put("movies", key, "x")).0);
    let before = leaders(&mut world);
    world.kill(before[0]);
    assert!(!leaders(&mut world).contains(&before[0]));
    world.start_again(before[0]);
    world.run_ms(6000);
    assert_eq!(leaders(&mut world), before);
}

#[test]
fn logs_are_cut_once_all_members_hold_them() {
    let mut world = cluster();
    for round in 0..50 {
        world.ask_cluster(&put("movies", "k", &format!("{round}")));
    }
    world.kill(2);
    for round in 0..50 {
        world.ask_cluster(&put("movies", "k", &format!("later {round}")));
    }
    // What the lost node lacks is kept for it.
    let flush_all = |world: &mut World, nodes: &[usize]| {
        for _ in 0..2 {
            nodes.iter().for_each(|node| world.flush(*node));
            world.run_ms(100);
        }
    };
    flush_all(&mut world, &[0, 1]);
    let kept = world.log_entries(0);
    assert!((50..100).contains(&kept), "{kept}");
    world.start_again(2);
    world.run_ms(3000);
    world.assert_equal("movies");
    flush_all(&mut world, &[0, 1, 2]);
    for node in 0..3 {
        assert!(world.log_entries(node) < 20, "node {node} keeps {}", world.log_entries(node));
    }
    (0..3).for_each(|node| world.kill(node));
    (0..3).for_each(|node| world.start_again(node));
    assert_eq!(value(world.ask_cluster(&get("movies", "k")).1), Some(item("k", "later 49")));
}

#[test]
fn whoever_stops_hands_over_first() {
    let mut world = cluster();
    let leaders = |world: &mut World| KEYS.map(|key| world.ask_cluster(&put("movies", key, "x")).0);
    let leaving = leaders(&mut world)[0];
    world.shards[leaving].hand_over();
    world.run_ms(50);
    for key in KEYS {
        let led = world.command(leaving, Command::Item(put("movies", key, "y")));
        assert!(matches!(led, Err(Error::Elsewhere { .. })), "{led:?}");
    }
    world.kill(leaving);
    let begun = world.ms;
    leaders(&mut world);
    assert!(world.ms - begun < 500, "nobody waited for an election");
}

#[test]
fn a_strong_scan_reads_what_every_leader_acknowledged() {
    let mut world = cluster();
    for round in 0..5 {
        for key in KEYS {
            world.ask_cluster(&put("movies", key, &format!("{round}")));
        }
        // Each node lacks what some other leads unless it waits for it.
        for node in 0..3 {
            let (page, _) = world.page(node, "movies", None);
            let found: Vec<_> = page.items.iter().map(|item| item["v"].clone()).collect();
            assert_eq!(found, vec![item::AttributeValue::S(format!("{round}")); KEYS.len()], "node {node}");
        }
    }
    // One that is cut off cannot tell, and says so.
    world.cut.extend([(0, 1), (1, 0), (0, 2), (2, 0)]);
    let page = PageOptions { consistent: true, ..PageOptions::default() };
    let scan = Scan { table: types::TableName::new("movies").unwrap(), segment: None, from: None, page };
    let refused = world.command(0, Command::Item(Operation::Scan(scan)));
    assert!(matches!(refused, Err(Error::NotLeader)), "{refused:?}");
}

/// What was in flight when a leader stood still is not shown once another has led: that its followers held it
/// then, which it hears late, says nothing of who leads by now.
#[test]
fn a_leader_that_stood_still_shows_nothing_old_that_was_in_flight() {
    let mut world = cluster();
    let (leader, _) = world.ask_cluster(&put("movies", "k", "old"));
    world.ask_cluster(&delete("movies", "k"));
    world.run_ms(1000);
    // Its followers hold the write, and their word is under way for long.
    world.start(leader, Command::Item(put("movies", "k", "in flight")));
    world.run_ms(5);
    world.delay_ms = 3000;
    let heard_ms = world.ms + 5 + world.delay_ms;
    world.run_ms(5);
    world.delay_ms = 0;
    world.down.insert(leader);
    let (next, read) = world.ask_cluster(&get("movies", "k"));
    assert_eq!((next == leader, value(read)), (false, Some(item("k", "in flight"))));
    world.ask_cluster(&delete("movies", "k"));
    assert!(world.ms < heard_ms, "another leads before that");
    world.run_ms(heard_ms - world.ms - 5);
    world.down.remove(&leader);
    let absent = Condition::parse("attribute_not_exists(k)", &Substitutions::default()).expect("valid");
    let Operation::Put(mut request) = put("movies", "k", "newer") else { unreachable!("a put is a put") };
    request.options.condition = Some(absent);
    let asked = world.start(leader, Command::Item(Operation::Put(request)));
    world.run_ms(3000);
    let reply = world.reply(asked);
    assert!(!matches!(reply, Some(Err(Error::ConditionFailed { .. }))), "{reply:?}");
    world.assert_equal("movies");
}
