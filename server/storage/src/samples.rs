//! Values for tests: fixed ones for fixtures, which must never change, and strategies for property tests.

use proptest::prelude::*;
use types::{GroupId, HybridTime, Incarnation, KeyHash, RegionId, RequestId, Seen, TableId, Version};

use crate::Record;

/// A partition.
pub const GROUP: GroupId = GroupId(0x1234_5678);
/// A request.
pub const REQUEST: RequestId = RequestId(*b"sixteen letters!");

/// An incarnation.
pub fn incarnation() -> Incarnation {
    Incarnation { region: RegionId(0xcafe_f00d), counter: 2 }
}

/// A table.
pub fn table() -> TableId {
    TableId { created: HybridTime::from_u64(0x0190_0000_0000_0001), origin: RegionId(0xcafe_f00d) }
}

/// A version.
pub fn version() -> Version {
    let time = HybridTime::from_u64(0x0190_1234_5678_0003);
    Version { time, incarnation: incarnation(), expired: false }
}

/// The version of the tombstone that expires a record of `version`.
pub fn expired() -> Version {
    Version { expired: true, ..version() }
}

/// A live record that has seen two regions.
pub fn record() -> Record {
    let life = |region| Incarnation { region: RegionId(region), counter: 1 };
    let seen = [(life(1), HybridTime::from_u64(10)), (life(2), HybridTime::from_u64(20))];
    Record { version: version(), seen: seen.into_iter().collect(), body: Some(b"body".to_vec()) }
}

pub fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    // Half of them begin like a key or value, so that decoders come past the first byte.
    let random = || prop::collection::vec(any::<u8>(), 0..100);
    prop_oneof![
        random(),
        (0u8..12, random()).prop_map(|(first, rest)| [&[first], &rest[..]].concat()),
        (0u8..12, prop::collection::vec(0u8..3, 0..100))
            .prop_map(|(first, rest)| [&[first], &rest[..]].concat()),
    ]
}

pub fn any_item_key() -> impl Strategy<Value = Vec<u8>> {
    // Few letters, so that keys are often equal or prefixes of one another.
    prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xff), any::<u8>()], 0..6)
}

pub fn any_time() -> impl Strategy<Value = HybridTime> {
    prop_oneof![0..3u64, any::<u64>(), u64::MAX - 1..=u64::MAX].prop_map(HybridTime::from_u64)
}

pub fn any_hash() -> impl Strategy<Value = KeyHash> {
    prop_oneof![0..3u64, any::<u64>(), u64::MAX - 1..=u64::MAX].prop_map(KeyHash)
}

pub fn any_group() -> impl Strategy<Value = GroupId> {
    prop_oneof![0..3u64, any::<u64>(), u64::MAX - 1..=u64::MAX].prop_map(GroupId)
}

pub fn any_incarnation() -> impl Strategy<Value = Incarnation> {
    (0..3u32, 0..3u32).prop_map(|(region, counter)| Incarnation { region: RegionId(region), counter })
}

pub fn any_table() -> impl Strategy<Value = TableId> {
    (any_time(), prop_oneof![0..3u32, u32::MAX - 1..=u32::MAX])
        .prop_map(|(created, origin)| TableId { created, origin: RegionId(origin) })
}

pub fn any_version() -> impl Strategy<Value = Version> {
    (any_time(), any_incarnation(), any::<bool>()).prop_map(|(time, incarnation, expired)| Version {
        time,
        incarnation,
        expired,
    })
}

pub fn any_record() -> impl Strategy<Value = Record> {
    let seen = prop::collection::vec((any_incarnation(), any_time()), 0..4);
    let body = prop::option::of(prop::collection::vec(any::<u8>(), 0..8));
    (any_version(), seen, body).prop_map(|(version, seen, body)| Record {
        version,
        seen: seen.into_iter().collect::<Seen>(),
        body,
    })
}
