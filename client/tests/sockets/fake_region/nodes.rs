//! The fake region's nodes: those that joined, and one partition that sits on all of them.

use proto::v1::{
    ErrorKind, JoinNodeRequest, NodeDescription, NodeState, PartitionDescription, SeatDescription, SeatState,
};
use tonic::{Code, Status};

use super::{State, status};

impl State {
    /// Takes a node in; one address is one node.
    pub fn join(&mut self, request: JoinNodeRequest) -> u64 {
        if let Some(known) = self.nodes.iter().find(|node| node.address == request.address) {
            return known.node;
        }
        let node = self.nodes.len() as u64 + 1;
        let state = NodeState::Active.into();
        let description = NodeDescription { node, address: request.address, state, ..Default::default() };
        self.nodes.push(NodeDescription { lives: true, replicas: 1, ..description });
        node
    }

    pub fn set_node(&mut self, number: u64, state: NodeState) -> Result<Vec<NodeDescription>, Status> {
        let Some(node) = self.nodes.iter_mut().find(|node| node.node == number) else {
            return Err(status(Code::NotFound, "ResourceNotFoundException", ErrorKind::Client, "Node"));
        };
        node.state = state.into();
        Ok(self.nodes.clone())
    }

    pub fn partition(&self) -> PartitionDescription {
        let seat =
            |node: &NodeDescription| SeatDescription { node: node.node, state: SeatState::Settled.into() };
        PartitionDescription {
            partition: 16,
            first_hash: 0,
            last_hash: u64::MAX,
            seats: self.nodes.iter().map(seat).collect(),
            ..PartitionDescription::default()
        }
    }
}
