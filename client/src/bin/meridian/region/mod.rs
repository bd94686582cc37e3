//! `meridian region`: the links between regions, as the region at the endpoint sees them.

use std::process::ExitCode;

use client::Client;
use proto::v1::{PauseRegionRequest, RegionDescription, ResumeRegionRequest};
use serde_json::Value;

use crate::arguments::RegionCommand;
use crate::failure::Failure;
use crate::output::{Output, cell};
use crate::shape;
use crate::target::Target;

/// Runs a command.
pub(crate) async fn run(
    command: RegionCommand,
    target: &Target,
    output: &Output,
) -> Result<ExitCode, Failure> {
    // A link belongs to one region: trying the next endpoint would ask another.
    let (endpoint, client) = target.only("region")?;
    let region = match command {
        RegionCommand::Pause { from, to } => {
            check_region(&client, endpoint, from).await?;
            client.pause_region(PauseRegionRequest { to }).await?
        }
        RegionCommand::Resume { from, to } => {
            check_region(&client, endpoint, from).await?;
            client.resume_region(ResumeRegionRequest { to }).await?
        }
        RegionCommand::Status => client.describe_region().await?,
    };
    show(&region, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to send a command that is meant for another region.
async fn check_region(client: &Client, endpoint: &str, named: String) -> Result<(), Failure> {
    let actual = client.describe_region().await?.region_name;
    if actual == named {
        return Ok(());
    }
    Err(Failure::OtherRegion { endpoint: endpoint.to_owned(), actual, named })
}

fn show(region: &RegionDescription, output: &Output) -> Result<(), Failure> {
    let value = shape::region(region);
    if output.is_json() {
        return output.value(&value);
    }
    let (Value::Object(mut region), mut peers) = (value, Vec::new()) else { return Ok(()) };
    if let Some(Value::Array(listed)) = region.remove("Peers") {
        peers = listed;
    }
    output.table(vec!["Region".into(), "Value".into()], shape::rows(&region))?;
    let headings = ["RegionName", "Connected", "Paused", "PendingChanges", "PendingBytes", "LagMilliseconds"];
    let row = |peer: &Value| headings.iter().map(|heading| cell(&peer[*heading])).collect();
    output.table(headings.map(String::from).to_vec(), peers.iter().map(row).collect())
}
