//! Random commands for an engine and for the in-memory one, their whole states compared after every crash.
//!
//! Steps name log positions relative to the log's ends, so that most appends are valid and some are not; both
//! engines must then refuse the same ones.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use proptest::collection::vec;
use proptest::prelude::*;
use types::GroupId;

use super::Machine;
use crate::engine::StateName;
use crate::log::{Extent, LogWrite};
use crate::memory::{Memory, Torn};
use crate::{Batch, Direction, Engine, LogBatch, LogEntry};

const STATES: [StateName; 4] =
    [StateName::HardState, StateName::Configuration, StateName::Truncated, StateName::ClockCeiling];

/// One command to both engines.
#[derive(Clone, Debug)]
pub enum Step {
    /// Writes a batch.
    Write(Vec<Put>),
    /// Flushes.
    Flush,
    /// Appends a batch.
    Append(Vec<Log>),
    /// Syncs.
    Sync,
    /// Crashes, asking for so many unsynced batches to be left.
    Crash {
        /// How many.
        log_batches: usize,
    },
}

/// A write to keys of one letter.
#[derive(Clone, Debug)]
pub enum Put {
    /// Sets a key.
    Put(u8, u8),
    /// Removes a key.
    Delete(u8),
    /// Removes a range, which may be empty or the wrong way round.
    DeleteRange(u8, u8),
}

/// A step of an append.
#[derive(Clone, Debug)]
pub enum Log {
    /// Appends entries.
    Entries {
        /// Whose log.
        group: u64,
        /// Where.
        from: Begin,
        /// How many.
        count: u64,
        /// Bytes of each.
        bytes: usize,
    },
    /// Sets a state.
    State {
        /// Whose.
        group: u64,
        /// Which, by its place.
        name: usize,
        /// Its value.
        value: u8,
    },
    /// Drops entries.
    Compact {
        /// Whose.
        group: u64,
        /// How many behind the first one; may be more than there are.
        count: u64,
    },
    /// Forgets a group.
    Remove {
        /// Whose.
        group: u64,
    },
}

/// Where an append begins.
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// After the last entry.
    Next,
    /// So many before that, where it replaces a suffix.
    Before(u64),
    /// So many after that, which leaves a gap unless the log is empty.
    After(u64),
}

/// Random steps.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(any_step(), 1..40)
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = || b'a'..=b'f';
    let put = prop_oneof![
        4 => (key(), any::<u8>()).prop_map(|(key, value)| Put::Put(key, value)),
        1 => key().prop_map(Put::Delete),
        1 => (key(), key()).prop_map(|(from, to)| Put::DeleteRange(from, to)),
    ];
    prop_oneof![
        4 => vec(put, 1..4).prop_map(Step::Write),
        1 => Just(Step::Flush),
        6 => vec(any_log(), 1..4).prop_map(Step::Append),
        2 => Just(Step::Sync),
        1 => (0..4usize).prop_map(|log_batches| Step::Crash { log_batches }),
    ]
}

fn any_log() -> impl Strategy<Value = Log> {
    let group = || 0..3u64;
    let begin = prop_oneof![
        6 => Just(Begin::Next),
        2 => (1..4u64).prop_map(Begin::Before),
        1 => (1..3u64).prop_map(Begin::After),
    ];
    prop_oneof![
        6 => (group(), begin, 1..4u64, prop_oneof![0..40usize, Just(10_000)])
            .prop_map(|(group, from, count, bytes)| Log::Entries { group, from, count, bytes }),
        3 => (group(), 0..STATES.len(), any::<u8>())
            .prop_map(|(group, name, value)| Log::State { group, name, value }),
        2 => (group(), 0..6u64).prop_map(|(group, count)| Log::Compact { group, count }),
        1 => group().prop_map(|group| Log::Remove { group }),
    ]
}

/// Everything that an engine shows.
#[derive(PartialEq, Eq, Debug)]
struct Shown {
    keys: Vec<(Vec<u8>, Vec<u8>)>,
    groups: Vec<GroupShown>,
}

#[derive(PartialEq, Eq, Debug)]
struct GroupShown {
    group: GroupId,
    range: Option<(u64, u64)>,
    entries: Vec<LogEntry>,
    states: Vec<Option<Vec<u8>>>,
}

