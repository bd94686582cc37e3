//! Three voters under random schedules of losses, crashes and elections: they never disagree.

use proptest::prelude::*;
use types::limits::RAFT_ELECTION_TICKS;

use super::outside::Outside;
use super::world::World;

const VOTERS: [u64; 3] = [1, 2, 3];

#[derive(Clone, Debug)]
enum Step {
    Tick(u64, u8),
    Campaign(u64),
    /// Proposes to everybody who believes to lead.
    Propose,
    Ready(u64),
    Sync(u64),
    /// Collects one ready of each, finishes the syncs of those with a bit set, and delivers everything.
    Round(u8),
    /// Delivers the message at a place, twice if so decided.
    Deliver(u8, bool),
    Lose(u8),
    Crash(u64, usize),
    /// Lets one replica's patience end and another lead a round without it.
    Elect(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let voter = || 1..4u64;
    prop_oneof![
        2 => (voter(), 1..12u8).prop_map(|(voter, times)| Step::Tick(voter, times)),
        1 => voter().prop_map(Step::Campaign),
        8 => Just(Step::Propose),
        4 => voter().prop_map(Step::Ready),
        4 => voter().prop_map(Step::Sync),
        8 => (0..8u8).prop_map(Step::Round),
        8 => (any::<u8>(), any::<bool>()).prop_map(|(place, twice)| Step::Deliver(place, twice)),
        2 => any::<u8>().prop_map(Step::Lose),
        2 => (voter(), 0..3usize).prop_map(|(voter, keep)| Step::Crash(voter, keep)),
        2 => voter().prop_map(Step::Elect),
    ]
}

#[derive(Default)]
struct Model {
    outside: Outside,
    proposed: u64,
}

impl Model {
    fn run(&mut self, world: &mut World, step: &Step) {
        let place = |at: u8, world: &World| usize::from(at) % world.letters.len().max(1);
        match *step {
            Step::Tick(replica, times) => (0..times).for_each(|_| world.tick(replica)),
            Step::Campaign(replica) => world.campaign(replica),
            Step::Propose => {
                self.proposed += 1;
                for replica in VOTERS {
                    let _ = world.group(replica).propose(self.proposed.to_be_bytes().to_vec());
                }
            }
            Step::Ready(replica) => {
                world.ready(replica);
            }
            Step::Sync(replica) => {
                world.sync(replica);
            }
            Step::Deliver(at, twice) => {
                let at = place(at, world);
                let again = world.letters.get(at).filter(|_| twice).cloned();
                world.deliver(at).unwrap();
                world.letters.extend(again);
            }
            Step::Lose(at) => {
                let at = place(at, world);
                world.letters.remove(at);
            }
            Step::Crash(replica, keep) => {
                world.crash(replica, keep);
                world.open(replica, 0).unwrap();
            }
            Step::Round(synced) => {
                for replica in VOTERS {
                    world.ready(replica);
                    while synced >> (replica - 1) & 1 == 1 && world.sync(replica) {}
                }
                while !world.letters.is_empty() {
                    world.deliver(0).unwrap();
                }
            }
            Step::Elect(without) => {
                let others = VOTERS.map(|voter| voter % 3 + 1).into_iter().filter(|voter| *voter != without);
                let others: Vec<u64> = others.collect();
                for other in &others {
                    (0..2 * RAFT_ELECTION_TICKS).for_each(|_| world.tick(*other));
                    world.settle(&others);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn replicas_never_disagree(steps in proptest::collection::vec(step(), 1..300), seed in any::<u64>()) {
        let mut world = World::new(&VOTERS, seed);
        for voter in VOTERS {
            world.open(voter, 0).unwrap();
        }
        let mut model = Model::default();
        for step in steps {
            model.run(&mut world, &step);
            model.outside.check(&mut world);
        }
        // Once nothing fails any more, somebody soon leads and everybody has everything.
        for _ in 0..10 * RAFT_ELECTION_TICKS {
            VOTERS.iter().for_each(|voter| world.tick(*voter));
            world.settle(&VOTERS);
            model.outside.check(&mut world);
        }
        let decides = |world: &mut World, voter: u64| world.group(voter).decides();
        prop_assert_eq!(VOTERS.iter().filter(|voter| decides(&mut world, **voter)).count(), 1);
        let last = model.outside.committed.last_key_value().map(|(index, _)| *index);
        for voter in VOTERS {
            prop_assert_eq!(Some(world.group(voter).applied_index()), last);
        }
    }
}
