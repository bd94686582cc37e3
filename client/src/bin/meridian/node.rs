//! `meridian node`: the nodes of the endpoint's region.

use std::process::ExitCode;

use proto::v1::NodeDescription;
use serde_json::{Value, json};

use crate::arguments::NodeCommand;
use crate::failure::Failure;
use crate::output::{Output, cell};
use crate::shape;
use crate::target::Target;

/// Runs a command.
pub(crate) async fn run(command: NodeCommand, target: &Target, output: &Output) -> Result<ExitCode, Failure> {
    // Nodes belong to one region: trying the next endpoint might drain another region's node of this number.
    let (_, client) = target.only("node")?;
    let nodes = match command {
        NodeCommand::List => client.list_nodes().await?,
        NodeCommand::Drain { node } => client.drain_node(node).await?,
        NodeCommand::Resume { node } => client.resume_node(node).await?,
        NodeCommand::Remove { node } => client.remove_node(node).await?,
    };
    show(&nodes, output)?;
    Ok(ExitCode::SUCCESS)
}

fn show(nodes: &[NodeDescription], output: &Output) -> Result<(), Failure> {
    let values: Vec<Value> = nodes.iter().map(shape::node).collect();
    if output.is_json() {
        return output.value(&json!({"Nodes": values}));
    }
    let headings = ["Node", "Address", "State", "Lives", "Replicas", "First", "Moving"];
    let row = |node: &Value| headings.iter().map(|heading| cell(&node[*heading])).collect();
    output.table(headings.map(String::from).to_vec(), values.iter().map(row).collect())
}