/// Runs the steps on a machine and on memory; panics where they differ.
pub fn run<M: Machine>(machine: &mut M, steps: &[Step]) {
    let model = Memory::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Write(puts) => {
                let batch = write_batch(puts);
                machine.engine().write(batch.clone()).expect("a write succeeds");
                model.write(batch).expect("memory does not fail");
            }
            Step::Flush => {
                machine.engine().flush().expect("a flush succeeds");
                model.flush().expect("memory does not fail");
            }
            Step::Append(logs) => {
                let batch = log_batch(&model, logs, number as u64);
                let expected = model.append(batch.clone());
                assert_eq!(machine.engine().append(batch), expected, "step {number}");
            }
            Step::Sync => {
                machine.engine().sync().expect("a sync succeeds");
                model.sync().expect("memory does not fail");
            }
            Step::Crash { log_batches } => {
                assert_eq!(shown(machine.engine()), shown(&model), "before a crash, step {number}");
                let left = machine.crash(Torn { log_batches: *log_batches, write_batches: 0 });
                model.crash(left.expect("it starts again"));
                assert_eq!(shown(machine.engine()), shown(&model), "after a crash, step {number}");
            }
        }
    }
    assert_eq!(shown(machine.engine()), shown(&model), "at the end");
}

fn write_batch(puts: &[Put]) -> Batch {
    let mut batch = Batch::new();
    for put in puts {
        match put {
            Put::Put(key, value) => batch.put(vec![*key], vec![*value]),
            Put::Delete(key) => batch.delete(vec![*key]),
            Put::DeleteRange(from, to) => batch.delete_range(vec![*from], vec![*to]),
        }
    }
    batch
}

/// Turns relative positions into indices, by what each log will be when the step's turn comes.
fn log_batch(model: &Memory, logs: &[Log], term: u64) -> LogBatch {
    let mut extents: BTreeMap<GroupId, Extent> = BTreeMap::new();
    let mut batch = LogBatch::new();
    for log in logs {
        let group = GroupId(match *log {
            Log::Entries { group, .. } | Log::State { group, .. } => group,
            Log::Compact { group, .. } | Log::Remove { group } => group,
        });
        let extent = extents.entry(group).or_insert_with(|| {
            let range = model.log_range(group).expect("memory does not fail");
            range.map_or(Extent::default(), |(first, last)| Extent { first, next: last + 1 })
        });
        batch.push(log_write(log, group, extent, term));
    }
    batch
}

fn log_write(log: &Log, group: GroupId, extent: &mut Extent, term: u64) -> LogWrite {
    match *log {
        Log::Entries { from, count, bytes, .. } => {
            let next = extent.next.max(1);
            let begin = match from {
                Begin::Next => next,
                Begin::Before(count) => next.saturating_sub(count).max(1),
                Begin::After(count) => next + count,
            };
            let entry = |index: u64| LogEntry { index, term, data: vec![(index ^ term) as u8; bytes] };
            let entries: Vec<LogEntry> = (begin..begin + count).map(entry).collect();
            // An append that must be refused makes the whole batch one.
            *extent = extent.appended(group, &entries).unwrap_or(*extent);
            LogWrite::Entries { group, entries }
        }
        Log::State { name, value, .. } => LogWrite::State { group, name: STATES[name], value: vec![value] },
        Log::Compact { count, .. } => {
            let to = extent.first + count;
            *extent = extent.compacted(to);
            LogWrite::Compact { group, to }
        }
        Log::Remove { .. } => {
            *extent = Extent::default();
            LogWrite::Remove { group }
        }
    }
}

fn shown(engine: &impl Engine) -> Shown {
    let mut keys = Vec::new();
    engine
        .scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward, &mut |key, value| {
            keys.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .expect("a scan succeeds");
    let groups = engine.groups().expect("groups are listed");
    Shown { keys, groups: groups.into_iter().map(|group| group_shown(engine, group)).collect() }
}

fn group_shown(engine: &impl Engine, group: GroupId) -> GroupShown {
    let range = engine.log_range(group).expect("a range is known");
    let entries = range.map_or(Vec::new(), |(first, last)| {
        engine.entries(group, first, last + 1, u64::MAX).expect("entries are read")
    });
    let states = STATES.map(|name| engine.state(group, name).expect("a state is read")).to_vec();
    GroupShown { group, range, entries, states }
}
