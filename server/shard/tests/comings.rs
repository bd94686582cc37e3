//! A region whose nodes come and go under random crashes and cuts, asked one thing at a time: what is read is
//! what was acknowledged last, or a write since then whose outcome nobody knew; and in the end every
//! partition is where the catalog wants it, on nodes that hold the same.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use proptest::prelude::*;
use world::World;
use world::fault::{self, Fault, fault};
use world::members::{Coming, coming};
use world::model::{self, Ask, Model, ask};

const NODES: usize = 6;

#[derive(Clone, Debug)]
enum Act {
    Ask(Ask),
    Fault(Fault),
    Coming(Coming),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        model::PARTS => ask(NODES).prop_map(Act::Ask),
        fault::PARTS => fault(NODES, 2).prop_map(Act::Fault),
        10 => coming(NODES).prop_map(Act::Coming),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_read_is_what_was_written(
        acts in proptest::collection::vec(act(), 1..100),
        delay_ms in 0..40u64,
    ) {
        let mut world = World::cluster(3);
        world.create_in_cluster("movies", 3);
        world.delay_ms = delay_ms;
        let mut model = Model::default();
        for act in &acts {
            match act {
                Act::Ask(ask) => model.run(&mut world, ask),
                Act::Fault(fault) => world.suffer(fault),
                Act::Coming(coming) => world.come_and_go(coming, NODES),
            }
        }
        world.recover();
        world.run_ms(10_000);
        model.check_all(&mut world);
        // Whoever was given a number and did not hear of it asks again.
        if world.node_statuses().len() > world.shards.len() {
            world.join();
        }
        let active = world.active();
        world.run_until_settled("movies", active.min(3));
        model.check_all(&mut world);
        world.assert_replicas_equal("movies");
    }
}
