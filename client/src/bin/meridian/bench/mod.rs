//! `meridian bench`: how many operations a region answers, and how fast.
//!
//! A run makes a table of its own, loads it, keeps a number of operations under way for some seconds, and
//! drops the table, also when it is interrupted. In a closed loop each worker waits for its answer before it
//! asks again; at a fixed rate operations start when they are due, and latency is counted from then on.
//! Failures are counted and never hidden: nothing that is measured is tried a second time.

pub(crate) mod arguments;
mod content;
mod distribution;
mod lane;
mod load;
mod measure;
mod operation;
mod pace;
mod plan;
mod progress;
mod recorder;
mod report;
mod schedule;
mod table;
mod window;
mod workload;
mod zipf;

use std::process::ExitCode;
use std::sync::Arc;

use client::{Client, Settings};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::arguments::Bench;
use self::measure::Measured;
use self::plan::Plan;
use self::progress::Progress;
use self::table::Table;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;

/// Runs a workload. Exit status 1 when nothing was answered.
pub(crate) async fn run(arguments: Bench, target: Target, output: &Output) -> Result<ExitCode, Failure> {
    let (unary, direct) = (arguments.unary, !arguments.through);
    let client = target.client_with(Settings { unary, direct, ..Settings::default() })?;
    let mut interrupts = Interrupts::new().map_err(|source| Failure::Runtime { source })?;
    let table = Table::of(&arguments);
    let progress = Progress::new(!output.is_json());
    let plan = Arc::new(Plan::new(arguments, target, table.name.clone()));
    let result = tokio::select! {
        result = carry_out(&client, &plan, &table, &progress) => result,
        () = interrupts.next() => Err(Failure::Interrupted),
    };
    progress.finish();
    // The run's own threads are gone or going, so nothing holds the table any more.
    let closed = tokio::select! {
        closed = table.close(&client) => closed,
        () = interrupts.next() => Err(Failure::Left { table: table.name.clone() }),
    };
    if let (Err(_), Err(failure)) = (&result, &closed) {
        output.note(&failure.to_string());
    }
    let measured = result?;
    report::show(&plan.arguments, &plan.table, &measured, output)?;
    closed?;
    Ok(ExitCode::from(u8::from(measured.recorder.operations() == 0)))
}

async fn carry_out(
    client: &Client,
    plan: &Arc<Plan>,
    table: &Table,
    progress: &Progress,
) -> Result<Measured, Failure> {
    let workload = plan.arguments.workload;
    if workload.has_table() {
        let created = table.open(client).await?;
        if created && (workload.reads() || table.is_kept()) {
            load::load(client, plan, progress).await?;
            table.loaded();
        }
        // Items are loaded in their order, and a table that was not loaded to the end is dropped.
        let last = plan.arguments.keys - 1;
        if !created && workload.reads() && !operation::get(client, plan, last).await? {
            return Err(Failure::NotLoaded { table: table.name.clone() });
        }
    } else {
        client.ping(Vec::new()).await?;
    }
    measure::measure(plan, progress).await
}

/// Ctrl-C and the signal that asks a process to end.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    fn new() -> std::io::Result<Interrupts> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Interrupts { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for either.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
