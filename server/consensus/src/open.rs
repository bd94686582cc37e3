//! Starting a replica from what its disk holds.

use std::collections::VecDeque;

use raft::{Config, RawNode, ReadOnlyOption};
use rand::Rng;
use storage::Engine;
use storage::engine::StateName;
use types::GroupId;
use types::limits::{
    RAFT_COMMITTED_BYTES_PER_READY_MAX, RAFT_ELECTION_TICKS, RAFT_HEARTBEAT_TICKS, RAFT_MESSAGE_BYTES_MAX,
    RAFT_MESSAGES_IN_FLIGHT_MAX, RAFT_UNCOMMITTED_BYTES_MAX,
};

use crate::format::decode_truncated;
use crate::group::{Group, Standing, draw};
use crate::logger::logger;
use crate::store::Store;
use crate::{Error, Members};

impl<E: Engine> Group<E> {
    /// Opens the replica with raft id `replica` of a group that was created or joined on this disk. `applied`
    /// is the index that the group's flushed data stands at, 0 for none, and `members` the members as of then
    /// if they are not those that the group was created with; `ready` hands out what was committed after it.
    ///
    /// Reads only. Every error is fatal: a log that lost synced entries must never vote again (DESIGN,
    /// section 5).
    pub fn open(
        engine: E,
        group: GroupId,
        replica: u64,
        applied: u64,
        members: Option<&Members>,
        random: &mut impl Rng,
    ) -> Result<Self, Error> {
        let store = Store::open(engine, group, applied, members)?;
        let applied = applied.max(store.first() - 1);
        let members = store.members_at_open();
        if !members.voters.is_empty() && !members.contains(replica) {
            return Err(Error::NotAMember { group, replica });
        }
        let mut raft = RawNode::new(&config(replica, applied), store, &logger(group))
            .expect("the settings are constants, and the configuration was checked");
        raft.mut_store().opened();
        // raft-rs gives every peer its window of messages at once; most groups are idle.
        raft.raft.maybe_free_inflight_buffers();
        let inner = &raft.raft;
        let standing = Standing { term: inner.term, role: inner.state, leader: inner.leader_id };
        let election_ticks = draw(random);
        raft.raft.set_randomized_election_timeout(election_ticks as usize);
        Ok(Group {
            id: group,
            raft,
            waiting: VecDeque::new(),
            handed_out: applied,
            standing,
            election_ticks,
            own_first: u64::MAX,
            transferred: false,
        })
    }
}

impl<E: Engine> Group<E> {
    /// Opens a replica whose data are void: its log, its vote and what it knows of the members stand. It
    /// takes part like any other; but what `ready` hands out must not be applied before its data are
    /// restored, and until then it cannot lead, since others hold more.
    pub fn open_void(
        engine: E,
        group: GroupId,
        replica: u64,
        members: Option<&Members>,
        random: &mut impl Rng,
    ) -> Result<Self, Error> {
        let failed = |cause| Error::Storage { group, cause };
        let stored = engine.state(group, StateName::Truncated).map_err(failed)?;
        let begin = decode_truncated(&stored.ok_or(Error::Unknown { group })?).map_err(failed)?;
        Group::open(engine, group, replica, begin.index, members, random)
    }

    /// Whether its log holds what follows an index, and knows that to be committed: data that stand at it can
    /// take the place of those that are there without raft's being told, if the replica is opened again.
    pub fn reaches(&self, index: u64) -> bool {
        self.waiting.is_empty() && self.first_index() <= index + 1 && index <= self.commit_index()
    }
}

/// raft-rs's settings: its defaults bound nothing (`P1`).
fn config(replica: u64, applied: u64) -> Config {
    Config {
        id: replica,
        applied,
        election_tick: RAFT_ELECTION_TICKS as usize,
        heartbeat_tick: RAFT_HEARTBEAT_TICKS as usize,
        check_quorum: true,
        pre_vote: true,
        max_uncommitted_size: RAFT_UNCOMMITTED_BYTES_MAX,
        max_committed_size_per_ready: RAFT_COMMITTED_BYTES_PER_READY_MAX,
        max_size_per_msg: RAFT_MESSAGE_BYTES_MAX,
        max_inflight_msgs: RAFT_MESSAGES_IN_FLIGHT_MAX,
        // raft-rs's own leases are never used (`P4`).
        read_only_option: ReadOnlyOption::Safe,
        // Batching would append to a queued message without regard to its size.
        batch_append: false,
        ..Config::default()
    }
}
