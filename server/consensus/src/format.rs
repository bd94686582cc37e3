//! The bytes that a group keeps in the log store. They are ours, not raft-rs's, so that its releases may
//! change.
//!
//! Format 1 of each, behind the format's byte:
//! - entry: `kind | data`; kind 0 is a command, other kinds are not in use; index and term stand beside the
//!   bytes.
//! - hard state: `term | vote | commit`, 8 bytes each, big-endian as everything.
//! - configuration: `count | voters`, 8 bytes each, ascending.
//! - truncation: `index | term`, 8 bytes each.

use raft::eraftpb::{ConfState, Entry, EntryType, HardState};
use storage::error::Fault;
use storage::{Error, LogEntry};
use types::bytes::{Malformed, Reader, put_varint};

const FORMAT: u8 = 1;
const KIND_COMMAND: u8 = 0;

/// The last entry that was dropped when the log was compacted: where it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Truncated {
    /// Its index.
    pub index: u64,
    /// Its term.
    pub term: u64,
}

/// Encodes an entry.
///
/// # Panics
///
/// On a change of membership: nobody proposes one, and `step` refuses those of others.
pub fn encode_entry(entry: &Entry) -> LogEntry {
    assert_eq!(entry.entry_type, EntryType::EntryNormal, "only commands are proposed");
    let mut data = Vec::with_capacity(2 + entry.data.len());
    data.extend_from_slice(&[FORMAT, KIND_COMMAND]);
    data.extend_from_slice(&entry.data);
    LogEntry { index: entry.index, term: entry.term, data }
}

/// Decodes an entry.
pub fn decode_entry(stored: &LogEntry) -> Result<Entry, Error> {
    let what = "raft entry";
    let mut reader = open(what, &stored.data)?;
    let kind = reader.u8().map_err(truncated(what))?;
    if kind != KIND_COMMAND {
        return Err(Error::Corrupt { what, fault: Fault::Flag { field: "kind", found: kind } });
    }
    let data = reader.rest().to_vec().into();
    Ok(Entry { index: stored.index, term: stored.term, data, ..Entry::default() })
}

/// Encodes term, vote and commit index.
pub fn encode_hard_state(state: &HardState) -> Vec<u8> {
    numbers(&[state.term, state.vote, state.commit])
}

/// Decodes term, vote and commit index.
pub fn decode_hard_state(bytes: &[u8]) -> Result<HardState, Error> {
    let what = "raft hard state";
    let mut reader = open(what, bytes)?;
    let term = reader.u64().map_err(truncated(what))?;
    let vote = reader.u64().map_err(truncated(what))?;
    let commit = reader.u64().map_err(truncated(what))?;
    finish(what, reader, HardState { term, vote, commit, ..HardState::default() })
}

/// Encodes the voters, which must ascend.
pub fn encode_configuration(voters: &[u64]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    put_varint(&mut bytes, voters.len() as u64);
    for voter in voters {
        bytes.extend_from_slice(&voter.to_be_bytes());
    }
    bytes
}

/// Decodes the voters: at least one, ascending, none zero.
pub fn decode_configuration(bytes: &[u8]) -> Result<ConfState, Error> {
    let what = "raft configuration";
    let mut reader = open(what, bytes)?;
    let count = reader.count(8).map_err(truncated(what))?;
    let mut before = 0;
    let mut state = ConfState::default();
    for _ in 0..count {
        let voter = reader.u64().map_err(truncated(what))?;
        if voter <= before {
            return Err(Error::Corrupt { what, fault: Fault::Unsorted { field: "voters" } });
        }
        before = voter;
        state.voters.push(voter);
    }
    if count == 0 {
        return Err(Error::Corrupt { what, fault: Fault::Truncated });
    }
    finish(what, reader, state)
}

/// Encodes where the log begins.
pub fn encode_truncated(at: Truncated) -> Vec<u8> {
    numbers(&[at.index, at.term])
}

