//! Three nodes of one region under random crashes and cuts, asked one thing at a time: what is read is what
//! was acknowledged last, or a write since then whose outcome nobody knew.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use proptest::prelude::*;
use world::World;
use world::fault::{self, Fault, fault};
use world::model::{self, Ask, Model, ask};

#[derive(Clone, Debug)]
enum Act {
    Ask(Ask),
    Fault(Fault),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        model::PARTS => ask(3).prop_map(Act::Ask),
        fault::PARTS => fault(3, 2).prop_map(Act::Fault),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_read_is_what_was_written(
        acts in proptest::collection::vec(act(), 1..80),
        delay_ms in 0..40u64,
    ) {
        let mut world = World::cluster(3);
        world.create_in_cluster("movies", 2);
        world.delay_ms = delay_ms;
        let mut model = Model::default();
        for act in &acts {
            match act {
                Act::Ask(ask) => model.run(&mut world, ask),
                Act::Fault(fault) => world.suffer(fault),
            }
        }
        // Once nothing fails any more, everything is served and all replicas are equal.
        world.recover();
        world.run_ms(5000);
        model.check_all(&mut world);
        world.run_ms(1000);
        world.assert_equal("movies");
    }
}
