//! Bugs that were found, each with the steps that showed it, kept for ever.

#[expect(dead_code, reason = "shared with another test, which uses the rest")]
mod world;

use item::operation::Command;
use types::command::{RegionCommand, TableCommand};
use types::{TableName, TableState};
use world::{World, get, item, put};

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn dropping(name: &str) -> Command {
    Command::Table(TableCommand::Delete { name: TableName::new(name).expect("a name") })
}

/// A batch was weighed by its changes and shipped the records that had grown since: too long for a frame.
#[test]
fn records_that_grew_since_their_change_fit_their_batch() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 1);
    world.region(0, RegionCommand::Pause { to: world.name(1) });
    for bytes in [10, 390_000] {
        for number in 0..20 {
            world.ask(0, put("movies", &format!("k{number}"), &text(bytes))).expect("written");
        }
    }
    world.region(0, RegionCommand::Resume { to: world.name(1) });
    world.run_ms(5000);
    assert_eq!(world.shards[1].figures().messages_refused, 0);
    assert_eq!(world.shards[0].figures().peers[0].pending_changes, 0);
}

/// Every batch was sent again before its answer could arrive, and the answer to the earlier one did not
/// count.
#[test]
fn a_link_slower_than_the_first_guess_gets_everything_across() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 1);
    world.delay_ms = 1050;
    for number in 0..10 {
        world.ask(0, put("movies", &format!("k{number}"), &text(300_000))).expect("written");
    }
    world.run_ms(60_000);
    assert_eq!(world.shards[0].figures().peers[0].pending_changes, 0);
}

/// The drop was applied before effects of the same pass, which put records of the dropped table after it.
#[test]
fn a_drop_takes_what_was_written_in_its_own_turn() {
    let mut world = World::new(&["a"]);
    world.create("movies", &["a"], 1);
    world.start(0, Command::Item(put("movies", "k", "x")));
    world.start(0, dropping("movies"));
    world.run_ms(1000);
    assert_eq!(world.records(), 0);
}

/// The same, when a restart replays the drop and the dropped partition's log in one pass.
#[test]
fn a_replayed_drop_leaves_nothing() {
    let mut world = World::new(&["a"]);
    world.hold_flushes = true;
    world.create("movies", &["a"], 1);
    world.flush(0);
    world.ask(0, put("movies", "k", "x")).expect("written");
    world.drop_table(0, "movies");
    world.run_ms(1000);
    world.crash(0);
    world.run_ms(1000);
    assert_eq!(world.records(), 0);
}

/// The undoing of a refused creation took the name from the table that had it.
#[test]
fn a_refused_creation_leaves_the_name_to_its_owner() {
    let mut world = World::new(&["a", "b", "c"]);
    world.create_at(2, "movies", &["c"], 1);
    world.run_ms(100);
    world.cut = vec![(0, 1), (1, 0), (1, 2), (2, 1)];
    world.create_at(0, "movies", &["a", "b", "c"], 1);
    world.run_ms(10_000);
    world.ask(2, put("movies", "k", "x")).expect("written");
}

/// Each start began at the ceiling of the one before and set the next a second above it.
#[test]
fn a_region_that_restarts_often_is_not_held_back() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 1);
    for _ in 0..10 {
        world.crash(0);
        world.run_ms(20);
    }
    world.ask(0, put("movies", "k", "x")).expect("written");
    world.run_ms(3000);
    assert_eq!(world.read(1, get("movies", "k")), Some(item("k", "x")));
}

/// An applied change waited for the next pulse.
#[test]
fn an_idle_shard_ships_at_once() {
    let mut world = World::new(&["a", "b"]);
    world.create("movies", &["a", "b"], 1);
    for number in 0..20 {
        world.run_ms(1015 + 5 * number);
        let (start, before) = (world.ms, world.shards[1].figures().records_received);
        world.start(0, Command::Item(put("movies", &format!("k{number}"), "x")));
        while world.shards[1].figures().records_received == before {
            world.run_ms(5);
        }
        assert!(world.ms - start <= 15, "{} ms", world.ms - start);
    }
}

/// An entry was looked for among the committed ones alone, when the record that had seen the lost write
/// arrived.
#[test]
fn a_ledger_entry_in_flight_is_superseded() {
    let mut world = World::new(&["a", "b", "c"]);
    world.create("movies", &["a", "b", "c"], 1);
    let pairs = [(0, 1), (1, 0), (1, 2), (2, 0), (2, 1)];
    for (from, to) in pairs {
        world.region(from, RegionCommand::Pause { to: world.name(to) });
    }
    for (region, value) in [(0, "lost, but seen by c"), (1, "unaware"), (2, "aware")] {
        world.ask(region, put("movies", "k", value)).expect("written");
        world.run_ms(1000);
    }
    for region in [1, 2] {
        world.start(region, Command::Region(RegionCommand::Resume { to: world.name(0) }));
    }
    world.run_ms(3000);
    assert_eq!(world.read(0, get("movies", "k")), Some(item("k", "aware")));
    assert_eq!(world.superseded(0), [true]);
}

/// A table was called active while its partitions were still being made.
#[test]
fn a_table_that_is_called_active_takes_writes() {
    let mut world = World::new(&["a", "b"]);
    for (region, regions) in [(0, &["a"][..]), (1, &["a", "b"][..])] {
        let table = format!("table-{region}");
        assert_eq!(world.create_at(region, &table, regions, 4), TableState::Creating);
        while world.describe(region, &table) == TableState::Creating {}
        for number in 0..20 {
            let write = Command::Item(put(&table, &format!("k{number}"), "x"));
            assert!(world.command(region, write).is_ok(), "the first try");
        }
    }
}

/// What was active once is not created a second time.
#[test]
fn an_active_table_stays_active_while_a_restart_replays_its_log() {
    let mut world = World::new(&["a"]);
    world.create("movies", &["a"], 4);
    world.flush(0);
    world.crash(0);
    let early = Command::Item(put("movies", "k", "x"));
    assert_eq!(world.describe(0, "movies"), TableState::Active);
    world.crash(0);
    let refused = world.command(0, early);
    assert!(matches!(refused, Err(item::Error::NotLeader)), "the answer was as early as {refused:?}");
}
