//! What a group does not take: messages, proposals and disks.

use protobuf::Message as _;
use raft::eraftpb::{Entry, EntryType, Message, MessageType};
use types::limits::RAFT_UNCOMMITTED_BYTES_MAX;

use super::{GROUP, disk, open, random};
use crate::{Error, Group, ProposeError, StepError};
use storage::memory::Memory;

fn follower() -> Group<Memory> {
    open(&disk(GROUP, &[1, 2, 3]), 1, 0).unwrap()
}

/// A message from replica 2 in term 2 that replica 1 would take.
fn message(kind: MessageType) -> Message {
    let mut message = Message::default();
    message.set_msg_type(kind);
    (message.from, message.to, message.term) = (2, 1, 2);
    (message.index, message.log_term) = (1, 1);
    message
}

fn entry(index: u64) -> Entry {
    Entry { index, term: 2, ..Entry::default() }
}

fn step(message: &Message) -> Result<(), StepError> {
    follower().step(&message.write_to_bytes().unwrap(), &mut random(1)).map(drop)
}

#[test]
fn messages_that_no_replica_sends_are_refused() {
    assert_eq!(step(&message(MessageType::MsgAppend)), Ok(()));
    for kind in [
        MessageType::MsgHup,
        MessageType::MsgPropose,
        MessageType::MsgSnapshot,
        MessageType::MsgTransferLeader,
        MessageType::MsgReadIndex,
    ] {
        let refused = Err(StepError::Unexpected { group: GROUP, kind: kind as i32 });
        assert_eq!(step(&message(kind)), refused);
    }
}

#[test]
fn messages_from_and_for_others_are_refused() {
    let mut misrouted = message(MessageType::MsgAppend);
    misrouted.to = 3;
    assert_eq!(step(&misrouted), Err(StepError::Misrouted { group: GROUP, replica: 1, to: 3 }));
    for (kind, from) in [
        (MessageType::MsgAppend, 0),
        (MessageType::MsgAppend, 1),
        (MessageType::MsgAppendResponse, 4),
        (MessageType::MsgHeartbeatResponse, 4),
    ] {
        let mut foreign = message(kind);
        foreign.from = from;
        assert_eq!(step(&foreign), Err(StepError::UnknownSender { group: GROUP, from }));
    }
    // It may have been away while replica 4 joined and was elected.
    let mut newcomer = message(MessageType::MsgAppend);
    newcomer.from = 4;
    assert_eq!(step(&newcomer), Ok(()));
}

#[test]
fn messages_that_contradict_themselves_are_refused() {
    let malformed = Err(StepError::Malformed { group: GROUP });
    let spoil: [fn(&mut Message); 6] = [
        |message| message.term = 0,
        |message| message.index = u64::MAX,
        |message| message.entries = vec![entry(3)].into(),
        |message| message.entries = vec![entry(2), entry(2)].into(),
        |message| {
            let mut later = entry(2);
            later.term = 3;
            message.entries = vec![later].into();
        },
        |message| {
            let mut change = entry(2);
            change.set_entry_type(EntryType::EntryConfChange);
            message.entries = vec![change].into();
        },
    ];
    for spoil in spoil {
        let mut message = message(MessageType::MsgAppend);
        spoil(&mut message);
        assert_eq!(step(&message), malformed, "{message:?}");
    }
    assert_eq!(follower().step(&[0xff; 5], &mut random(1)).map(drop), malformed);
}

#[test]
fn a_replica_that_lacks_what_it_acknowledged_stops() {
    let mut heartbeat = message(MessageType::MsgHeartbeat);
    heartbeat.commit = 7;
    let lost = Error::LogTooShort { group: GROUP, last: 1, commit: 7 };
    assert_eq!(step(&heartbeat), Err(StepError::Fatal(lost)));
}

#[test]
fn too_much_uncommitted_is_refused_and_one_entry_never() {
    let mut group = open(&disk(GROUP, &[1]), 1, 0).unwrap();
    assert_eq!(group.propose(vec![1]), Err(ProposeError::NotLeader { leader: None }));
    group.campaign(&mut random(1));
    let large = usize::try_from(RAFT_UNCOMMITTED_BYTES_MAX).unwrap() + 1;
    assert_eq!(group.propose(vec![0; large]), Ok(3));
    assert_eq!(group.propose(vec![1]), Err(ProposeError::TooMuchUncommitted));
    assert_eq!(group.last_index(), 3);
}

#[test]
fn a_disk_without_the_group_and_a_stranger_are_refused() {
    let unknown = Error::Unknown { group: GROUP };
    assert_eq!(open(&Memory::new(), 1, 0).err(), Some(unknown));
    let stranger = Error::NotAMember { group: GROUP, replica: 4 };
    assert_eq!(open(&disk(GROUP, &[1, 2, 3]), 4, 0).err(), Some(stranger));
}

#[test]
fn entries_of_a_later_release_are_refused_by_name() {
    use storage::log::LogWrite;
    use storage::{Engine, LogBatch, LogEntry};
    let disk = disk(GROUP, &[1]);
    let mut batch = LogBatch::new();
    let entries = vec![LogEntry { index: 2, term: 1, data: vec![9, 9] }];
    batch.push(LogWrite::Entries { group: GROUP, entries });
    disk.append(batch).unwrap();
    let mut group = open(&disk, 1, 0).unwrap();
    group.campaign(&mut random(1));
    let mut batch = LogBatch::new();
    let number = group.ready(&mut batch).unwrap().and_then(|ready| ready.sync).unwrap();
    disk.append(batch).unwrap();
    assert!(group.persisted(number).is_empty());
    let cause = storage::Error::TooNew { what: "raft entry", found: 9, known: 1 };
    assert_eq!(group.ready(&mut LogBatch::new()), Err(Error::Storage { group: GROUP, cause }));
}
