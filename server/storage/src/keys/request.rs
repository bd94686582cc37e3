//! `6 | root | hash | request id` → a `RequestOutcome`: the first answer to a named write (`P3`).
//!
//! It lies under the item's hash, and under the partition that the one which decided it has come from by
//! splits: so a split moves nothing, and the outcomes of a partition are one range. The answer itself is
//! `partition`'s business and opaque here.

use types::{HashRange, HybridTime, KeyHash, PartitionId, RequestId};

use super::{Bounds, REQUEST, after};
use crate::Error;
use crate::codec::{Reader, Writer};

const FORMAT: u8 = 1;

/// Where an outcome is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// The partition that the one which decided the write has come from, or is.
    pub root: PartitionId,
    /// The hash of the item's encoded partition key.
    pub hash: KeyHash,
    /// The write's own name.
    pub request: RequestId,
}

impl Key {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(REQUEST).group(self.root).hash(self.hash).bytes(&self.request.0).finish()
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::key("request key", REQUEST, bytes)?;
        let (root, hash) = (reader.group()?, reader.hash()?);
        let key = Key { root, hash, request: RequestId(reader.array()?) };
        reader.finish(key)
    }
}

/// The outcomes of the partition of this range that has come from another, or is it.
pub fn hashes(root: PartitionId, range: HashRange) -> Bounds {
    let edge = |hash| Writer::new(REQUEST).group(root).hash(hash).finish();
    (edge(range.first), after(edge(range.last)))
}

/// The first answer to a named write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestOutcome {
    /// When it may be forgotten, by the leader's hybrid time.
    pub expires: HybridTime,
    /// A digest of the whole request, which a retry must repeat.
    pub payload_digest: u64,
    /// The answer, as `partition` encodes it.
    pub outcome: Vec<u8>,
}

impl RequestOutcome {
    /// The stored bytes: `1 | expires | payload digest | outcome`.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(FORMAT).time(self.expires).u64(self.payload_digest).bytes(&self.outcome).finish()
    }

    /// The inverse of `encode`; any other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::value("request outcome", FORMAT, bytes)?;
        let (expires, payload_digest) = (reader.time()?, reader.u64()?);
        Ok(RequestOutcome { expires, payload_digest, outcome: reader.rest().to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    fn any_key() -> impl Strategy<Value = Key> {
        (samples::any_group(), samples::any_hash(), any::<[u8; 16]>()).prop_map(|(root, hash, request)| Key {
            root,
            hash,
            request: RequestId(request),
        })
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in any_key(), b in any_key()) {
            prop_assert_eq!(Key::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
        }

        #[test]
        fn ranges_hold_what_they_say(key in any_key(), edges in any::<(u64, u64)>()) {
            let range = HashRange {
                first: KeyHash(edges.0.min(edges.1)),
                last: KeyHash(edges.0.max(edges.1)),
            };
            let encoded = key.encode();
            let holds = |(from, to): Bounds| from <= encoded && encoded < to;
            prop_assert_eq!(holds(hashes(key.root, range)), range.contains(key.hash));
        }

        #[test]
        fn values_round_trip(
            expires in samples::any_time(),
            payload_digest in any::<u64>(),
            outcome in samples::any_bytes(),
        ) {
            let kept = RequestOutcome { expires, payload_digest, outcome };
            prop_assert_eq!(RequestOutcome::decode(&kept.encode()), Ok(kept));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), &bytes[..]);
            }
            if let Ok(kept) = RequestOutcome::decode(&bytes) {
                prop_assert_eq!(kept.encode(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let key =
            Key { root: samples::GROUP, hash: KeyHash(0x0123_4567_89ab_cdef), request: samples::REQUEST };
        let kept = RequestOutcome {
            expires: HybridTime::from_u64(0x0001_0203_0405_0607),
            payload_digest: 0xfeed_beef,
            outcome: b"written".to_vec(),
        };
        let cases = [(key.encode(), kept.encode())];
        fixture::check("request", include_str!("../../fixtures/request.hex"), &cases, |key, value| {
            Ok((Key::decode(key)?.encode(), RequestOutcome::decode(value)?.encode()))
        });
    }
}
