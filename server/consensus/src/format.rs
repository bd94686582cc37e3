//! The bytes that a group keeps in the log store. They are ours, not raft-rs's, so that its releases may
//! change.
//!
//! Format 1 of each, behind the format's byte:
//! - entry: `kind | data`; kind 0 is a command, kind 1 a change of members: for each step `step | replica`,
//!   where step 0 makes a voter, 1 a learner, 2 removes; index and term stand beside the bytes.
//! - hard state: `term | vote | commit`, 8 bytes each, big-endian as everything.
//! - members: `count | voters`, 8 bytes each, ascending.
//! - truncation: `index | term`, 8 bytes each.
//!
//! Format 2 of members, where there are others than voters: `count | replicas` of voters, learners, outgoing
//! voters and learners to be, and whether the joint state ends by itself.

use raft::eraftpb::{Entry, EntryType, HardState};
use storage::error::Fault;
use storage::{Error, LogEntry};
use types::bytes::{Malformed, Reader, put_varint};

use crate::members::{Change, Members, Step};

const FORMAT: u8 = 1;
/// The format of members that are not just voters, or not any.
const FORMAT_ALL_MEMBERS: u8 = 2;
const KIND_COMMAND: u8 = 0;
const KIND_CHANGE: u8 = 1;

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
/// On a change of members that `step` would refuse.
pub fn encode_entry(entry: &Entry) -> LogEntry {
    let mut data = Vec::with_capacity(2 + entry.data.len());
    match entry.entry_type {
        EntryType::EntryNormal => {
            data.extend_from_slice(&[FORMAT, KIND_COMMAND]);
            data.extend_from_slice(&entry.data);
        }
        EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => {
            data.extend_from_slice(&[FORMAT, KIND_CHANGE]);
            let change = Change::of_raft_bytes(&entry.data).expect("`step` refuses any other");
            for step in change.steps {
                let (step, replica) = match step {
                    Step::Voter(replica) => (0, replica),
                    Step::Learner(replica) => (1, replica),
                    Step::Remove(replica) => (2, replica),
                };
                data.push(step);
                data.extend_from_slice(&replica.to_be_bytes());
            }
        }
    }
    LogEntry { index: entry.index, term: entry.term, data }
}

/// Decodes an entry.
pub fn decode_entry(stored: &LogEntry) -> Result<Entry, Error> {
    let what = "raft entry";
    let mut reader = open(what, &stored.data, FORMAT)?;
    let kind = reader.u8().map_err(truncated(what))?;
    let (entry_type, data) = match kind {
        KIND_COMMAND => (EntryType::EntryNormal, reader.rest().to_vec()),
        KIND_CHANGE => (EntryType::EntryConfChangeV2, decode_change(what, reader.rest())?.to_raft_bytes()),
        found => return Err(Error::Corrupt { what, fault: Fault::Flag { field: "kind", found } }),
    };
    let (index, term, data) = (stored.index, stored.term, data.into());
    Ok(Entry { index, term, entry_type, data, ..Entry::default() })
}

fn decode_change(what: &'static str, bytes: &[u8]) -> Result<Change, Error> {
    let mut change = Change::default();
    for bytes in bytes.chunks(9) {
        let mut reader = Reader::new(bytes);
        let step = reader.u8().map_err(truncated(what))?;
        let replica = reader.u64().map_err(truncated(what))?;
        change.steps.push(match (step, replica) {
            (0..=2, raft::INVALID_ID) => {
                return Err(Error::Corrupt { what, fault: Fault::Unsorted { field: "replica" } });
            }
            (0, replica) => Step::Voter(replica),
            (1, replica) => Step::Learner(replica),
            (2, replica) => Step::Remove(replica),
            (found, _) => return Err(Error::Corrupt { what, fault: Fault::Flag { field: "step", found } }),
        });
    }
    Ok(change)
}

/// Encodes term, vote and commit index.
pub fn encode_hard_state(state: &HardState) -> Vec<u8> {
    numbers(&[state.term, state.vote, state.commit])
}

/// Decodes term, vote and commit index.
pub fn decode_hard_state(bytes: &[u8]) -> Result<HardState, Error> {
    let what = "raft hard state";
    let mut reader = open(what, bytes, FORMAT)?;
    let term = reader.u64().map_err(truncated(what))?;
    let vote = reader.u64().map_err(truncated(what))?;
    let commit = reader.u64().map_err(truncated(what))?;
    finish(what, reader, HardState { term, vote, commit, ..HardState::default() })
}

/// Encodes members, each list ascending.
pub fn encode_configuration(members: &Members) -> Vec<u8> {
    let Members { voters, learners, outgoing, learners_next, auto_leave } = members;
    let others = [learners, outgoing, learners_next];
    let only_voters = !voters.is_empty() && others.iter().all(|list| list.is_empty());
    let mut bytes = vec![if only_voters { FORMAT } else { FORMAT_ALL_MEMBERS }];
    put_replicas(&mut bytes, voters);
    if !only_voters {
        others.iter().for_each(|list| put_replicas(&mut bytes, list));
        bytes.push(u8::from(*auto_leave));
    }
    bytes
}

