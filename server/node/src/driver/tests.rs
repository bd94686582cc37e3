//! The driver over an in-memory engine: turns, replies, refusals, stops.

use std::sync::Arc;
use std::sync::mpsc::Receiver as Failures;

use item::operation::{Command, Delete, Get, Operation, Put, WriteOptions};
use item::outcome::Answer;
use item::{AttributeValue, Item, Outcome};
use storage::Room;
use storage::memory::{Memory, Torn};
use types::command::TableCommand;
use types::{KeyAttribute, KeySchema, KeyType, RegionName, TableName};

use tokio::sync::oneshot;

use super::*;
use crate::gated::{Gate, Gated};
use crate::reply::{Answered, Delivery};

const LATE: u64 = u64::MAX;
const ANSWER_BYTES_MAX: usize = 1 << 20;

struct Started {
    running: Running,
    failures: Failures<Failure>,
    clock: Clock,
}

fn start_over<E: Engine>(engine: E) -> Started
where
    Shard<E>: Send,
{
    start_syncing_alone(engine, Duration::ZERO)
}

fn start_syncing_alone<E: Engine>(engine: E, sync_alone_max: Duration) -> Started
where
    Shard<E>: Send,
{
    let (sender, failures) = std::sync::mpsc::channel();
    let clock = Clock::start();
    let settings = shard::Settings::alone(RegionName::new("us-east-1").unwrap(), 7);
    let on_failure: OnFailure = Arc::new(move |_, failure| drop(sender.send(failure)));
    let (timings, queues) = (Timings::noop(), watch::channel(Default::default()).1);
    let running = start(
        engine,
        Parts {
            settings,
            clock,
            queues,
            request_bytes_max: limits::INBOX_BYTES_MAX,
            answer_bytes_max: ANSWER_BYTES_MAX,
            sync_alone_max,
            timings,
            on_failure,
        },
    )
    .unwrap();
    Started { running, failures, clock }
}

impl Started {
    fn begin(&self, command: Command) -> oneshot::Receiver<Delivery> {
        self.running.handle.ask(command, LATE, 100).unwrap()
    }

    fn ask(&self, command: Command) -> Answered {
        self.begin(command).blocking_recv().unwrap().answered
    }

    /// Makes the table, and waits until it can be read and written.
    fn create_table(&self) {
        let key =
            KeySchema { partition: KeyAttribute { name: "k".to_owned(), key_type: KeyType::S }, sort: None };
        self.ask(Command::Table(TableCommand::Create { name: table(), key, regions: vec![], partitions: 2 }))
            .unwrap();
        // Each read waits for the turn it is answered in, so this is no busy loop.
        while self.ask(get("k")).is_err() {}
    }

    fn get(&self, key: &str) -> Option<Item> {
        match self.ask(get(key)).unwrap() {
            Answer::Item(Outcome::Stored(found)) => found.map(|found| found.item()),
            other => panic!("{other:?}"),
        }
    }
}

fn table() -> TableName {
    TableName::new("movies").unwrap()
}

fn item(key: &str) -> Item {
    [("k".to_owned(), AttributeValue::S(key.to_owned()))].into()
}

fn get(key: &str) -> Command {
    let get = Get { table: table(), key: item(key), consistent: true, projection: None };
    Command::Item(Operation::Get(get))
}

fn put(key: &str) -> Command {
    Command::Item(Operation::Put(Put { table: table(), item: item(key), options: WriteOptions::default() }))
}

fn delete(key: &str) -> Command {
    let (table, key, options) = (table(), item(key), WriteOptions::default());
    Command::Item(Operation::Delete(Delete { table, key, options }))
}

#[test]
fn what_was_answered_survives_a_crash() {
    let memory = Memory::new();
    let (engine, _) = Gated::new(memory.clone());
    let started = start_over(engine.clone());
    started.create_table();
    let answers: Vec<_> = (0..500).map(|number| started.begin(put(&format!("k{number}")))).collect();
    for answer in answers {
        answer.blocking_recv().unwrap().answered.unwrap();
    }
    // From here on nothing is synced any more, as if the power went.
    engine.set(Gate::Failing);
    let _unsynced = started.begin(put("lost"));
    started.failures.recv().unwrap();
    memory.crash(Torn::default());

    let again = start_over(Gated::new(memory).0);
    while !again.running.published.borrow().figures.serving {
        std::thread::yield_now();
    }
    for number in 0..500 {
        let key = format!("k{number}");
        assert_eq!(again.get(&key), Some(item(&key)));
    }
    assert_eq!(again.get("lost"), None);
    again.running.stop();
}

#[test]
fn nothing_is_answered_before_its_sync() {
    let (engine, syncs) = Gated::new(Memory::new());
    let started = start_over(engine.clone());
    started.create_table();
    engine.set(Gate::Closed);
    let mut answers: Vec<_> = (0..200).map(|number| started.begin(put(&format!("k{number}")))).collect();
    syncs.recv().unwrap();
    for answer in &mut answers {
        assert!(answer.try_recv().is_err());
    }
    engine.set(Gate::Open);
    for answer in answers {
        answer.blocking_recv().unwrap().answered.unwrap();
    }
    started.running.stop();
}

