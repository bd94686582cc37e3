//! Where the replicas of a partition sit, and which of them are on their way.

use types::bytes::{Malformed, Reader, put_varint};
use types::command::SeatState;
use types::{NodeId, limits};

/// A replica's place: its node, and its id in the raft group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Seat {
    /// Which node.
    pub node: NodeId,
    /// The raft id; never zero, and never used again for another replica of the group.
    pub replica: u64,
    /// Whether it comes or goes.
    pub state: SeatState,
}

impl Seat {
    /// The seat in a region of one node.
    pub const ONLY: Seat = Seat { node: NodeId::ONLY, replica: 1, state: SeatState::Settled };

    /// A seat that neither comes nor goes.
    pub fn settled(node: NodeId, replica: u64) -> Self {
        Seat { node, replica, state: SeatState::Settled }
    }
}

/// The replicas that are to vote, ascending: those that stay and those that come.
pub fn voters(seats: &[Seat]) -> Vec<u64> {
    let stay = seats.iter().filter(|seat| seat.state != SeatState::Leaving);
    let mut voters: Vec<_> = stay.map(|seat| seat.replica).collect();
    voters.sort_unstable();
    voters
}

/// Whether a replica comes or goes.
pub fn is_moving(seats: &[Seat]) -> bool {
    seats.iter().any(|seat| seat.state != SeatState::Settled)
}

/// The seats once everything that comes has come, and what goes has gone.
pub fn settled(seats: &[Seat]) -> Vec<Seat> {
    let stay = seats.iter().filter(|seat| seat.state != SeatState::Leaving);
    stay.map(|seat| Seat::settled(seat.node, seat.replica)).collect()
}

/// The seats of a new copy's partitions, in their order: round the nodes, so that every node has its share of
/// first seats, whose holders are to lead. A replica's raft id is its node's number.
pub fn spread(nodes: &[NodeId], partitions: u32) -> Vec<Vec<Seat>> {
    let count = nodes.len().min(limits::REPLICAS);
    let seat = |at: usize| {
        let node = nodes[at % nodes.len()];
        Seat::settled(node, node.0)
    };
    (0..partitions as usize).map(|first| (first..first + count).map(seat).collect()).collect()
}

/// Whether any partition's replica comes or goes, which takes a format of its own.
pub(crate) fn any_moving(seats: &[Vec<Seat>]) -> bool {
    seats.iter().any(|seats| is_moving(seats))
}

/// Appends the seats of all partitions; their states too, if `states` says so.
pub(crate) fn put(out: &mut Vec<u8>, seats: &[Vec<Seat>], states: bool) {
    put_varint(out, seats.len() as u64);
    for seats in seats {
        put_varint(out, seats.len() as u64);
        for seat in seats {
            put_varint(out, seat.node.0);
            put_varint(out, seat.replica);
            if states {
                out.push(seat.state as u8);
            }
        }
    }
}

/// The inverse of `put`.
pub(crate) fn read(reader: &mut Reader<'_>, states: bool) -> Result<Vec<Vec<Seat>>, Malformed> {
    let seat = |reader: &mut Reader<'_>| {
        let (node, replica) = (NodeId(reader.varint()?), reader.varint()?);
        let state = match if states { reader.u8()? } else { 0 } {
            0 => SeatState::Settled,
            1 => SeatState::Joining,
            2 => SeatState::Leaving,
            _ => return Err(Malformed),
        };
        if replica == 0 { Err(Malformed) } else { Ok(Seat { node, replica, state }) }
    };
    let least = if states { 3 } else { 2 };
    let seats = |reader: &mut Reader<'_>| (0..reader.count(least)?).map(|_| seat(reader)).collect();
    (0..reader.count(1)?).map(|_| seats(reader)).collect()
}
#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_node_has_its_share_of_seats_and_of_first_seats() {
        let nodes = [1, 2, 5, 9].map(NodeId);
        let seats = spread(&nodes, 64);
        let (mut all, mut first) = (BTreeMap::<NodeId, u32>::new(), BTreeMap::<NodeId, u32>::new());
        for seats in &seats {
            let mut distinct = seats.clone();
            distinct.dedup_by_key(|seat| seat.node);
            assert_eq!((seats.len(), distinct.len()), (3, 3));
            seats.iter().for_each(|seat| *all.entry(seat.node).or_default() += 1);
            *first.entry(seats[0].node).or_default() += 1;
        }
        assert!(all.values().all(|count| *count == 48) && first.values().all(|count| *count == 16));
    }
}