/// Decodes where the log begins.
pub fn decode_truncated(bytes: &[u8]) -> Result<Truncated, Error> {
    let what = "raft truncation";
    let mut reader = open(what, bytes)?;
    let index = reader.u64().map_err(truncated(what))?;
    let term = reader.u64().map_err(truncated(what))?;
    finish(what, reader, Truncated { index, term })
}

fn numbers(values: &[u64]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    for value in values {
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    bytes
}

fn open<'a>(what: &'static str, bytes: &'a [u8]) -> Result<Reader<'a>, Error> {
    let mut reader = Reader::new(bytes);
    match reader.u8().map_err(truncated(what))? {
        0 => Err(Error::Corrupt { what, fault: Fault::Format }),
        FORMAT => Ok(reader),
        found => Err(Error::TooNew { what, found, known: FORMAT }),
    }
}

fn finish<T>(what: &'static str, reader: Reader<'_>, value: T) -> Result<T, Error> {
    match reader.rest().len() {
        0 => Ok(value),
        bytes => Err(Error::Corrupt { what, fault: Fault::Trailing { bytes } }),
    }
}

fn truncated(what: &'static str) -> impl Fn(Malformed) -> Error {
    move |_| Error::Corrupt { what, fault: Fault::Truncated }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hard_state(term: u64, vote: u64, commit: u64) -> HardState {
        HardState { term, vote, commit, ..HardState::default() }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Disks out there hold these bytes: lines may be added, none may change.
    #[test]
    fn the_fixture_is_what_this_code_writes_and_reads() {
        let entry = LogEntry { index: 7, term: 3, data: b"\x01\x00effect".to_vec() };
        let decoded = decode_entry(&entry).unwrap();
        let voters = [1, 2, 0x0102_0304_0506_0708];
        let text = [
            format!("entry {}\n", hex(&encode_entry(&decoded).data)),
            format!("hard_state {}\n", hex(&encode_hard_state(&hard_state(3, 1, 6)))),
            format!("configuration {}\n", hex(&encode_configuration(&voters))),
            format!("truncated {}\n", hex(&encode_truncated(Truncated { index: 5, term: 2 }))),
        ];
        assert_eq!(include_str!("../fixtures/log.hex"), text.concat());
        assert_eq!(decode_configuration(&encode_configuration(&voters)).unwrap().voters, voters);
    }

    #[test]
    fn what_a_later_release_wrote_is_refused_as_such() {
        let found = decode_truncated(&[2, 0, 0]);
        assert_eq!(found, Err(Error::TooNew { what: "raft truncation", found: 2, known: 1 }));
    }

    #[test]
    fn a_configuration_without_order_or_voters_is_refused() {
        for voters in [&[][..], &[0], &[2, 1], &[1, 1]] {
            assert!(decode_configuration(&encode_configuration(voters)).is_err(), "{voters:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_round_trip((a, b, c) in any::<(u64, u64, u64)>(), data in any::<Vec<u8>>()) {
            let state = hard_state(a, b, c);
            prop_assert_eq!(decode_hard_state(&encode_hard_state(&state)), Ok(state));
            let at = Truncated { index: a, term: b };
            prop_assert_eq!(decode_truncated(&encode_truncated(at)), Ok(at));
            let entry = Entry { index: a, term: b, data: data.into(), ..Entry::default() };
            prop_assert_eq!(decode_entry(&encode_entry(&entry)), Ok(entry));
        }

        #[test]
        fn what_decodes_is_what_would_be_written(bytes in proptest::collection::vec(0u8..3, 0..30)) {
            if let Ok(state) = decode_hard_state(&bytes) {
                prop_assert_eq!(&encode_hard_state(&state), &bytes);
            }
            if let Ok(state) = decode_configuration(&bytes) {
                prop_assert_eq!(&encode_configuration(&state.voters), &bytes);
            }
            if let Ok(entry) = decode_entry(&LogEntry { index: 1, term: 1, data: bytes.clone() }) {
                prop_assert_eq!(&encode_entry(&entry).data, &bytes);
            }
        }
    }
}
