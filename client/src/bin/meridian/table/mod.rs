//! `meridian table`: one command per file.

pub(crate) mod create;
pub(crate) mod key;
mod list;
pub(crate) mod schema;
mod verify;

use std::process::ExitCode;
use std::sync::Arc;

use proto::v1::{DeleteTableRequest, DescribeTableRequest, TableDescription};
use serde_json::{Value, json};

use crate::arguments::TableCommand;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape;
use crate::target::Target;

/// Runs a command.
pub(crate) async fn run(
    command: TableCommand,
    target: &Target,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if let TableCommand::Verify { table, wait } = command {
        return verify::run(table, wait, target, output).await;
    }
    let client = Arc::new(target.client()?);
    match command {
        TableCommand::Create(arguments) => create::run(&client, arguments, output).await?,
        TableCommand::Describe { table } => {
            let table = client.describe_table(DescribeTableRequest { table_name: table }).await?;
            show("Table", &table, output)?;
        }
        TableCommand::List => list::run(&client, output).await?,
        TableCommand::Delete { table } => {
            let table = client.delete_table(DeleteTableRequest { table_name: table }).await?;
            show("TableDescription", &table, output)?;
        }
        TableCommand::Verify { .. } => unreachable!("verify ran above"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a table under the name that DynamoDB's response has for it.
fn show(name: &str, table: &TableDescription, output: &Output) -> Result<(), Failure> {
    let value = shape::table(table);
    if output.is_json() {
        return output.value(&json!({ name: value }));
    }
    let Value::Object(object) = value else { return Ok(()) };
    output.table(vec!["Table".into(), "Value".into()], shape::rows(&object))
}
