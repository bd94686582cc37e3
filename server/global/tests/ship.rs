//! The shipper against a change table: what is sent, what moves the cursor, what starts again.

use global::ship::Pending;
use global::{Ack, Batch, Shipper, Verdict};
use partition::effect::{Effect, Made, Place, Step};
use partition::{Home, apply};
use storage::keys::PartitionState;
use storage::memory::Memory;
use storage::{Batch as Writes, Engine, Record};
use types::{
    Faults, GroupId, HashRange, HybridTime, Incarnation, KeyAttribute, KeyHash, KeySchema, KeyType, RegionId,
    Seen, TableId, Version, limits,
};

const TERM: u64 = 2;
const MS: u64 = 1_000_000;

fn life(region: u32) -> Incarnation {
    Incarnation { region: RegionId(region), counter: 1 }
}

/// A partition of region 1 that ships to region 2.
struct Bench {
    engine: Memory,
    home: Home,
    state: PartitionState,
    shipper: Shipper,
    last_change: u64,
}

impl Bench {
    fn new() -> Self {
        let key =
            KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None };
        Bench {
            engine: Memory::new(),
            home: Home {
                partition: GroupId::FIRST,
                root: GroupId::FIRST,
                table: TableId::default(),
                key,
                range: HashRange::ALL,
                incarnation: life(1),
                others: vec![life(2), life(3)],
                faults: Faults::default(),
            },
            state: PartitionState::default(),
            shipper: Shipper::new(life(2), 0, Pending::default()),
            last_change: 0,
        }
    }

    /// Applies a record that a region wrote, at the next index.
    fn write(&mut self, key: &str, writer: u32, bytes: usize) {
        let index = self.state.applied + 1;
        let version =
            Version { time: HybridTime::from_u64(index), incarnation: life(writer), expired: false };
        let record = Record { version, seen: Seen::new(), body: Some(vec![b'x'; bytes]) };
        let place = Place { hash: KeyHash(1), key: key.as_bytes().to_vec() };
        let made = Some(Made { maker: life(writer), time: version.time });
        let effect = Effect { steps: vec![Step::Record { place, record, made }] };
        let mut writes = Writes::new();
        apply(&self.home, index, TERM, &effect, &mut self.state, &mut writes);
        self.engine.write(writes).expect("written");
        if writer == 1 {
            self.last_change = index;
            self.shipper.made((bytes + key.len()) as u64);
        }
    }

    fn ship(&mut self, now_ms: u64) -> Option<Batch> {
        if !self.shipper.ready(self.last_change, now_ms * MS) {
            return None;
        }
        let batch = self.shipper.batch(&self.engine, &self.home, TERM, self.last_change, now_ms * MS);
        batch.expect("read")
    }

    fn answer(&mut self, batch: &Batch, verdict: Verdict, now_ms: u64) {
        self.shipper.acknowledge(&Ack { origin: batch.origin, verdict }, TERM, now_ms * MS);
    }
}

fn keys(batch: &Batch) -> Vec<String> {
    let key = |place: &Place| String::from_utf8(place.key.clone()).expect("text");
    batch.records.iter().map(|shipped| key(&shipped.place)).collect()
}

#[test]
fn changes_of_one_key_are_one_record_and_others_writes_are_not_ours_to_send() {
    let mut bench = Bench::new();
    bench.write("a", 1, 10);
    bench.write("b", 1, 10);
    bench.write("a", 1, 10);
    bench.write("b", 3, 10);
    bench.write("c", 3, 10);
    let batch = bench.ship(0).expect("something to send");
    assert_eq!(keys(&batch), ["a"], "b was replaced by region 3, which ships it itself");
    assert_eq!(batch.records[0].record.version.time, HybridTime::from_u64(3));
    assert_eq!(bench.shipper.pending().changes, 3);
    bench.answer(&batch, Verdict::Committed, 1);
    assert_eq!(bench.shipper.pending(), Pending::default());
    assert_eq!(bench.shipper.to_log(), Some(3));
    bench.shipper.set_logged(3);
    assert_eq!(bench.shipper.to_log(), None);
}

#[test]
fn the_cursor_waits_for_the_oldest_batch() {
    let mut bench = Bench::new();
    let mut batches = Vec::new();
    for key in ["a", "b", "c"] {
        bench.write(key, 1, 10);
        batches.push(bench.ship(0).expect("something to send"));
    }
    bench.answer(&batches[2], Verdict::Committed, 1);
    bench.answer(&batches[1], Verdict::Committed, 1);
    assert_eq!(bench.shipper.to_log(), None);
    bench.answer(&batches[0], Verdict::Committed, 1);
    assert_eq!(bench.shipper.to_log(), Some(3));
}

#[test]
fn a_window_bounds_what_is_under_way() {
    let mut bench = Bench::new();
    let most = limits::SHIP_BATCHES_IN_FLIGHT_MAX;
    for number in 0..=most {
        bench.write(&format!("k{number}"), 1, limits::SHIP_BATCH_BYTES_MAX);
    }
    let batches: Vec<_> = std::iter::from_fn(|| bench.ship(0)).collect();
    assert_eq!(batches.len(), most, "one large record each, and the window is full");
    bench.answer(&batches[0], Verdict::Committed, 1);
    assert!(bench.ship(1).is_some());
}

#[test]
fn silence_starts_a_stream_again_and_its_late_answers_do_not_count() {
    let mut bench = Bench::new();
    bench.write("a", 1, 10);
    let first = bench.ship(0).expect("something to send");
    bench.shipper.time_out((limits::SHIP_RETRY_MS - 1) * MS);
    assert_eq!(bench.ship(0), None);
    bench.shipper.time_out(limits::SHIP_RETRY_MS * MS);
    bench.answer(&first, Verdict::Committed, limits::SHIP_RETRY_MS);
    assert_eq!(bench.shipper.to_log(), None);
    let again = bench.ship(limits::SHIP_RETRY_MS).expect("sent again");
    assert_eq!((keys(&again), bench.shipper.resent()), (vec!["a".to_owned()], 1));
    assert!(again.origin.stream > first.origin.stream);
}

#[test]
fn a_refused_batch_rests_and_is_not_lost() {
    let mut bench = Bench::new();
    bench.write("a", 1, 10);
    let batch = bench.ship(0).expect("something to send");
    bench.answer(&batch, Verdict::Ahead, 10);
    assert_eq!(bench.ship(11), None);
    let rest = 10 + limits::SHIP_HOLD_MS;
    assert_eq!(bench.shipper.wake_at_ns(bench.last_change, 11 * MS), Some(rest * MS));
    assert_eq!(bench.ship(rest).map(|batch| keys(&batch)), Some(vec!["a".to_owned()]));
}

#[test]
fn a_closed_time_leaves_behind_every_change_before_it() {
    let mut bench = Bench::new();
    let time = HybridTime::from_u64;
    bench.write("a", 1, 10);
    let batch = bench.ship(0).expect("something to send");
    assert_eq!(bench.shipper.close(&bench.home, time(50), bench.last_change), HybridTime::ZERO);
    bench.write("b", 1, 10);
    assert_eq!(bench.shipper.close(&bench.home, time(60), bench.last_change), HybridTime::ZERO);
    bench.answer(&batch, Verdict::Committed, 1);
    assert_eq!(bench.shipper.close(&bench.home, time(70), bench.last_change), time(50), "b is not there yet");
}