#[test]
fn a_failed_sync_is_reported_and_answers_nobody() {
    let (engine, _) = Gated::new(Memory::new());
    let started = start_over(engine.clone());
    started.create_table();
    engine.set(Gate::Failing);
    let mut answer = started.begin(put("k"));
    let failure = started.failures.recv().unwrap();
    assert!(matches!(failure, Failure::Storage { thread: "sync", .. }), "{failure}");
    // A server has ended by then; here the shard goes on, and still answers nobody who waited for the disk.
    assert!(answer.try_recv().is_err());
}

#[test]
fn a_write_that_is_alone_is_synced_by_the_turn_thread_before_its_answer() {
    let (engine, syncs) = Gated::new(Memory::new());
    let started = start_syncing_alone(engine.clone(), Duration::MAX);
    started.create_table();
    engine.set(Gate::Closed);
    let mut answer = started.begin(put("k"));
    syncs.recv().unwrap();
    assert!(answer.try_recv().is_err());
    engine.set(Gate::Open);
    answer.blocking_recv().unwrap().answered.unwrap();
    engine.set(Gate::Failing);
    let mut answer = started.begin(put("k"));
    let failure = started.failures.recv().unwrap();
    assert!(matches!(failure, Failure::Storage { thread: "turn", .. }), "{failure:?}");
    started.running.stop();
    assert!(answer.try_recv().is_err());
}

#[test]
fn too_much_at_once_is_refused_and_the_rest_is_answered() {
    let (engine, syncs) = Gated::new(Memory::new());
    let started = start_over(engine.clone());
    started.create_table();
    engine.set(Gate::Closed);
    let answers: Vec<_> = (0..limits::REQUESTS_IN_FLIGHT_MAX).map(|_| started.begin(put("k"))).collect();
    syncs.recv().unwrap();
    let refused = started.running.handle.ask(put("k"), LATE, 100).unwrap_err();
    assert_eq!(refused, item::Error::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS });
    assert_eq!(started.running.handle.in_flight(), limits::REQUESTS_IN_FLIGHT_MAX);
    engine.set(Gate::Open);
    for answer in answers {
        answer.blocking_recv().unwrap().answered.unwrap();
    }
    started.running.stop();
}

#[test]
fn expired_work_is_not_begun() {
    let started = start_over(Memory::new());
    started.create_table();
    let deadline_ns = started.clock.monotonic_ns();
    let answer = started.running.handle.ask(put("k"), deadline_ns, 100).unwrap();
    assert!(matches!(answer.blocking_recv().unwrap().answered, Err(item::Error::DeadlinePassed)));
    assert_eq!(started.get("k"), None);
    started.running.stop();
}

#[test]
fn reads_are_refused_while_answers_are_not_taken_and_writes_are_not() {
    let started = start_over(Memory::new());
    started.create_table();
    let large = AttributeValue::B(vec![7; 300 * 1024]);
    let item = Item::from([("k".to_owned(), AttributeValue::S("large".to_owned())), ("v".to_owned(), large)]);
    let options = WriteOptions::default();
    started.ask(Command::Item(Operation::Put(Put { table: table(), item, options }))).unwrap();
    let untaken: Vec<Delivery> =
        (0..4).map(|_| started.begin(get("large")).blocking_recv().unwrap()).collect();
    assert!(untaken.iter().all(|delivery| delivery.answered.is_ok()));
    let overloaded = item::Error::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS };
    assert_eq!(started.ask(get("large")).unwrap_err(), overloaded);
    started.ask(put("k")).unwrap();
    drop(untaken);
    started.ask(get("large")).unwrap();
    started.running.stop();
}

#[test]
fn writes_are_refused_while_the_disk_is_under_pressure_and_reads_are_not() {
    let memory = Memory::new();
    let started = start_over(memory.clone());
    started.create_table();
    memory.press(true);
    // The disk is asked now and then; until it was, writes go through.
    while started.ask(put("k")).is_ok() {}
    started.ask(get("k")).unwrap();
    memory.press(false);
    while started.ask(put("k")).is_err() {}
    started.running.stop();
}

#[test]
fn what_grows_is_refused_while_the_disk_is_nearly_full_and_what_shrinks_is_not() {
    let memory = Memory::new();
    let started = start_over(memory.clone());
    started.create_table();
    started.ask(put("k")).unwrap();
    let with = |free_bytes| Some(Room { total_bytes: 9 << 30, free_bytes, reserve_bytes: 1 << 30 });
    memory.limit(with(1 << 20));
    // The disk is asked now and then; until it was, writes go through.
    let refused = std::iter::repeat_with(|| started.ask(put("k"))).find_map(Result::err).unwrap();
    let full = item::Error::StorageFull {
        node: types::NodeId::ONLY,
        free_bytes: 1 << 20,
        needed_bytes: (1 << 30) * limits::DISK_ROOM_AGAIN_PERCENT / 100,
    };
    assert_eq!((refused.kind(), &refused), (item::Kind::Retryable, &full));
    assert_eq!(started.get("k"), Some(item("k")));
    started.ask(delete("k")).unwrap();
    assert_eq!(started.get("k"), None);
    memory.limit(with(2 << 30));
    while started.ask(put("k")).is_err() {}
    started.running.stop();
}

#[test]
fn a_graceful_stop_leaves_nothing_to_replay() {
    let memory = Memory::new();
    let started = start_over(memory.clone());
    started.create_table();
    started.ask(put("k")).unwrap();
    started.running.handle.wants_flush();
    started.running.stop();
    assert_eq!(memory.volatile(), storage::memory::Volatile::default());
    assert!(started.failures.recv().is_err(), "nothing failed");
}
