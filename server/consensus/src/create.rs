//! The first state of a group.

use raft::eraftpb::HardState;
use storage::LogBatch;
use storage::engine::StateName;
use storage::log::LogWrite;
use types::GroupId;

use crate::format::{Truncated, encode_configuration, encode_hard_state, encode_truncated};
use crate::{Members, Point};

/// Index and term behind which every log begins, as if it had been compacted up to there. So a replica that
/// joins a running group can never be fed its log from the start: it is given a snapshot, which alone tells
/// it the members.
pub const BEGINNING: u64 = 1;

/// Puts into a batch what the log store of each voter holds of a group when it is created. The batch must be
/// synced before the group's first message leaves (`P6`).
///
/// # Panics
///
/// When there are no voters, or one is zero (raft-rs's word for nobody).
pub fn create(group: GroupId, voters: &[u64], batch: &mut LogBatch) {
    begin(group, &Point { index: BEGINNING, term: BEGINNING, members: Members::of_voters(voters) }, batch);
}

/// Puts into a batch what the log store of each member holds of a group that is taken from another: it begins
/// behind an entry of the other's log, whose members are its own, and with the data as of then. The batch
/// must be synced before the group's first message leaves, and nothing that the log store holds of the group
/// may be overwritten (`P6`).
pub fn begin(group: GroupId, point: &Point, batch: &mut LogBatch) {
    let Point { index, term, members } = point;
    assert!(
        !members.voters.is_empty() && !members.voters.contains(&raft::INVALID_ID),
        "a group has voters, and none is zero"
    );
    let hard_state = HardState { term: *term, commit: *index, ..HardState::default() };
    let begin = Truncated { index: *index, term: *term };
    for (name, value) in [
        (StateName::Configuration, encode_configuration(members)),
        (StateName::Truncated, encode_truncated(begin)),
        (StateName::HardState, encode_hard_state(&hard_state)),
    ] {
        batch.push(LogWrite::State { group, name, value });
    }
}
