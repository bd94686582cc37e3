//! A group's log: whatever bytes a disk gives back for an entry or a state, opening the group and reading it
//! comes to a typed error or to what the bytes say.
#![no_main]

use consensus::Group;
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use storage::engine::StateName;
use storage::log::LogWrite;
use storage::memory::Memory;
use storage::{Engine, LogBatch, LogEntry};
use types::GroupId;

const GROUP: GroupId = GroupId::FIRST;
const INDEX: u64 = consensus::BEGINNING + 1;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let value = bytes.to_vec();
    match choice % 4 {
        0 => read_entry(value),
        1 => drop(open(LogWrite::State { group: GROUP, name: StateName::HardState, value }, 0)),
        2 => drop(open(LogWrite::State { group: GROUP, name: StateName::Configuration, value }, 0)),
        _ => drop(open(LogWrite::State { group: GROUP, name: StateName::Truncated, value }, 0)),
    }
});

/// Opens a group of one voter at an applied index, after one more write to its log.
fn open(write: LogWrite, applied: u64) -> Option<Group<Memory>> {
    let disk = Memory::new();
    let mut batch = LogBatch::new();
    consensus::create(GROUP, &[1], &mut batch);
    batch.push(write);
    disk.append(batch).expect("the writes fit each other");
    Group::open(disk, GROUP, 1, applied, None, &mut random()).ok()
}

/// Reads an entry by committing it: a leader's first entry commits all before it.
fn read_entry(data: Vec<u8>) {
    let entries = vec![LogEntry { index: INDEX, term: 1, data: data.clone() }];
    let mut group = open(LogWrite::Entries { group: GROUP, entries }, 0).expect("the states are intact");
    group.campaign(&mut random());
    let ready = group.ready(&mut LogBatch::new());
    let Some(number) = ready.ok().flatten().and_then(|ready| ready.sync) else { return };
    let _ = group.persisted(number);
    let Ok(Some(ready)) = group.ready(&mut LogBatch::new()) else { return };
    let commands = ready.committed.iter().filter(|entry| entry.change.is_none());
    for entry in commands.filter(|entry| entry.index == INDEX) {
        assert!(data.ends_with(&entry.data) && data.len() == entry.data.len() + 2);
    }
}

fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}
