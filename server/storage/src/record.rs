//! A record: an item or a tombstone as stored, with the version and causal history that replication needs.
//!
//! Equal versions are equal bytes everywhere, so the encoding is canonical: one record, one byte string.
//!
//! Format 1: `1 | version 17 | count of seen u16 | seen: (incarnation 8, time 8)* ascending | 0` for a
//! tombstone, `… | 1 | body` for an item.

use types::{Seen, Version};

use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::Fault;

const FORMAT: u8 = 1;
const WHAT: &str = "record";

/// An item or tombstone as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its place in the total order.
    pub version: Version,
    /// What its writer had seen of other regions (`P9`).
    pub seen: Seen,
    /// The item in `item::codec`'s canonical bytes; `None` for a tombstone.
    pub body: Option<Vec<u8>>,
}

impl Record {
    /// Whether it says that the item is gone.
    pub fn is_tombstone(&self) -> bool {
        self.body.is_none()
    }

    /// How many bytes it has encoded, at most.
    pub fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, Vec::len) + 16 * self.seen.len() + 21
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let count = u16::try_from(self.seen.len()).expect("a record has seen at most a few regions");
        let mut writer = Writer::with_room(FORMAT, self.bytes() - 1).version(self.version).u16(count);
        for (incarnation, time) in self.seen.iter() {
            writer = writer.incarnation(incarnation).time(time);
        }
        match &self.body {
            None => writer.flag(false).finish(),
            Some(body) => writer.flag(true).bytes(body).finish(),
        }
    }

    /// The item in the canonical bytes of a record, for who wants nothing else; `None` for a tombstone. Bytes
    /// that are no record's are an error, unless only what was seen is out of order.
    pub fn body(bytes: &[u8]) -> Result<Option<&[u8]>, Error> {
        let mut reader = Reader::value(WHAT, FORMAT, bytes)?;
        reader.version()?;
        for _ in 0..reader.u16()? {
            reader.incarnation()?;
            reader.time()?;
        }
        match reader.flag("body")? {
            true => Ok(Some(reader.rest())),
            false => reader.finish(None),
        }
    }

    /// The inverse of `encode`; any other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Record, Error> {
        let mut reader = Reader::value(WHAT, FORMAT, bytes)?;
        let version = reader.version()?;
        let mut seen = Seen::new();
        let mut before = None;
        for _ in 0..reader.u16()? {
            let incarnation = reader.incarnation()?;
            if before.is_some_and(|before| before >= incarnation) {
                return Err(reader.corrupt(Fault::Unsorted { field: "seen" }));
            }
            before = Some(incarnation);
            seen.raise(incarnation, reader.time()?);
        }
        if reader.flag("body")? {
            Ok(Record { version, seen, body: Some(reader.rest().to_vec()) })
        } else {
            reader.finish(Record { version, seen, body: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples;

    proptest! {
        #[test]
        fn bytes_round_trip_and_equal_records_have_equal_bytes(
            a in samples::any_record(),
            b in samples::any_record(),
        ) {
            let bytes = a.encode();
            prop_assert_eq!(Record::decode(&bytes), Ok(a.clone()));
            prop_assert_eq!(Record::body(&bytes), Ok(a.body.as_deref()));
            prop_assert_eq!(a == b, a.encode() == b.encode());
        }

        #[test]
        fn what_decodes_is_canonical(bytes in samples::any_bytes()) {
            if let Ok(record) = Record::decode(&bytes) {
                prop_assert_eq!(record.encode(), bytes);
            }
        }

        #[test]
        fn a_changed_byte_never_decodes_to_other_bytes(
            record in samples::any_record(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = record.encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(record) = Record::decode(&bytes) {
                prop_assert_eq!(record.encode(), bytes);
            }
        }
    }

    #[test]
    fn seen_out_of_order_is_refused() {
        let record = samples::record();
        let mut bytes = record.encode();
        let (first, second) = (20..36, 36..52);
        let swapped = [&bytes[second], &bytes[first.clone()]].concat();
        bytes[first.start..first.start + 32].copy_from_slice(&swapped);
        let fault = Fault::Unsorted { field: "seen" };
        assert_eq!(Record::decode(&bytes), Err(Error::Corrupt { what: "record", fault }));
    }

    #[test]
    fn a_later_format_is_refused_as_such() {
        let mut bytes = samples::record().encode();
        bytes[0] = 2;
        assert_eq!(Record::decode(&bytes), Err(Error::TooNew { what: "record", found: 2, known: 1 }));
    }

    #[test]
    fn bytes_after_a_tombstone_are_refused() {
        let mut bytes = Record { body: None, ..samples::record() }.encode();
        bytes.push(7);
        let fault = Fault::Trailing { bytes: 1 };
        assert_eq!(Record::decode(&bytes), Err(Error::Corrupt { what: "record", fault }));
    }
}
