//! `DrainNode`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{DrainNodeRequest, DrainNodeResponse};
use types::command::ClusterCommand;

use crate::{cluster, field};

/// Checks a request.
pub fn decode(request: DrainNodeRequest) -> Result<Command, Error> {
    Ok(Command::Cluster(ClusterCommand::Drain { node: field::node("Node", request.node)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<DrainNodeResponse, Error> {
    Ok(DrainNodeResponse { nodes: cluster::nodes(result)? })
}
