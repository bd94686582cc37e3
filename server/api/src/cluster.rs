//! Nodes and partitions as responses show them.

use item::Error;
use item::outcome::Answer;
use proto::v1;
use types::NodeId;
use types::command::{ClusterAnswer, NodeState, NodeStatus, PartitionStatus, SeatState};

/// Shapes an answer that is a region's nodes.
pub(crate) fn nodes(result: Result<Answer, Error>) -> Result<Vec<v1::NodeDescription>, Error> {
    match result? {
        Answer::Cluster(ClusterAnswer::Nodes(nodes)) => Ok(nodes.into_iter().map(node).collect()),
        other => unreachable!("this command is answered by Nodes, not by {other:?}"),
    }
}

/// Shapes an answer that is a table's partitions.
pub(crate) fn partitions(result: Result<Answer, Error>) -> Result<Vec<v1::PartitionDescription>, Error> {
    match result? {
        Answer::Cluster(ClusterAnswer::Partitions(partitions)) => {
            Ok(partitions.into_iter().map(partition).collect())
        }
        other => unreachable!("this command is answered by Partitions, not by {other:?}"),
    }
}

/// A node, as a list shows it.
pub(crate) fn node(node: NodeStatus) -> v1::NodeDescription {
    let state = match node.state {
        NodeState::Active => v1::NodeState::Active,
        NodeState::Draining => v1::NodeState::Draining,
        NodeState::Removed => v1::NodeState::Removed,
    };
    v1::NodeDescription {
        node: node.node.0,
        address: node.address,
        state: state.into(),
        lives: node.lives,
        replicas: node.replicas,
        first: node.first,
        moving: node.moving,
    }
}

fn partition(partition: PartitionStatus) -> v1::PartitionDescription {
    v1::PartitionDescription {
        partition: partition.partition.0,
        first_hash: partition.range.first.0,
        last_hash: partition.range.last.0,
        seats: partition.seats.into_iter().map(seat).collect(),
        leader: partition.leader.map(|node| node.0),
        splitting: partition.splitting,
        operations_per_second: partition.load.map(|load| load.per_second),
        one_key: partition.load.is_some_and(|load| load.middle.is_none()),
    }
}

fn seat((node, state): (NodeId, SeatState)) -> v1::SeatDescription {
    let state = match state {
        SeatState::Settled => v1::SeatState::Settled,
        SeatState::Joining => v1::SeatState::Joining,
        SeatState::Leaving => v1::SeatState::Leaving,
    };
    v1::SeatDescription { node: node.0, state: state.into() }
}