/// Decodes members: each list ascends, and no replica is zero.
pub fn decode_configuration(bytes: &[u8]) -> Result<Members, Error> {
    let what = "raft members";
    let mut reader = open(what, bytes, FORMAT_ALL_MEMBERS)?;
    let mut members = Members { voters: replicas(what, &mut reader)?, ..Members::default() };
    if bytes[0] == FORMAT_ALL_MEMBERS {
        members.learners = replicas(what, &mut reader)?;
        members.outgoing = replicas(what, &mut reader)?;
        members.learners_next = replicas(what, &mut reader)?;
        members.auto_leave = reader.bool().map_err(truncated(what))?;
    }
    let members = finish(what, reader, members)?;
    match members.is_consistent() && encode_configuration(&members) == bytes {
        true => Ok(members),
        false => Err(Error::Corrupt { what, fault: Fault::Format }),
    }
}

fn put_replicas(bytes: &mut Vec<u8>, replicas: &[u64]) {
    put_varint(bytes, replicas.len() as u64);
    for replica in replicas {
        bytes.extend_from_slice(&replica.to_be_bytes());
    }
}

fn replicas(what: &'static str, reader: &mut Reader<'_>) -> Result<Vec<u64>, Error> {
    let count = reader.count(8).map_err(truncated(what))?;
    let (mut replicas, mut before) = (Vec::with_capacity(count), 0);
    for _ in 0..count {
        let replica = reader.u64().map_err(truncated(what))?;
        if replica <= before {
            return Err(Error::Corrupt { what, fault: Fault::Unsorted { field: "replicas" } });
        }
        before = replica;
        replicas.push(replica);
    }
    Ok(replicas)
}

/// Encodes where the log begins.
pub fn encode_truncated(at: Truncated) -> Vec<u8> {
    numbers(&[at.index, at.term])
}

/// Decodes where the log begins.
pub fn decode_truncated(bytes: &[u8]) -> Result<Truncated, Error> {
    let what = "raft truncation";
    let mut reader = open(what, bytes, FORMAT)?;
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

fn open<'a>(what: &'static str, bytes: &'a [u8], known: u8) -> Result<Reader<'a>, Error> {
    let mut reader = Reader::new(bytes);
    match reader.u8().map_err(truncated(what))? {
        0 => Err(Error::Corrupt { what, fault: Fault::Format }),
        found if found <= known => Ok(reader),
        found => Err(Error::TooNew { what, found, known }),
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
        let voters = Members::of_voters(&[1, 2, 0x0102_0304_0506_0708]);
        let joint = Members {
            voters: vec![1, 2, 4],
            learners: vec![5],
            outgoing: vec![1, 2, 3],
            learners_next: vec![3],
            auto_leave: true,
        };
        let steps = vec![Step::Voter(4), Step::Learner(3), Step::Remove(9)];
        let data = Change { steps }.to_raft_bytes().into();
        let entry_type = EntryType::EntryConfChangeV2;
        let change = Entry { index: 8, term: 3, entry_type, data, ..Entry::default() };
        let text = [
            format!("entry {}\n", hex(&encode_entry(&decoded).data)),
            format!("hard_state {}\n", hex(&encode_hard_state(&hard_state(3, 1, 6)))),
            format!("configuration {}\n", hex(&encode_configuration(&voters))),
            format!("truncated {}\n", hex(&encode_truncated(Truncated { index: 5, term: 2 }))),
            format!("change {}\n", hex(&encode_entry(&change).data)),
            format!("joint {}\n", hex(&encode_configuration(&joint))),
            format!("nobody {}\n", hex(&encode_configuration(&Members::default()))),
        ];
        assert_eq!(include_str!("../fixtures/log.hex"), text.concat());
        assert_eq!(decode_entry(&encode_entry(&change)), Ok(change));
        for members in [voters, joint, Members::default()] {
            assert_eq!(decode_configuration(&encode_configuration(&members)), Ok(members));
        }
    }

    #[test]
    fn what_a_later_release_wrote_is_refused_as_such() {
        let found = decode_truncated(&[2, 0, 0]);
        assert_eq!(found, Err(Error::TooNew { what: "raft truncation", found: 2, known: 1 }));
    }

    #[test]
    fn members_out_of_order_are_refused() {
        for voters in [&[0][..], &[2, 1], &[1, 1]] {
            let members = Members { voters: voters.to_vec(), ..Members::default() };
            assert!(decode_configuration(&encode_configuration(&members)).is_err(), "{voters:?}");
        }
        assert!(decode_configuration(&[FORMAT, 0]).is_err(), "nobody has a format of its own");
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
                prop_assert_eq!(&encode_configuration(&state), &bytes);
            }
            if let Ok(entry) = decode_entry(&LogEntry { index: 1, term: 1, data: bytes.clone() }) {
                prop_assert_eq!(&encode_entry(&entry).data, &bytes);
            }
        }
    }
}
