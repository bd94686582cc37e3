//! What a crash of the in-memory engine takes and leaves, beyond what the golden scripts of all engines show.

use types::GroupId;

use super::{Memory, Torn, Volatile};
use crate::log::LogWrite;
use crate::{Batch, Engine, LogBatch, LogEntry, Read};

const GROUP: GroupId = GroupId(1);

fn put(memory: &Memory, key: &str, value: &str) {
    let mut batch = Batch::new();
    batch.put(key.into(), value.into());
    memory.write(batch).unwrap();
}

fn append(memory: &Memory, index: u64) {
    let mut batch = LogBatch::new();
    let entries = vec![LogEntry { index, term: 1, data: vec![7; 10] }];
    batch.push(LogWrite::Entries { group: GROUP, entries });
    memory.append(batch).unwrap();
}

#[test]
fn a_torn_crash_leaves_the_first_writes() {
    let memory = Memory::new();
    put(&memory, "a", "0");
    memory.flush().unwrap();
    put(&memory, "a", "1");
    put(&memory, "a", "2");
    put(&memory, "b", "3");
    let lost = memory.crash(Torn { write_batches: 1, log_batches: 0 });
    assert_eq!(lost.write_batches, 2);
    assert_eq!(memory.get(b"a").unwrap(), Some(b"1".to_vec()));
    assert_eq!(memory.get(b"b").unwrap(), None);
    memory.crash(Torn::default());
    assert_eq!(memory.get(b"a").unwrap(), Some(b"1".to_vec()), "what was left is durable");
}

#[test]
fn a_sync_that_began_earlier_covers_nothing_later() {
    let memory = Memory::new();
    append(&memory, 1);
    let began = memory.appended();
    append(&memory, 2);
    memory.sync_to(began);
    assert_eq!(memory.volatile(), Volatile { log_batches: 1, log_bytes: 30, write_batches: 0 });
    assert_eq!(memory.log_range(GROUP).unwrap(), Some((1, 2)));
    let lost = memory.crash(Torn::default());
    assert_eq!(lost, Volatile { log_batches: 1, log_bytes: 30, write_batches: 0 });
    assert_eq!(memory.log_range(GROUP).unwrap(), Some((1, 1)));

    append(&memory, 2);
    memory.sync_to(began);
    assert_eq!(memory.volatile().log_batches, 1, "a sync from before the crash covers nothing after it");
}

#[test]
fn clones_share_the_disk_and_its_crash() {
    let memory = Memory::new();
    let other = memory.clone();
    put(&memory, "a", "1");
    assert_eq!(other.get(b"a").unwrap(), Some(b"1".to_vec()));
    memory.crash(Torn::default());
    assert_eq!(other.get(b"a").unwrap(), None);
}

#[test]
fn a_snapshot_outlives_its_engine_and_is_forgotten_when_dropped() {
    let memory = Memory::new();
    put(&memory, "a", "1");
    let snapshot = memory.snapshot();
    put(&memory, "a", "2");
    assert_eq!(snapshot.get(b"a").unwrap(), Some(b"1".to_vec()));
    drop(snapshot);
    assert_eq!(memory.state().space.snapshots_open(), 0);
}
