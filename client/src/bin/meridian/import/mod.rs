//! `meridian item import`: the rows of a file into a table, many batches at a time.
//!
//! A thread reads and parses rows ahead; this task packs them into batches, never two rows of one key at a
//! time, so that of rows with the same key the last one stays. A row that cannot be put is refused with its
//! number and the reason, and the rest goes on. A batch whose outcome is unknown is sent again: an import
//! puts whole rows, and may put one twice.

mod check;
pub(crate) mod csv;
mod json;
mod pack;
mod progress;
mod rows;
pub(crate) mod send;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use client::Client;
use proto::v1::DescribeTableRequest;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use types::limits::IMPORT_ROWS_AHEAD_MAX;

use self::pack::{Batch, Offer, Packer};
use self::progress::Progress;
use self::rows::{Content, Row};
use self::send::Sent;
use crate::arguments::Import;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::schema;

/// What became of the rows so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Tally {
    imported: u64,
    refused: u64,
}

/// Imports a file. Exit status 1 when any row was refused.
pub(crate) async fn run(
    client: Arc<Client>,
    arguments: Import,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let description =
        client.describe_table(DescribeTableRequest { table_name: arguments.table.clone() }).await?;
    let key = schema::of(&description)?;
    let in_flight = arguments.in_flight as usize;
    let table = arguments.table.clone();
    let (rows, progress) = rows::open(arguments, key)?;
    let started = Instant::now();
    let (sender, receiver) = mpsc::channel(IMPORT_ROWS_AHEAD_MAX);
    let reader = tokio::task::spawn_blocking(move || {
        // The receiver is gone only when the import has stopped.
        rows.map_while(|row| sender.blocking_send(row).ok()).for_each(drop)
    });
    let mut tally = Tally::default();
    let import = Importer { client, table, in_flight, packer: Packer::default(), sending: JoinSet::new() };
    let result = import.run(receiver, &mut tally, &progress).await;
    progress.finish();
    if result.is_err() {
        let Tally { imported, refused } = tally;
        output.note(&format!("import stopped: at least {imported} rows were imported, {refused} refused"));
    }
    result?;
    // A panic of the reader would look like the end of the file.
    if let Err(error) = reader.await {
        std::panic::resume_unwind(error.into_panic());
    }
    progress::summary(output, tally.imported, tally.refused, started.elapsed())?;
    Ok(ExitCode::from(u8::from(tally.refused > 0)))
}

struct Importer {
    client: Arc<Client>,
    table: String,
    in_flight: usize,
    packer: Packer,
    sending: JoinSet<Result<Sent, Failure>>,
}

impl Importer {
    async fn run(
        mut self,
        mut rows: mpsc::Receiver<Row>,
        tally: &mut Tally,
        progress: &Progress,
    ) -> Result<(), Failure> {
        while let Some(row) = rows.recv().await {
            match row.content {
                Content::Refused { reason } => {
                    tally.refused += 1;
                    progress.refused(row.number, &reason);
                }
                Content::Item { item, key, bytes } => {
                    let mut ready = pack::Ready { number: row.number, item, key, bytes };
                    // Rows of one key go one after the other.
                    loop {
                        match self.packer.offer(ready) {
                            Offer::Taken(batch) => break self.send(batch, tally, progress).await?,
                            Offer::Busy { row, batch } => {
                                ready = row;
                                self.send(batch, tally, progress).await?;
                                self.one_sent(tally, progress).await?;
                            }
                        }
                    }
                }
            }
        }
        let rest = self.packer.take();
        self.send(rest, tally, progress).await?;
        while !self.sending.is_empty() {
            self.one_sent(tally, progress).await?;
        }
        Ok(())
    }

    /// Sends a batch, if there is one, as soon as fewer than the limit are under way.
    async fn send(
        &mut self,
        batch: Option<Batch>,
        tally: &mut Tally,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let Some(batch) = batch else { return Ok(()) };
        while self.sending.len() >= self.in_flight {
            self.one_sent(tally, progress).await?;
        }
        self.sending.spawn(send::batch(self.client.clone(), self.table.clone(), batch));
        Ok(())
    }

    /// Waits for one batch.
    async fn one_sent(&mut self, tally: &mut Tally, progress: &Progress) -> Result<(), Failure> {
        let Some(joined) = self.sending.join_next().await else { return Ok(()) };
        let sent = joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        self.packer.done(&sent.keys);
        tally.imported += sent.imported;
        tally.refused += sent.refused.len() as u64;
        for (number, reason) in &sent.refused {
            progress.refused(*number, reason);
        }
        progress.imported(tally.imported);
        Ok(())
    }
}
