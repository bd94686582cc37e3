//! `SplitPartition`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{SplitPartitionRequest, SplitPartitionResponse};
use types::command::ClusterCommand;
use types::{GroupId, KeyHash};

use crate::{cluster, field};

/// Checks a request.
pub fn decode(request: SplitPartitionRequest) -> Result<Command, Error> {
    let table = field::table_name(request.table_name)?;
    field::bounded("Partition", request.partition, GroupId::FIRST.0, u64::MAX)?;
    let (partition, at) = (GroupId(request.partition), request.at_hash.map(KeyHash));
    Ok(Command::Cluster(ClusterCommand::Split { table, partition, at }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<SplitPartitionResponse, Error> {
    Ok(SplitPartitionResponse { partitions: cluster::partitions(result)? })
}
