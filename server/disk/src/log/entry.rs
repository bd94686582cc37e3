//! A log entry as raft-engine keeps it: index and term, big-endian, then the data.
//!
//! raft-engine wants protobuf messages whose index it can tell. The well-known bytes value is such a message,
//! and saves us a generated one.

use protobuf::well_known_types::BytesValue;
use raft_engine::MessageExt;
use storage::error::Fault;
use storage::{Error, LogEntry};

/// How raft-engine reads an entry's index.
pub struct Entries;

impl MessageExt for Entries {
    type Entry = BytesValue;

    fn index(entry: &BytesValue) -> u64 {
        // Entries have passed a checksum before this is asked; 0 is no entry's index, and raft-engine stops
        // at it.
        entry.get_value().first_chunk().map_or(0, |index| u64::from_be_bytes(*index))
    }
}

/// The message of an entry.
pub fn encode(entry: &LogEntry) -> BytesValue {
    let mut message = BytesValue::new();
    message.set_value([&entry.index.to_be_bytes()[..], &entry.term.to_be_bytes(), &entry.data].concat());
    message
}

/// The entry of a message's bytes.
pub fn decode(bytes: &[u8]) -> Result<LogEntry, Error> {
    let parts = bytes.split_first_chunk::<8>();
    let parts = parts.and_then(|(index, rest)| Some((index, rest.split_first_chunk::<8>()?)));
    let (index, (term, data)) = parts.ok_or(Error::Corrupt { what: "log entry", fault: Fault::Truncated })?;
    let (index, term) = (u64::from_be_bytes(*index), u64::from_be_bytes(*term));
    Ok(LogEntry { index, term, data: data.to_vec() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_round_trip(index in any::<u64>(), term in any::<u64>(), data in any::<Vec<u8>>()) {
            let entry = LogEntry { index, term, data };
            let message = encode(&entry);
            prop_assert_eq!(Entries::index(&message), index);
            prop_assert_eq!(decode(message.get_value()), Ok(entry));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            prop_assert_eq!(decode(&bytes).is_ok(), bytes.len() >= 16);
        }
    }
}
