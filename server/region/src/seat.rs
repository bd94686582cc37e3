//! Where the replicas of a partition sit.

use types::bytes::{Malformed, Reader, put_varint};
use types::{NodeId, limits};

/// A replica's place: its node, and its id in the raft group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Seat {
    /// Which node.
    pub node: NodeId,
    /// The raft id; never zero.
    pub replica: u64,
}

impl Seat {
    /// The seat in a region of one node.
    pub const ONLY: Seat = Seat { node: NodeId::ONLY, replica: 1 };
}

/// The seats of a copy's partitions, in their order: round the nodes, so that every node has its share of
/// first seats, whose holders are to lead. A replica's raft id is its node's number.
pub fn spread(nodes: &[NodeId], partitions: u32) -> Vec<Vec<Seat>> {
    let count = nodes.len().min(limits::REPLICAS);
    let seat = |at: usize| {
        let node = nodes[at % nodes.len()];
        Seat { node, replica: node.0 }
    };
    (0..partitions as usize).map(|first| (first..first + count).map(seat).collect()).collect()
}

pub(crate) fn put(out: &mut Vec<u8>, seats: &[Vec<Seat>]) {
    put_varint(out, seats.len() as u64);
    for seats in seats {
        put_varint(out, seats.len() as u64);
        for seat in seats {
            put_varint(out, seat.node.0);
            put_varint(out, seat.replica);
        }
    }
}

pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Vec<Vec<Seat>>, Malformed> {
    let seat = |reader: &mut Reader<'_>| {
        let seat = Seat { node: NodeId(reader.varint()?), replica: reader.varint()? };
        if seat.replica == 0 { Err(Malformed) } else { Ok(seat) }
    };
    let seats = |reader: &mut Reader<'_>| (0..reader.count(2)?).map(|_| seat(reader)).collect();
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
