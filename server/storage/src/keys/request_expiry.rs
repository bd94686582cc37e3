//! `7 | partition | expires | hash | request id` → nothing: outcomes in the order in which they may be
//! forgotten.
//!
//! Written and deleted together with the `request` key that it stands for.

use types::{HybridTime, KeyHash, PartitionId, RequestId};

use super::{Bounds, REQUEST_EXPIRY, request, under};
use crate::Error;
use crate::codec::{Reader, Writer};

const FORMAT: u8 = 1;

/// When an outcome may be forgotten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// The partition that keeps it.
    pub partition: PartitionId,
    /// When, by the leader's hybrid time.
    pub expires: HybridTime,
    /// The hash of the item's encoded partition key.
    pub hash: KeyHash,
    /// The write's own name.
    pub request: RequestId,
}

impl Key {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new(REQUEST_EXPIRY)
            .group(self.partition)
            .time(self.expires)
            .hash(self.hash)
            .bytes(&self.request.0)
            .finish()
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::key("request expiry key", REQUEST_EXPIRY, bytes)?;
        let (partition, expires, hash) = (reader.group()?, reader.time()?, reader.hash()?);
        let key = Key { partition, expires, hash, request: RequestId(reader.array()?) };
        reader.finish(key)
    }

    /// Where the outcome itself is kept.
    pub fn outcome(&self) -> request::Key {
        request::Key { partition: self.partition, hash: self.hash, request: self.request }
    }
}

/// All expiries of a partition.
pub fn partition(partition: PartitionId) -> Bounds {
    under(Writer::new(REQUEST_EXPIRY).group(partition).finish())
}

/// The outcomes of a partition that may be forgotten at a time.
pub fn until(partition: PartitionId, time: HybridTime) -> Bounds {
    let first = Writer::new(REQUEST_EXPIRY).group(partition);
    let last = Writer::new(REQUEST_EXPIRY).group(partition).time(time);
    (first.finish(), under(last.finish()).1)
}

/// The stored bytes of the value: its format and nothing else.
pub fn encode_value() -> Vec<u8> {
    Writer::new(FORMAT).finish()
}

/// The inverse of `encode_value`; any other bytes are an error.
pub fn decode_value(bytes: &[u8]) -> Result<(), Error> {
    Reader::value("request expiry", FORMAT, bytes)?.finish(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    fn any_key() -> impl Strategy<Value = Key> {
        (samples::any_group(), samples::any_time(), samples::any_hash(), any::<[u8; 16]>()).prop_map(
            |(partition, expires, hash, request)| Key {
                partition,
                expires,
                hash,
                request: RequestId(request),
            },
        )
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in any_key(), b in any_key()) {
            prop_assert_eq!(Key::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
        }

        #[test]
        fn ranges_hold_what_they_say(key in any_key(), time in samples::any_time()) {
            let encoded = key.encode();
            let holds = |(from, to): Bounds| from <= encoded && encoded < to;
            prop_assert!(holds(partition(key.partition)));
            prop_assert_eq!(holds(until(key.partition, time)), key.expires <= time);
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), &bytes[..]);
            }
            if decode_value(&bytes).is_ok() {
                prop_assert_eq!(encode_value(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let key = Key {
            partition: samples::GROUP,
            expires: HybridTime::from_u64(0x0001_0203_0405_0607),
            hash: KeyHash(0x0123_4567_89ab_cdef),
            request: samples::REQUEST,
        };
        let cases = [(key.encode(), encode_value())];
        let text = include_str!("../../fixtures/request_expiry.hex");
        fixture::check("request_expiry", text, &cases, |key, value| {
            decode_value(value)?;
            Ok((Key::decode(key)?.encode(), encode_value()))
        });
    }
}
