//! Replicas that join, leave, hand over and begin anew, under random schedules: they never disagree.

use proptest::prelude::*;
use storage::{Engine, LogBatch};
use types::limits::RAFT_ELECTION_TICKS;

use super::outside::Outside;
use super::world::World;
use crate::members::{Change, Step};

const FIRST: [u64; 3] = [1, 2, 3];
const ALL: [u64; 5] = [1, 2, 3, 4, 5];

#[derive(Clone, Debug)]
enum Act {
    Propose,
    /// Proposes, to whoever believes to lead: what becomes of each replica, as far as it changes.
    Change([u8; 5]),
    Transfer(u64, u64),
    /// Collects one ready of each, finishes the syncs of those with a bit set, and delivers a share of all
    /// letters; the rest are lost.
    Round(u8, u8),
    /// Restores whoever was found to lack something.
    Restore,
    Tick(u64, u8),
    Crash(u64, usize),
    /// A leader forgets what it has applied.
    Compact,
}

fn act() -> impl Strategy<Value = Act> {
    let replica = || 1..6u64;
    prop_oneof![
        6 => Just(Act::Propose),
        3 => proptest::array::uniform5(0..6u8).prop_map(Act::Change),
        1 => (replica(), replica()).prop_map(|(from, to)| Act::Transfer(from, to)),
        12 => (any::<u8>(), 200..=255u8).prop_map(|(synced, kept)| Act::Round(synced | 3, kept)),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(synced, kept)| Act::Round(synced, kept)),
        3 => Just(Act::Restore),
        4 => (replica(), 1..25u8).prop_map(|(replica, times)| Act::Tick(replica, times)),
        1 => (replica(), 0..3usize).prop_map(|(replica, keep)| Act::Crash(replica, keep)),
        2 => Just(Act::Compact),
    ]
}

#[derive(Default)]
struct Model {
    outside: Outside,
    proposed: u64,
}

impl Model {
    fn run(&mut self, world: &mut World, act: &Act) {
        match act {
            Act::Propose => {
                self.proposed += 1;
                for replica in ALL {
                    let _ = world.group(replica).propose(self.proposed.to_be_bytes().to_vec());
                }
            }
            Act::Change(wanted) => {
                let step = |(replica, wanted): (u64, &u8)| match wanted {
                    0 | 1 => Some(Step::Voter(replica)),
                    2 => Some(Step::Learner(replica)),
                    3 => Some(Step::Remove(replica)),
                    _ => None,
                };
                let change = Change { steps: (1..).zip(wanted).filter_map(step).collect() };
                for replica in ALL {
                    let _ = world.group(replica).propose_change(&change);
                }
            }
            Act::Transfer(from, to) => world.transfer(*from, *to),
            Act::Round(synced, kept) => {
                for replica in ALL {
                    world.ready(replica);
                    while synced >> (replica - 1) & 1 == 1 && world.sync(replica) {}
                }
                let kept = world.letters.len() * usize::from(*kept) / 255;
                (0..kept).for_each(|_| world.deliver_from_anybody(0));
                world.letters.clear();
            }
            Act::Restore => {
                for (to, from) in std::mem::take(&mut world.lacking) {
                    world.restore(to, from);
                }
            }
            Act::Tick(replica, times) => (0..*times).for_each(|_| world.tick(*replica)),
            Act::Crash(replica, keep) => crash(world, *replica, *keep),
            Act::Compact => compact(world),
        }
    }
}

/// Its data come back as far as they were ever certain: to where its log begins. Data that were to be put in
/// place are, if the log says so.
fn crash(world: &mut World, replica: u64, keep: usize) {
    let restoring = world.replica(replica).restoring.take();
    world.crash(replica, keep);
    let disk = &world.replica(replica).disk;
    let truncated = disk.state(super::GROUP, storage::engine::StateName::Truncated).unwrap();
    let begin = crate::format::decode_truncated(&truncated.expect("every group has one")).unwrap();
    if let Some((_, point)) = restoring.filter(|(_, point)| point.index == begin.index) {
        world.replica(replica).members.insert(point.index, point.members);
    }
    world.open(replica, begin.index).unwrap();
}

fn compact(world: &mut World) {
    for replica in ALL {
        if !world.group(replica).is_leader() {
            continue;
        }
        let mut batch = LogBatch::new();
        let to = world.group(replica).applied_index() + 1;
        // What was not synced must stay: a crash would leave data behind that are ahead of their log.
        let to = to.min(world.group(replica).persisted_index() + 1);
        world.group(replica).compact(to, &mut batch).unwrap();
        let disk = &world.replica(replica).disk;
        disk.append(batch).unwrap();
        disk.sync().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn replicas_that_come_and_go_never_disagree(
        acts in proptest::collection::vec(act(), 1..300),
        seed in any::<u64>(),
    ) {
        let mut world = World::new(&FIRST, seed);
        FIRST.iter().for_each(|voter| world.open(*voter, 0).unwrap());
        [4, 5].into_iter().for_each(|replica| world.join(replica));
        world.campaign(1);
        world.settle(&ALL);
        let mut model = Model::default();
        for act in acts {
            model.run(&mut world, &act);
            model.outside.check(&mut world);
        }
        // Once nothing fails any more, somebody soon leads and all members have everything.
        for _ in 0..12 * RAFT_ELECTION_TICKS {
            ALL.iter().for_each(|replica| world.tick(*replica));
            world.settle(&ALL);
            model.outside.check(&mut world);
        }
        let leaders: Vec<u64> = ALL.into_iter().filter(|replica| world.group(*replica).decides()).collect();
        prop_assert_eq!(leaders.len(), 1);
        let members = world.group(leaders[0]).members();
        prop_assert!(!members.is_joint());
        let last = model.outside.committed.last_key_value().map(|(index, _)| *index);
        for replica in ALL.into_iter().filter(|replica| members.contains(*replica)) {
            prop_assert_eq!(Some(world.group(replica).applied_index()), last);
            prop_assert_eq!(&world.group(replica).members(), &members);
        }
    }
}
