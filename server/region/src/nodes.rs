//! The nodes of a region: who they are, where they are, and what becomes of them.
//!
//! Numbers are never used again, neither of nodes nor of replicas: what carries an old one can never be taken
//! for something new (`P6`).

use std::collections::BTreeMap;

use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::command::NodeState;
use types::{NodeId, limits};

const FORMAT: u8 = 1;

/// The least raft id of a replica that came later. Those that a group was made with have the numbers of their
/// nodes, which are below it.
pub const FIRST_REPLICA: u64 = 1 << 16;

/// A node of a region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Where the others reach it; empty if only their settings say.
    pub address: String,
    /// What it asked for its number under; 0 for those that the region was begun with.
    pub token: u64,
    /// What becomes of it.
    pub state: NodeState,
}

/// All nodes that a region ever had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nodes {
    /// By number; those that were removed stay, so that their numbers are never given again.
    pub known: BTreeMap<NodeId, Node>,
    /// The raft id of the next replica that comes.
    pub next_replica: u64,
}

impl Nodes {
    /// Those that a region is begun with.
    pub fn begun_with(nodes: &[NodeId], addresses: &BTreeMap<NodeId, String>) -> Self {
        let node = |node: &NodeId| {
            let address = addresses.get(node).cloned().unwrap_or_default();
            (*node, Node { address, token: 0, state: NodeState::Active })
        };
        Nodes { known: nodes.iter().map(node).collect(), next_replica: FIRST_REPLICA }
    }

    /// The number that the next node is given; `None` when all have been given.
    pub fn next(&self) -> Option<NodeId> {
        let last = self.known.keys().next_back().map_or(0, |node| node.0);
        (last + 1 < FIRST_REPLICA).then_some(NodeId(last + 1))
    }

    /// Those that were not removed, ascending.
    pub fn present(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.known.iter().filter(|(_, node)| node.state != NodeState::Removed).map(|(number, _)| *number)
    }

    /// Those that have their share, ascending.
    pub fn active(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.known.iter().filter(|(_, node)| node.state == NodeState::Active).map(|(number, _)| *number)
    }

    /// What becomes of a node, if the region has it.
    pub fn state(&self, node: NodeId) -> Option<NodeState> {
        self.known.get(&node).map(|node| node.state)
    }

    /// The bytes that are stored and logged.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put_varint(&mut out, self.next_replica);
        put_varint(&mut out, self.known.len() as u64);
        for (number, node) in &self.known {
            put_varint(&mut out, number.0);
            put_varint(&mut out, node.token);
            out.push(node.state as u8);
            put_sized(&mut out, node.address.as_bytes());
        }
        out
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(Malformed);
        }
        let next_replica = reader.varint()?;
        let count = reader.count(4)?;
        let known = (0..count).map(|_| node(&mut reader)).collect::<Result<BTreeMap<_, _>, _>>()?;
        reader.finish()?;
        match known.len() == count && next_replica >= FIRST_REPLICA {
            true => Ok(Nodes { known, next_replica }),
            false => Err(Malformed),
        }
    }
}

fn node(reader: &mut Reader<'_>) -> Result<(NodeId, Node), Malformed> {
    let (number, token) = (NodeId(reader.varint()?), reader.varint()?);
    let state = match reader.u8()? {
        0 => NodeState::Active,
        1 => NodeState::Draining,
        2 => NodeState::Removed,
        _ => return Err(Malformed),
    };
    let address = reader.text()?.to_owned();
    match address.len() <= limits::NODE_ADDRESS_BYTES_MAX {
        true => Ok((number, Node { address, token, state })),
        false => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nodes_round_trip(
            known in proptest::collection::btree_map(
                1..FIRST_REPLICA,
                (any::<u64>(), 0..3u8, "[a-z0-9.:]{0,40}"),
                0..6,
            ),
            later in 0..1000u64,
        ) {
            let states = [NodeState::Active, NodeState::Draining, NodeState::Removed];
            let node = |(number, (token, state, address))| {
                (NodeId(number), Node { address, token, state: states[usize::from(state)] })
            };
            let known = known.into_iter().map(node).collect();
            let nodes = Nodes { known, next_replica: FIRST_REPLICA + later };
            prop_assert_eq!(Nodes::decode(&nodes.encode()), Ok(nodes));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Nodes::decode(&bytes);
        }
    }

    #[test]
    fn a_removed_node_keeps_its_number() {
        let mut nodes = Nodes::begun_with(&[1, 2, 3].map(NodeId), &BTreeMap::new());
        nodes.known.get_mut(&NodeId(3)).unwrap().state = NodeState::Removed;
        assert_eq!(nodes.present().collect::<Vec<_>>(), [1, 2].map(NodeId));
        assert_eq!(nodes.next(), Some(NodeId(4)));
    }
}
