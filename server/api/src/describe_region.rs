//! `DescribeRegion`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{DescribeRegionRequest, DescribeRegionResponse};
use types::command::RegionCommand;

use crate::region;

/// There is nothing to check.
pub fn decode(_request: DescribeRegionRequest) -> Result<Command, Error> {
    Ok(Command::Region(RegionCommand::Status))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<DescribeRegionResponse, Error> {
    Ok(DescribeRegionResponse { region: Some(region::encode(result)?) })
}
