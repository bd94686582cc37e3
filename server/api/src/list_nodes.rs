//! `ListNodes`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{ListNodesRequest, ListNodesResponse};
use types::command::ClusterCommand;

use crate::cluster;

/// There is nothing to check.
pub fn decode(_request: ListNodesRequest) -> Result<Command, Error> {
    Ok(Command::Cluster(ClusterCommand::Nodes))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<ListNodesResponse, Error> {
    Ok(ListNodesResponse { nodes: cluster::nodes(result)? })
}
