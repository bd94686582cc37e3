//! `ResumeNode`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{ResumeNodeRequest, ResumeNodeResponse};
use types::command::ClusterCommand;

use crate::{cluster, field};

/// Checks a request.
pub fn decode(request: ResumeNodeRequest) -> Result<Command, Error> {
    Ok(Command::Cluster(ClusterCommand::Resume { node: field::node("Node", request.node)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<ResumeNodeResponse, Error> {
    Ok(ResumeNodeResponse { nodes: cluster::nodes(result)? })
}
