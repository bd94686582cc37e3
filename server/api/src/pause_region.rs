//! `PauseRegion`.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{PauseRegionRequest, PauseRegionResponse};
use types::command::RegionCommand;

use crate::{field, region};

/// Checks a request.
pub fn decode(request: PauseRegionRequest) -> Result<Command, Error> {
    Ok(Command::Region(RegionCommand::Pause { to: field::region_name(request.to)? }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<PauseRegionResponse, Error> {
    Ok(PauseRegionResponse { region: Some(region::encode(result)?) })
}
