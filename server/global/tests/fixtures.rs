//! The bytes of messages between regions, as committed: peers of other releases send and read them.

use global::message::Origin;
use global::{Ack, Batch, Message, Pulse, Shipped, Verdict, frame};
use partition::effect::Place;
use storage::Record;
use types::{GroupId, HashRange, HybridTime, Incarnation, KeyHash, RegionId, TableId, Version, fixture};

fn messages() -> Vec<(&'static str, Message)> {
    let time = HybridTime::from_millis;
    let life = |region| Incarnation { region: RegionId(region), counter: 2 };
    let table = TableId { created: time(7), origin: RegionId(1) };
    let origin =
        Origin { table, from: life(1), to: life(3), segment: GroupId(16), term: 4, stream: 5, number: 300 };
    let version = Version { time: time(9), incarnation: life(1), expired: false };
    let record =
        Record { version, seen: [(life(3), time(8))].into_iter().collect(), body: Some(b"body".to_vec()) };
    let shipped = Shipped { place: Place { hash: KeyHash(6), key: b"key".to_vec() }, record, time: time(9) };
    let pulse = Pulse {
        table,
        from: life(1),
        to: life(3),
        closed: vec![(HashRange::ALL, time(9))],
        received: vec![(life(3), time(8))],
    };
    vec![
        ("batch", Message::Batch(Batch { origin, records: vec![shipped] })),
        ("committed", Message::Ack(Ack { origin, verdict: Verdict::Committed })),
        ("ahead", Message::Ack(Ack { origin, verdict: Verdict::Ahead })),
        ("busy", Message::Ack(Ack { origin, verdict: Verdict::Busy })),
        ("pulse", Message::Pulse(vec![pulse])),
        ("tables-known", Message::TablesKnown(vec![(table, 10)])),
        ("table-refused", Message::TableRefused(table)),
    ]
}

#[test]
fn framed_messages() {
    let cases: Vec<_> = messages().iter().map(|(name, message)| (*name, frame::encode(message))).collect();
    fixture::check(include_str!("../fixtures/message.hex"), &cases, |_, bytes| {
        frame::decode(bytes).ok().map(|message| frame::encode(&message))
    });
}
