//! `ListPartitions`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{ListPartitionsRequest, ListPartitionsResponse};
use types::command::ClusterCommand;

use crate::{cluster, field};

/// Checks a request.
pub fn decode(request: ListPartitionsRequest) -> Result<Command, Error> {
    Ok(Command::Cluster(ClusterCommand::Partitions { table: field::table_name(request.table_name)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<ListPartitionsResponse, Error> {
    Ok(ListPartitionsResponse { partitions: cluster::partitions(result)? })
}
