//! Three shards of three regions, joined by perfect links and driven by hand: the four flows end to end.
//!
//! No faults here; the simulator has those. These tests show that the flows work, step by step.

#[expect(dead_code, reason = "shared with another test, which uses the rest")]
mod world;

use item::Outcome;
use types::command::{RegionCommand, TableAnswer};
use types::limits;
use world::{World, get, item, put};

#[test]
fn a_write_in_one_region_is_read_in_the_others() {
    let mut world = World::new(&["a", "b", "c"]);
    world.create("movies", &["a", "b", "c"], 4);
    assert!(matches!(world.ask(0, put("movies", "k", "one")), Ok(Outcome::Written(None))));
    world.run_ms(1000);
    for region in 0..3 {
        assert_eq!(world.read(region, get("movies", "k")), Some(item("k", "one")), "region {region}");
    }
}

#[test]
fn the_later_write_wins_and_the_earlier_is_ledgered_once() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 1);
    world.region(0, RegionCommand::Pause { to: world.name(1) });
    world.region(1, RegionCommand::Pause { to: world.name(0) });
    world.ask(0, put("movies", "k", "earlier")).expect("written");
    world.run_ms(100);
    world.ask(1, put("movies", "k", "later")).expect("written");
    world.region(0, RegionCommand::Resume { to: world.name(1) });
    world.region(1, RegionCommand::Resume { to: world.name(0) });
    world.run_ms(1000);
    for region in 0..2 {
        assert_eq!(world.read(region, get("movies", "k")), Some(item("k", "later")), "region {region}");
    }
    assert_eq!(world.shards[0].figures().ledger_entries, 1, "the lost write was made in a");
    assert_eq!(world.shards[1].figures().ledger_entries, 0);
}

#[test]
fn a_page_too_long_for_a_turn_is_read_outside_it() {
    let mut world = World::new(&["a"]);
    world.create("movies", &["a"], 4);
    let value = "x".repeat(limits::PAGE_IN_TURN_BYTES_MAX / 8);
    for at in 0..16 {
        world.ask(0, put("movies", &format!("k{at}"), &value)).expect("written");
    }
    let (page, left) = world.page(0, "movies", Some(5));
    assert_eq!((page.count, page.last.is_some(), left), (5, true, false));
    let (page, left) = world.page(0, "movies", None);
    assert_eq!((page.count, page.last.is_some(), left), (16, false, true));
}

#[test]
fn a_pause_holds_back_one_direction_and_survives_a_restart() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 2);
    world.region(0, RegionCommand::Pause { to: world.name(1) });
    world.ask(0, put("movies", "there", "x")).expect("written");
    world.ask(1, put("movies", "here", "x")).expect("written");
    world.crash(0);
    world.run_ms(3000);
    assert_eq!(world.read(0, get("movies", "here")), Some(item("here", "x")));
    assert_eq!(world.read(1, get("movies", "there")), None);
    assert_eq!(world.shards[0].figures().peers[0].pending_changes, 1);
    world.region(0, RegionCommand::Resume { to: world.name(1) });
    world.run_ms(3000);
    assert_eq!(world.read(1, get("movies", "there")), Some(item("there", "x")));
    assert_eq!(world.shards[0].figures().peers[0].pending_changes, 0);
}

#[test]
fn acknowledged_writes_survive_a_crash_of_everything() {
    let mut world = World::new(&["a", "b", "c"]);
    world.create("movies", &["a", "b", "c"], 3);
    for number in 0..50 {
        world.ask(number % 3, put("movies", &format!("k{number}"), "x")).expect("written");
        if number % 11 == 5 {
            world.flush(number % 2);
        }
        if number % 7 == 0 {
            (0..3).for_each(|region| world.crash(region));
            world.run_ms(700);
        }
    }
    world.run_ms(5000);
    for number in 0..50 {
        let key = format!("k{number}");
        for region in 0..3 {
            assert_eq!(world.read(region, get("movies", &key)), Some(item(&key, "x")), "{key} in {region}");
        }
    }
}

#[test]
fn tombstones_are_collected_once_all_have_passed_them() {
    let mut world = World::new(&["a", "b", "c"]);
    world.create("movies", &["a", "b", "c"], 2);
    for number in 0..20 {
        let key = format!("k{number}");
        world.ask(0, put("movies", &key, "x")).expect("written");
        world.ask(1, world::delete("movies", &key)).expect("deleted");
    }
    world.run_ms(10_000);
    for shard in &world.shards {
        assert_eq!(shard.figures().tombstones_collected, 20);
    }
    assert_eq!(world.changes(), 0, "changes that all have are trimmed");
    assert_eq!(world.read(2, get("movies", "k3")), None);
}

#[test]
fn a_dropped_table_leaves_nothing_and_its_name_is_free() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 3);
    world.ask(0, put("movies", "k", "x")).expect("written");
    world.run_ms(1000);
    world.drop_table(1, "movies");
    world.run_ms(2000);
    assert_eq!(world.records(), 0);
    world.crash(0);
    world.crash(1);
    world.run_ms(1000);
    assert_eq!(world.records(), 0);
    world.create("movies", &["a", "b"], 1);
    assert_eq!(world.read(0, get("movies", "k")), None);
}

#[test]
fn equal_regions_have_equal_digests() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 4);
    for number in 0..30 {
        world.ask(number % 2, put("movies", &format!("k{number}"), "x")).expect("written");
    }
    world.run_ms(2000);
    let digests = [0, 1].map(|region| match world.digest(region, "movies") {
        TableAnswer::Digest { parts, .. } => parts,
        other => panic!("{other:?}"),
    });
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0].iter().map(|part| part.count).sum::<u64>(), 30);
}
