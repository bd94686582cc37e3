//! `meridian region`: the links between regions, as the node at the endpoint sees them, and the whole of its
//! region.

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
    let Value::Object(mut region) = value else { return Ok(()) };
    let mut take = |name| region.remove(name).unwrap_or_default();
    let (peers, nodes, mut summary) = (take("Peers"), take("Nodes"), take("Summary"));
    let hottest = summary["Hottest"].take();
    output.table(vec!["Region".into(), "Value".into()], shape::rows(&region))?;
    list(&PEER, &peers, output)?;
    list(&NODE, &nodes, output)?;
    if let Value::Object(mut summary) = summary {
        summary.remove("Hottest");
        output.table(vec!["All nodes".into(), "Value".into()], shape::rows(&summary))?;
    }
    match &hottest {
        Value::Array(hot) if !hot.is_empty() => list(&HOT, &hottest, output),
        _ => Ok(()),
    }
}

/// What is shown of a peer.
const PEER: [&str; 6] =
    ["RegionName", "Connected", "Paused", "PendingChanges", "PendingBytes", "LagMilliseconds"];
/// What is shown of a node.
const NODE: [&str; 12] = [
    "Node",
    "Address",
    "State",
    "Lives",
    "Replicas",
    "Leads",
    "Resting",
    "Moving",
    "LogBytes",
    "DiskBytes",
    "DiskFreeBytes",
    "DiskNearlyFull",
];
/// What is shown of a partition that decides much.
const HOT: [&str; 5] = ["TableName", "Partition", "Leader", "OperationsPerSecond", "OneKey"];

/// Shows objects as rows.
fn list(headings: &[&str], objects: &Value, output: &Output) -> Result<(), Failure> {
    let row = |object: &Value| headings.iter().map(|heading| cell(&object[*heading])).collect();
    let rows = objects.as_array().map(|objects| objects.iter().map(row).collect());
    output.table(headings.iter().map(|heading| (*heading).to_owned()).collect(), rows.unwrap_or_default())
}
