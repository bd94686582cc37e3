//! `meridian`, the command line: one command per file, over the client library alone.
//!
//! Results go to standard output (a table on a terminal, JSON elsewhere), everything else to standard error.
//! Exit status 0 done, 1 refused by the server or not done, 2 wrong usage.

mod arguments;
mod bench;
mod failure;
mod import;
mod item;
mod node;
mod output;
mod partition;
mod region;
mod shape;
mod table;
mod target;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return output.failed(&Failure::Runtime { source }),
    };
    match runtime.block_on(run(arguments, &output)) {
        Ok(code) => code,
        Err(failure) => output.failed(&failure),
    }
}

async fn run(arguments: Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let target = Target::new(arguments.endpoint, arguments.authority)?;
    match arguments.command {
        Command::Table(command) => table::run(command, &target, output).await,
        Command::Item(command) => item::run(command, &target, output).await,
        Command::Region(command) => region::run(command, &target, output).await,
        Command::Node(command) => node::run(command, &target, output).await,
        Command::Partition(command) => partition::run(command, &target, output).await,
        Command::Bench(arguments) => bench::run(arguments, target, output).await,
    }
}
