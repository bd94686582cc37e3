//! A group of one voter under random schedules, against a model of what may and may not be lost.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::World;
use crate::Group;
use storage::memory::Memory;

const REPLICA: u64 = 1;

#[derive(Clone, Debug)]
enum Step {
    Propose,
    Ready,
    /// Finishes the oldest sync under way.
    Sync,
    /// Compacts to a share of what is applied and durable.
    Compact(u8),
    /// Loses all but some of what was not synced. The data come back at a share of what was applied.
    Crash {
        keep: usize,
        applied: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Propose),
        6 => Just(Step::Ready),
        5 => Just(Step::Sync),
        1 => any::<u8>().prop_map(Step::Compact),
        1 => (0..4usize, any::<u8>()).prop_map(|(keep, applied)| Step::Crash { keep, applied }),
    ]
}

/// What the model knows.
#[derive(Default)]
struct Model {
    /// By index: the command last accepted there. A crash may take it and another may come.
    accepted: BTreeMap<u64, Vec<u8>>,
    /// By index: what was reported committed. For ever.
    committed: BTreeMap<u64, Vec<u8>>,
    /// The last index that was handed out since the group was opened.
    handed_out: u64,
    /// Where the flushed data stand: never below what is compacted.
    flushed: u64,
    proposed: u64,
}

impl Model {
    fn propose(&mut self, group: &mut Group<Memory>) {
        self.proposed += 1;
        let data = format!("command {}", self.proposed).into_bytes();
        let index = group.propose(data.clone()).unwrap();
        self.accepted.insert(index, data);
    }

    fn ready(&mut self, world: &mut World) -> bool {
        let Some((ready, _)) = world.ready(REPLICA) else { return false };
        for entry in ready.committed {
            assert_eq!(entry.index, self.handed_out + 1, "in order, each once");
            self.handed_out = entry.index;
            let before = self.committed.entry(entry.index).or_insert_with(|| entry.data.to_vec());
            assert_eq!(*before, entry.data, "what was committed stays");
            if !entry.data.is_empty() {
                assert_eq!(
                    self.accepted.get(&entry.index).map(Vec::as_slice),
                    Some(&entry.data[..]),
                    "as it was accepted"
                );
            }
        }
        true
    }

    fn reopen(&mut self, world: &mut World) {
        world.open(REPLICA, self.flushed).unwrap();
        self.handed_out = self.flushed.max(crate::BEGINNING);
        world.campaign(REPLICA);
        let first = world.group(REPLICA).last_index();
        self.accepted.split_off(&first);
        assert!(self.committed.last_key_value().is_none_or(|(last, _)| *last < first), "nothing is lost");
    }

    fn crash(&mut self, world: &mut World, keep: usize, applied: u8) {
        self.flush(world, applied);
        world.crash(REPLICA, keep);
        self.reopen(world);
    }

    /// Moves the flushed data on by a share of what is applied beyond them.
    fn flush(&mut self, world: &mut World, share: u8) {
        let applied = world.group(REPLICA).applied_index();
        self.flushed += (applied.saturating_sub(self.flushed)) * u64::from(share) / 255;
    }

    fn compact(&mut self, world: &mut World, share: u8) {
        self.flush(world, share);
        if self.flushed >= crate::BEGINNING {
            let mut batch = storage::LogBatch::new();
            world.group(REPLICA).compact(self.flushed + 1, &mut batch).unwrap();
            storage::Engine::append(&world.replica(REPLICA).disk, batch).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn nothing_reported_committed_is_ever_lost(
        steps in proptest::collection::vec(step(), 1..80),
        seed in any::<u64>(),
    ) {
        let mut world = World::new(&[REPLICA], seed);
        let mut model = Model::default();
        model.reopen(&mut world);
        for step in steps {
            match step {
                Step::Propose => model.propose(world.group(REPLICA)),
                Step::Ready => {
                    model.ready(&mut world);
                }
                Step::Sync => {
                    world.sync(REPLICA);
                }
                Step::Compact(share) => model.compact(&mut world, share),
                Step::Crash { keep, applied } => model.crash(&mut world, keep, applied),
            }
        }
        while model.ready(&mut world) || world.sync(REPLICA) {}
        prop_assert!(world.group(REPLICA).decides());
        let last = world.group(REPLICA).last_index();
        prop_assert_eq!(model.handed_out, last, "once all is synced, all is committed");
    }
}
