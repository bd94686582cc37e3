//! Data for replicas that come: piece by piece, from a view of them that later writes do not change.
//!
//! Each piece names the key that it follows, so that a letter that was lost is asked for again, and one that
//! came twice is dropped. The last piece says what the data stand at. Nothing here waits, and a piece is
//! small enough to be read in a turn; who does not ask for more for a while is given up.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use consensus::Members;
use storage::keys::PartitionState;
use storage::{Direction, Engine, Read};
use types::{GroupId, NodeId, limits};

use crate::clock::NS_PER_MS;
use crate::data::Data;
use crate::letters::{Content, Letter};
use crate::{Error, Shard};

/// Views that are being given away, by group and receiver.
pub(crate) type Supplies<S> = BTreeMap<(GroupId, NodeId), Supply<S>>;

/// One of them.
#[derive(Debug)]
pub(crate) struct Supply<S> {
    /// For which replica: the node may have had another before.
    replica: u64,
    transfer: u64,
    data: Data,
    snapshot: S,
    end: End,
    used_ns: u64,
}

/// What data stand at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct End {
    /// The group's state.
    pub state: PartitionState,
    /// Its members.
    pub members: Members,
}

/// A piece of a group's data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Chunk {
    /// The receiver's number for the whole.
    pub transfer: u64,
    /// The key that it follows; empty for the first.
    pub after: Vec<u8>,
    /// Keys, ascending, and their values.
    pub pairs: Vec<(Vec<u8>, Vec<u8>)>,
    /// After the last piece.
    pub end: Option<End>,
}

impl<E: Engine> Shard<E> {
    /// A replica that comes asks for the data that follow a key.
    pub(crate) fn supply(
        &mut self,
        node: NodeId,
        group: GroupId,
        replica: u64,
        transfer: u64,
        after: Vec<u8>,
    ) -> Result<(), Error> {
        let same = |supply: &Supply<_>| (supply.replica, supply.transfer) == (replica, transfer);
        let known = self.supplies.get(&(group, node)).is_some_and(same);
        if !known && (!after.is_empty() || !self.begin_supply(node, group, replica, transfer)) {
            // The receiver begins again by itself.
            return Ok(());
        }
        let supply = self.supplies.get_mut(&(group, node)).expect("begun above, or known");
        supply.used_ns = self.now.monotonic_ns;
        let chunk = supply.read(after)?;
        if chunk.end.is_some() {
            // Kept until it is idle: the letter may be lost.
            self.figures.replicas_supplied += 1;
        }
        self.write_to(node, Letter { group, content: Content::Chunk(Box::new(chunk)) });
        Ok(())
    }

    /// Takes a view for a replica that the group knows, if there is room; only where the group is led, so
    /// that the view holds the entry that made it a member.
    fn begin_supply(&mut self, node: NodeId, group: GroupId, replica: u64, transfer: u64) -> bool {
        let Some(raft) = self.group_mut(group) else { return false };
        let members = raft.members();
        if !raft.decides() || !members.contains(replica) {
            return false;
        }
        let begun = self.supplies.keys().filter(|supplied| **supplied != (group, node)).count();
        if begun >= limits::SUPPLIES_MAX {
            return false;
        }
        let (data, state) = match self.replicas.get(&group) {
            None => (Data::Catalog, self.catalog.state),
            Some(replica) => (replica.data(), replica.state),
        };
        let (snapshot, used_ns) = (self.engine.snapshot(), self.now.monotonic_ns);
        let supply = Supply { replica, transfer, data, snapshot, end: End { state, members }, used_ns };
        self.supplies.insert((group, node), supply);
        true
    }

    /// Drops the views that nobody asks for any more.
    pub(crate) fn give_up_supplies(&mut self) {
        let now_ns = self.now.monotonic_ns;
        self.supplies.retain(|_, supply| supply.used_ns + limits::SUPPLY_IDLE_MS * NS_PER_MS > now_ns);
    }
}

impl<S: Read> Supply<S> {
    fn read(&self, after: Vec<u8>) -> Result<Chunk, Error> {
        let (mut pairs, mut bytes) = (Vec::new(), 0);
        for (from, to) in self.data.ranges().into_iter().filter(|(_, to)| after < *to) {
            let from = match after < from {
                true => Bound::Included(&from[..]),
                false => Bound::Excluded(&after[..]),
            };
            self.snapshot.scan(from, Bound::Excluded(&to[..]), Direction::Forward, &mut |key, value| {
                bytes += key.len() + value.len();
                pairs.push((key.to_vec(), value.to_vec()));
                match bytes >= limits::CHUNK_BYTES {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })?;
            if bytes >= limits::CHUNK_BYTES {
                break;
            }
        }
        let end = (bytes < limits::CHUNK_BYTES).then(|| self.end.clone());
        Ok(Chunk { transfer: self.transfer, after, pairs, end })
    }
}
