//! `5 | group` → a `PartitionState`: what a replica must know of itself that its records do not say.
//!
//! It is written in the same batch as the data that an entry changes, so that after a
//! crash the applied index is exactly the one that the data shows.

use types::{GroupId, HybridTime, KeyHash};

use super::{Bounds, PARTITION, under};
use crate::Error;
use crate::codec::{Reader, Writer};

const FORMAT: u8 = 1;
/// The format of a partition that was split, or is a part of one that was.
const FORMAT_SPLIT: u8 = 2;

/// The key of a group's state.
pub fn encode(group: GroupId) -> Vec<u8> {
    Writer::new(PARTITION).group(group).finish()
}

/// The inverse of `encode`.
pub fn decode(bytes: &[u8]) -> Result<GroupId, Error> {
    let mut reader = Reader::key("partition key", PARTITION, bytes)?;
    let group = reader.group()?;
    reader.finish(group)
}

/// The states of all groups of a disk.
pub fn all() -> Bounds {
    under(vec![PARTITION])
}

/// The first round of a collection that waits for its second (`P11`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Collecting {
    /// Tombstones made at or before this time are to be collected.
    pub upto: HybridTime,
    /// The time that all must have passed before they are.
    pub mark: HybridTime,
}

/// A replica's own state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PartitionState {
    /// The last log entry whose effect is in the data.
    pub applied: u64,
    /// The raft term of that entry.
    pub applied_term: u64,
    /// The time at or below which an absent key counts as deleted.
    pub floor: HybridTime,
    /// The largest closed time that was promised (`P8`).
    pub closed: HybridTime,
    /// A collection under way.
    pub collecting: Option<Collecting>,
    /// The last hash of its range, once a split has set it; its first hash never changes.
    pub last: Option<KeyHash>,
}

impl PartitionState {
    /// The stored bytes: `1 | applied | applied term | floor | closed | 0`, or `… | 1 | upto | mark`. After a
    /// split `2 | … | last`.
    pub fn encode(&self) -> Vec<u8> {
        let writer = Writer::new(if self.last.is_some() { FORMAT_SPLIT } else { FORMAT })
            .u64(self.applied)
            .u64(self.applied_term)
            .time(self.floor)
            .time(self.closed)
            .flag(self.collecting.is_some());
        let writer = match self.collecting {
            None => writer,
            Some(Collecting { upto, mark }) => writer.time(upto).time(mark),
        };
        match self.last {
            None => writer.finish(),
            Some(last) => writer.hash(last).finish(),
        }
    }

    /// The inverse of `encode`; any other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::value("partition state", FORMAT_SPLIT, bytes)?;
        let split = bytes[0] == FORMAT_SPLIT;
        let mut state = PartitionState {
            applied: reader.u64()?,
            applied_term: reader.u64()?,
            floor: reader.time()?,
            closed: reader.time()?,
            collecting: None,
            last: None,
        };
        if reader.flag("collecting")? {
            state.collecting = Some(Collecting { upto: reader.time()?, mark: reader.time()? });
        }
        if split {
            state.last = Some(reader.hash()?);
        }
        reader.finish(state)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    fn any_state() -> impl Strategy<Value = PartitionState> {
        let time = samples::any_time;
        let parts = (any::<(u64, u64)>(), time(), time(), prop::option::of((time(), time())));
        (parts, any::<Option<u64>>()).prop_map(
            |(((applied, applied_term), floor, closed, collecting), last)| PartitionState {
                applied,
                applied_term,
                floor,
                closed,
                collecting: collecting.map(|(upto, mark)| Collecting { upto, mark }),
                last: last.map(KeyHash),
            },
        )
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in samples::any_group(), b in samples::any_group()) {
            prop_assert_eq!(decode(&encode(a)), Ok(a));
            prop_assert_eq!(a.cmp(&b), encode(a).cmp(&encode(b)));
            prop_assert!(all().0 <= encode(a) && encode(a) < all().1);
        }

        #[test]
        fn values_round_trip(state in any_state()) {
            prop_assert_eq!(PartitionState::decode(&state.encode()), Ok(state));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(group) = decode(&bytes) {
                prop_assert_eq!(encode(group), &bytes[..]);
            }
            if let Ok(state) = PartitionState::decode(&bytes) {
                prop_assert_eq!(state.encode(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let time = HybridTime::from_u64;
        let quiet = PartitionState {
            applied: 77,
            applied_term: 5,
            floor: time(0x0001_0203_0405_0607),
            closed: time(0x0101_0203_0405_0607),
            collecting: None,
            last: None,
        };
        let collecting = Some(Collecting { upto: time(0x1111_2222), mark: time(0x3333_4444) });
        let busy = PartitionState { collecting, ..quiet };
        let split = PartitionState { last: Some(KeyHash(0x7fff_ffff_ffff_ffff)), ..busy };
        let key = encode(samples::GROUP);
        let cases = [quiet, busy, split].map(|state| (key.clone(), state.encode()));
        fixture::check("partition", include_str!("../../fixtures/partition.hex"), &cases, |key, value| {
            Ok((encode(decode(key)?), PartitionState::decode(value)?.encode()))
        });
    }
}
