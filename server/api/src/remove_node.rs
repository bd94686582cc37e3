//! `RemoveNode`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{RemoveNodeRequest, RemoveNodeResponse};
use types::command::ClusterCommand;

use crate::{cluster, field};

/// Checks a request.
pub fn decode(request: RemoveNodeRequest) -> Result<Command, Error> {
    Ok(Command::Cluster(ClusterCommand::Remove { node: field::node("Node", request.node)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<RemoveNodeResponse, Error> {
    Ok(RemoveNodeResponse { nodes: cluster::nodes(result)? })
}
