//! Bounds: memory of idle groups and of bursts, and portions of a long log.

use rand::Rng;
use storage::memory::Memory;
use storage::{Engine, LogBatch};
use types::GroupId;
use types::limits::{RAFT_COMMITTED_BYTES_PER_READY_MAX, RAFT_IDLE_ENTRIES_MAX, RAFT_TAIL_BYTES_MAX};

use super::world::World;
use super::{GROUP, create_on, disk, open, random};
use crate::{Group, Ready};

/// Collects and syncs until nothing is left; returns what came.
fn settle(group: &mut Group<Memory>, disk: &Memory) -> Vec<Ready> {
    let mut all = Vec::new();
    let mut batch = LogBatch::new();
    while let Some(ready) = group.ready(&mut batch).unwrap() {
        disk.append(std::mem::take(&mut batch)).unwrap();
        if let Some(last) = ready.committed.last() {
            group.applied(last.index);
        }
        if let Some(number) = ready.sync {
            disk.sync().unwrap();
            assert!(group.persisted(number).is_empty());
        }
        all.push(ready);
    }
    all
}

#[test]
fn thousands_of_groups_open_on_one_disk() {
    let disk = Memory::new();
    let ids = (16..16 + 4096).map(GroupId);
    ids.clone().for_each(|id| create_on(&disk, id, &[1]));
    let mut random = random(1);
    let mut groups: Vec<_> =
        ids.map(|id| Group::open(disk.clone(), id, 1, 0, None, &mut random).unwrap()).collect();
    let mut batch = LogBatch::new();
    for group in &mut groups {
        group.campaign(&mut random);
        assert!(group.ready(&mut batch).unwrap().is_some_and(|ready| ready.sync.is_some()));
    }
    // One append and one sync for all.
    disk.append(batch).unwrap();
    disk.sync().unwrap();
    let mut batch = LogBatch::new();
    for group in &mut groups {
        assert!(group.persisted(1).is_empty());
        let ready = group.ready(&mut batch).unwrap().unwrap();
        assert_eq!((ready.sync, ready.committed.len()), (None, 1));
        group.applied(ready.committed[0].index);
        assert!(group.decides() && group.is_single_voter());
        assert_eq!(group.raft.raft.inflight_buffers_size(), 0, "an idle group holds no windows");
    }
}

#[test]
fn a_long_log_is_handed_out_in_portions_after_a_restart() {
    let disk = disk(GROUP, &[1]);
    let mut group = open(&disk, 1, 0).unwrap();
    group.campaign(&mut random(1));
    let size = 1 << 20;
    let count = 2 * RAFT_COMMITTED_BYTES_PER_READY_MAX / size + 1;
    for _ in 0..count {
        group.propose(vec![7; usize::try_from(size).unwrap()]).unwrap();
    }
    settle(&mut group, &disk);
    drop(group);
    let mut group = open(&disk, 1, 0).unwrap();
    let portions = settle(&mut group, &disk);
    let bytes = |ready: &Ready| ready.committed.iter().map(|entry| entry.data.len() as u64).sum::<u64>();
    assert!(portions.len() >= 3);
    assert!(portions.iter().all(|ready| bytes(ready) <= RAFT_COMMITTED_BYTES_PER_READY_MAX));
    assert_eq!(portions.iter().map(bytes).sum::<u64>(), count * size);
}

#[test]
fn a_batch_may_be_appended_after_later_calls() {
    let mut world = World::new(&[1, 2, 3], 1);
    (1..4).for_each(|replica| world.open(replica, 0).unwrap());
    world.campaign(1);
    world.settle(&[1, 2, 3]);
    let mut batch = LogBatch::new();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let group = world.group(1);
        // Each is more than is kept of what is synced; each append to followers reads the entry before it.
        group.propose(vec![7; RAFT_TAIL_BYTES_MAX + 1]).unwrap();
        numbers.extend(group.ready(&mut batch).unwrap().and_then(|ready| ready.sync));
    }
    world.replica(1).disk.append(batch).unwrap();
    assert_eq!(numbers.len(), 3);
    let group = world.group(1);
    assert!(group.persisted(numbers[1]).is_empty());
    assert_eq!(group.persisted_index(), group.last_index() - 1);
    assert!(group.persisted(numbers[2]).is_empty());
    assert_eq!(group.persisted_index(), group.last_index());
}

#[test]
fn a_burst_leaves_no_memory_behind() {
    let disk = disk(GROUP, &[1]);
    let mut group = open(&disk, 1, 0).unwrap();
    group.campaign(&mut random(1));
    for _ in 0..10_000 {
        group.propose(vec![7]).unwrap();
    }
    settle(&mut group, &disk);
    assert_eq!(group.raft.store().tail_bytes(), 0);
    assert!(group.raft.raft.raft_log.unstable.entries.capacity() <= RAFT_IDLE_ENTRIES_MAX);
}

#[test]
fn election_timeouts_come_from_the_generator_alone() {
    let run = |seed| {
        let mut world = World::new(&[1, 2, 3], seed);
        (1..4).for_each(|replica| world.open(replica, 0).unwrap());
        let mut drawn = Vec::new();
        for round in 0..30 {
            (0..20).for_each(|_| world.tick(1 + round % 3));
            world.settle(&[1, 2, 3]);
            drawn.extend((1..4).map(|at| world.group(at).raft.raft.randomized_election_timeout()));
        }
        (drawn, world.random.next_u64())
    };
    let (drawn, _) = run(7);
    assert!(drawn.iter().any(|ticks| *ticks != drawn[0]), "drawn afresh");
    assert!((0..5).all(|seed| run(seed) == run(seed)));
}
