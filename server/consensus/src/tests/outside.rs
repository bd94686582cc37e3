//! What is known to all who look at a group from outside, and must never be contradicted.

use std::collections::BTreeMap;

use super::world::World;
use crate::{BEGINNING, Committed};

/// What was seen so far.
#[derive(Default)]
pub struct Outside {
    /// By index: what was reported committed.
    pub committed: BTreeMap<u64, Committed>,
    leaders: BTreeMap<u64, u64>,
}

impl Outside {
    /// Each index is committed once, everywhere the same, and each term has at most one leader.
    pub fn check(&mut self, world: &mut World) {
        for (replica, at) in &mut world.replicas {
            for entry in std::mem::take(&mut at.committed) {
                let before = self.committed.entry(entry.index).or_insert_with(|| entry.clone());
                assert_eq!(*before, entry, "replica {replica} differs");
            }
            if let Some(group) = at.group.as_ref().filter(|group| group.is_leader()) {
                let leader = self.leaders.entry(group.term()).or_insert(*replica);
                assert_eq!(leader, replica, "two leaders of term {}", group.term());
            }
        }
        let indices = self.committed.keys().copied();
        assert!(indices.eq(BEGINNING + 1..=BEGINNING + self.committed.len() as u64), "no gaps");
    }
}
