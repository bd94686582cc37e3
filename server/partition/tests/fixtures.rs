//! The bytes of effects and remembered outcomes, as committed: logs out there hold them.

use item::{AttributeValue, Error, Item, Outcome};
use partition::effect::{Effect, Made, Place, Step};
use partition::remembered;
use storage::Record;
use types::{HybridTime, Incarnation, KeyHash, RegionId, RequestId, Version, fixture};

fn steps() -> Vec<(&'static str, Step)> {
    let time = HybridTime::from_millis;
    let life = |region| Incarnation { region: RegionId(region), counter: 2 };
    let version = Version { time: time(7), incarnation: life(1), expired: false };
    let place = || Place { hash: KeyHash(0x0102), key: b"key".to_vec() };
    let seen = [(life(3), time(5))].into_iter().collect();
    let record = || Record { version, seen, body: Some(b"body".to_vec()) };
    let lost = || Record { version, seen: Default::default(), body: None };
    let winner = Version { time: time(9), incarnation: life(3), expired: true };
    let (hash, request) = (KeyHash(4), RequestId([5; 16]));
    let remember =
        Step::Remember { hash, request, expires: time(8), digest: 6, outcome: b"outcome".to_vec() };
    vec![
        (
            "record",
            Step::Record {
                place: place(),
                record: record(),
                made: Some(Made { maker: life(1), time: time(7) }),
            },
        ),
        ("record-alone", Step::Record { place: place(), record: lost(), made: None }),
        ("erase", Step::Erase { place: place() }),
        ("remember", remember),
        ("forget", Step::Forget { outcomes: vec![(time(8), hash, request)] }),
        ("ledger", Step::Ledger { place: place(), lost: lost(), winner }),
        ("supersede", Step::Supersede { place: place(), lost: lost(), winner }),
        ("cursor", Step::Cursor { peer: RegionId(3), index: 300 }),
        ("mark", Step::Mark { upto: time(1), mark: time(2) }),
        (
            "collect",
            Step::Collect {
                floor: time(1),
                tombstones: vec![(time(1), place())],
                stale: vec![(time(2), place())],
                done: true,
            },
        ),
        ("trim", Step::Trim { changes: vec![(300, 1)] }),
    ]
}

#[test]
fn effects() {
    let bytes = |step| Effect { steps: vec![step] }.encode();
    let cases: Vec<_> = steps().into_iter().map(|(name, step)| (name, bytes(step))).collect();
    fixture::check(include_str!("../fixtures/effect.hex"), &cases, |_, bytes| {
        Effect::decode(bytes).ok().map(|effect| effect.encode())
    });
}

#[test]
fn outcomes() {
    let item = || Item::from([("k".to_owned(), AttributeValue::S("v".into()))]);
    let answers = [
        ("written", Ok(Outcome::Written(None))),
        ("written-with-item", Ok(Outcome::Written(Some(item())))),
        ("condition-failed", Err(Error::ConditionFailed { item: None })),
        ("condition-failed-with-item", Err(Error::ConditionFailed { item: Some(Box::new(item())) })),
    ];
    let cases: Vec<_> =
        answers.iter().map(|(name, answer)| (*name, remembered::encode(answer).expect("kept"))).collect();
    fixture::check(include_str!("../fixtures/outcome.hex"), &cases, |_, bytes| {
        remembered::encode(&remembered::decode(bytes).ok()?)
    });
}
