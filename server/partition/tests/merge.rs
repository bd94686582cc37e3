//! The algebra of last-writer-wins: whatever the order, the doubling and the cutting into batches, the same
//! records are left, and each is the greatest of its place.

use std::collections::BTreeMap;

use partition::effect::{Effect, Place};
use partition::receive::{self, Incoming};
use partition::{Decision, Home, Moment, Overlay, View, apply};
use proptest::prelude::*;
use storage::keys::PartitionState;
use storage::memory::Memory;
use storage::{Batch, Engine, Read, Record};
use types::{
    Faults, GroupId, HashRange, HybridTime, Incarnation, KeyAttribute, KeyHash, KeySchema, KeyType, RegionId,
    Seen, TableId, Version,
};

fn life(region: u32) -> Incarnation {
    Incarnation { region: RegionId(region), counter: 1 }
}

fn home() -> Home {
    Home {
        partition: GroupId::FIRST,
        root: GroupId::FIRST,
        table: TableId::default(),
        key: KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None },
        range: HashRange::ALL,
        incarnation: life(9),
        others: vec![life(1), life(2), life(3)],
        faults: Faults::default(),
    }
}

/// One region's partition, without a log: effects are applied as they are decided.
struct Region {
    engine: Memory,
    state: PartitionState,
    ledgered: u64,
}

impl Region {
    fn new() -> Self {
        Region { engine: Memory::new(), state: PartitionState::default(), ledgered: 0 }
    }

    fn apply(&mut self, effect: &Effect) {
        let mut batch = Batch::new();
        let index = self.state.applied + 1;
        self.ledgered += apply(&home(), index, 1, effect, &mut self.state, &mut batch).ledgered;
        self.engine.write(batch).expect("written");
    }

    fn receive(&mut self, share: Vec<Incoming>) {
        let overlay = Overlay::new(life(9));
        let view = View { engine: &self.engine, overlay: &overlay };
        let floor = self.state.floor;
        let moment = Moment { now: HybridTime::ZERO, wall_ms: 0, floor, closed: HybridTime::ZERO };
        let decided = receive::decide(&view, &home(), moment, life(1), share, self.ledgered == 0);
        if let Decision::Propose { effect, .. } = decided.expect("decided") {
            self.apply(&effect);
        }
    }

    fn record(&self, place: &Place) -> Option<Record> {
        let stored = self.engine.get(&place.record_key(home().table)).expect("read");
        stored.map(|bytes| Record::decode(&bytes).expect("a record"))
    }
}

fn incoming((at, time, region, alive): (u64, u64, u32, bool)) -> Incoming {
    let time = HybridTime::from_u64(time);
    let version = Version { time, incarnation: life(region), expired: false };
    // Equal versions are equal bytes, so the body follows from the version.
    let body = alive.then(|| version.to_bytes().to_vec());
    let place = Place { hash: KeyHash(at), key: at.to_be_bytes().to_vec() };
    Incoming { place, record: Record { version, seen: Seen::new(), body }, time }
}

fn any_incoming() -> impl Strategy<Value = Incoming> {
    // Few places, times and regions, so that ties abound; whether it lives follows from the version, too.
    (0u64..3, 1u64..6, 1u32..4)
        .prop_map(|(at, time, region)| incoming((at, time, region, (time + u64::from(region)) % 3 > 0)))
}

proptest! {
    #[test]
    fn any_order_with_any_doubling_leaves_the_greatest(
        records in proptest::collection::vec(any_incoming(), 1..12),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let mut straight = Region::new();
        records.iter().for_each(|record| straight.receive(vec![record.clone()]));
        let mut shuffled = Region::new();
        for at in order {
            shuffled.receive(vec![records[at.index(records.len())].clone()]);
        }
        records.iter().rev().for_each(|record| shuffled.receive(vec![record.clone()]));
        let mut greatest: BTreeMap<Place, Record> = BTreeMap::new();
        for record in &records {
            let kept = greatest.entry(record.place.clone()).or_insert(record.record.clone());
            if record.record.version > kept.version {
                *kept = record.record.clone();
            }
        }
        for (place, record) in greatest {
            prop_assert_eq!(straight.record(&place), Some(record.clone()));
            prop_assert_eq!(shuffled.record(&place), Some(record));
        }
    }
}

#[test]
fn a_record_sent_again_after_collection_stays_away() {
    let mut region = Region::new();
    region.receive(vec![incoming((1, 3, 1, true))]);
    region.receive(vec![incoming((1, 5, 2, false))]);
    let place = incoming((1, 5, 2, false)).place;
    let overlay = Overlay::new(life(9));
    let time = HybridTime::from_u64;
    for all_passed in [5, u64::MAX] {
        let view = View { engine: &region.engine, overlay: &overlay };
        let step = partition::collect::decide(&view, &home(), &region.state, time(all_passed), time(10));
        let effect = step.expect("decided").expect("there is something to do");
        region.apply(&effect);
    }
    assert_eq!(region.record(&place), None);
    assert_eq!(region.state.floor, time(5));
    region.receive(vec![incoming((1, 3, 1, true))]);
    assert_eq!(region.record(&place), None, "at or below the floor it counts as deleted");
    region.receive(vec![incoming((1, 6, 1, true))]);
    assert!(region.record(&place).is_some(), "above the floor it is new");
}

#[test]
fn an_unseen_loss_is_ledgered_and_superseded_once_seen() {
    let mut region = Region::new();
    region.receive(vec![incoming((1, 3, 9, true))]);
    region.receive(vec![incoming((1, 4, 2, true))]);
    assert_eq!(region.ledgered, 1);
    let mut later = incoming((1, 6, 3, true));
    later.record.seen.raise(life(9), HybridTime::from_u64(3));
    region.receive(vec![later.clone()]);
    let entries = receive::ledgered(&region.engine, &home(), &later.place).expect("read");
    assert_eq!(entries.iter().map(|entry| entry.superseded).collect::<Vec<_>>(), [true]);
}
