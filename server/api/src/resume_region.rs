//! `ResumeRegion`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{ResumeRegionRequest, ResumeRegionResponse};
use types::command::RegionCommand;

use crate::{field, region};

/// Checks a request.
pub fn decode(request: ResumeRegionRequest) -> Result<Command, Error> {
    Ok(Command::Region(RegionCommand::Resume { to: field::region_name(request.to)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<ResumeRegionResponse, Error> {
    Ok(ResumeRegionResponse { region: Some(region::encode(result)?) })
}
