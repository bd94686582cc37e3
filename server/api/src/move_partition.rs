//! `MovePartition`.

use item::Error;
use item::error::Invalid;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{MovePartitionRequest, MovePartitionResponse};
use types::GroupId;
use types::command::ClusterCommand;

use crate::{cluster, field};

/// Checks a request.
pub fn decode(request: MovePartitionRequest) -> Result<Command, Error> {
    let table = field::table_name(request.table_name)?;
    field::bounded("Partition", request.partition, GroupId::FIRST.0, u64::MAX)?;
    let (from, to) = (field::node("From", request.from)?, field::node("To", request.to)?);
    if from == to {
        return Err(Invalid::Conflict { field: "To", other: "an equal From" }.into());
    }
    Ok(Command::Cluster(ClusterCommand::Move { table, partition: GroupId(request.partition), from, to }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<MovePartitionResponse, Error> {
    Ok(MovePartitionResponse { partitions: cluster::partitions(result)? })
}
