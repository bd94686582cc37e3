//! Tests of whole groups: golden scripts that read as stories, and random schedules against a model.

mod changing;
mod figures;
mod one;
mod outside;
mod reading;
mod refusals;
mod script;
mod three;
mod world;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use storage::memory::Memory;
use storage::{Engine, LogBatch};
use types::GroupId;

use crate::Group;

/// The group that tests speak of.
pub const GROUP: GroupId = GroupId(17);

/// A generator; tests of one seed see the same numbers.
pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A disk on which a group was created.
pub fn disk(group: GroupId, voters: &[u64]) -> Memory {
    let memory = Memory::new();
    create_on(&memory, group, voters);
    memory
}

/// Creates a group on a disk.
pub fn create_on(memory: &Memory, group: GroupId, voters: &[u64]) {
    let mut batch = LogBatch::new();
    crate::create(group, voters, &mut batch);
    memory.append(batch).unwrap();
    memory.sync().unwrap();
}

/// Opens the test group's replica over a disk.
pub fn open(memory: &Memory, replica: u64, applied: u64) -> Result<Group<Memory>, crate::Error> {
    Group::open(memory.clone(), GROUP, replica, applied, None, &mut random(replica))
}
