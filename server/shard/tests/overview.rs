//! What any node of a region answers for the whole of it.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use item::operation::Command;
use types::NodeId;
use types::command::{DiskFigures, NodeFigures, RegionAnswer, RegionCommand};
use world::{World, get, put};

const TABLE: &str = "movies";

fn status(world: &mut World, at: usize) -> RegionAnswer {
    world.region(at, RegionCommand::Status)
}

fn figures(answer: &RegionAnswer, node: u64) -> Option<&NodeFigures> {
    let of = answer.nodes.iter().find(|(status, _)| status.node == NodeId(node));
    of.expect("it is listed").1.as_ref()
}

#[test]
fn whoever_is_asked_answers_for_all() {
    let mut world = World::cluster(3);
    world.create_in_cluster(TABLE, 6);
    world.limit(1, 700, 100);
    world.run_ms(5000);
    for at in 0..3 {
        let answer = status(&mut world, at);
        let whole = &answer.summary;
        assert_eq!((whole.partitions, whole.under_replicated, whole.without_leader), (6, 0, Some(0)));
        assert_eq!((whole.resting, whole.moving, whole.splitting), (6, 0, 0), "asked {at}");
        for node in 1..=3 {
            let figures = figures(&answer, node).expect("it told");
            assert_eq!((figures.leads, figures.resting), (2, 2), "node {node}, asked {at}");
            assert!(figures.log_bytes > 0);
        }
        let disk =
            DiskFigures { total_bytes: u64::MAX, free_bytes: 700, needed_bytes: 125, nearly_full: false };
        assert_eq!(figures(&answer, 2).and_then(|figures| figures.disk), Some(disk));
        assert_eq!(figures(&answer, 1).and_then(|figures| figures.disk), None);
    }
}

#[test]
fn what_is_lost_with_a_node_is_told_without_it() {
    let mut world = World::cluster(3);
    world.create_in_cluster(TABLE, 6);
    world.kill(2);
    world.run_ms(10_000);
    for at in 0..2 {
        let answer = status(&mut world, at);
        assert!(!answer.nodes[2].0.lives);
        assert_eq!(figures(&answer, 3), None, "it has told nothing for long");
        let whole = &answer.summary;
        assert_eq!((whole.partitions, whole.under_replicated, whole.without_leader), (6, 6, Some(0)));
    }
    // The last one has no majority, and can still be asked.
    world.kill(1);
    world.run_ms(10_000);
    let answer = status(&mut world, 0);
    assert_eq!(answer.nodes.iter().map(|(status, _)| status.lives).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((answer.summary.under_replicated, answer.summary.resting), (6, 0));
    world.start_again(1);
    world.start_again(2);
    world.run_ms(10_000);
    let whole = status(&mut world, 1).summary;
    assert_eq!((whole.under_replicated, whole.without_leader), (0, Some(0)));
}

#[test]
fn what_decides_most_is_named_by_every_node() {
    let mut world = World::cluster(3);
    world.create_in_cluster(TABLE, 4);
    let (leader, _) = world.ask_cluster(&put(TABLE, "hot", "v"));
    for _ in 0..120 {
        for _ in 0..20 {
            world.start(leader, Command::Item(get(TABLE, "hot")));
        }
        world.run_ms(25);
    }
    for at in 0..3 {
        let hottest = status(&mut world, at).summary.hottest;
        let [busy] = &hottest[..] else { panic!("{hottest:?}") };
        assert_eq!((busy.table.as_str(), busy.leader), (TABLE, NodeId(leader as u64 + 1)));
        assert!(busy.hot.one_key && (600..1000).contains(&busy.hot.per_second), "{busy:?}");
    }
    world.run_ms(5000);
    assert_eq!(status(&mut world, 0).summary.hottest, []);
}
