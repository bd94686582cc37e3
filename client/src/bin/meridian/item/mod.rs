//! `meridian item`: one command per file.

mod delete;
mod export;
mod get;
mod pages;
mod put;
mod query;
mod scan;
mod update;
mod write;

use std::process::ExitCode;
use std::sync::Arc;

use crate::arguments::ItemCommand;
use crate::failure::Failure;
use crate::import;
use crate::output::Output;
use crate::target::Target;

/// Runs a command.
pub(crate) async fn run(command: ItemCommand, target: &Target, output: &Output) -> Result<ExitCode, Failure> {
    let client = Arc::new(target.client()?);
    match command {
        ItemCommand::Put(arguments) => put::run(&client, arguments, output).await?,
        ItemCommand::Get(arguments) => get::run(&client, arguments, output).await?,
        ItemCommand::Update(arguments) => update::run(&client, arguments, output).await?,
        ItemCommand::Delete(arguments) => delete::run(&client, arguments, output).await?,
        ItemCommand::Query(arguments) => query::run(&client, arguments, output).await?,
        ItemCommand::Scan(arguments) => scan::run(client, arguments, output).await?,
        ItemCommand::Export(arguments) => export::run(client, arguments, output).await?,
        ItemCommand::Import(arguments) => return import::run(client, arguments, output).await,
    }
    Ok(ExitCode::SUCCESS)
}
