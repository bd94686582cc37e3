//! Sends one batch, and finds the rows that the server refuses.
//!
//! The server refuses a batch as a whole, so a refused one is put row by row. While a server cannot be
//! reached a batch waits for it, within limits: a region that restarts does not end an import.

use std::sync::Arc;
use std::time::Duration;

use client::{Client, Error};
use item::Key;
use proto::v1::{BatchWriteItemRequest, PutItemRequest, TableWrites, WriteRequest};
use tokio::time::{Instant, sleep};
use types::limits::IMPORT_PATIENCE_MS;

use super::pack::{Batch, Ready};
use crate::failure::Failure;
use crate::shape::Attributes;

/// How long to wait before a batch is sent again.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Sent {
    /// The keys that are no longer busy.
    pub(super) keys: Vec<Key>,
    /// Rows that were put.
    pub(super) imported: u64,
    /// Rows that were refused, with the reason.
    pub(super) refused: Vec<(u64, String)>,
}

/// Sends a batch until every row of it was put or refused.
pub(super) async fn batch(client: Arc<Client>, table: String, batch: Batch) -> Result<Sent, Failure> {
    let keys = batch.iter().map(|row| row.key.clone()).collect();
    let patience = Patience::of(Duration::from_millis(IMPORT_PATIENCE_MS));
    if whole(&client, &table, &batch, &patience).await? {
        return Ok(Sent { keys, imported: batch.len() as u64, refused: Vec::new() });
    }
    let mut sent = Sent { keys, imported: 0, refused: Vec::new() };
    for row in batch {
        let number = row.number;
        match single(&client, &table, row, &patience).await? {
            None => sent.imported += 1,
            Some(reason) => sent.refused.push((number, reason)),
        }
    }
    Ok(sent)
}

/// Sends a batch as one; `false` when its rows must be put one by one.
async fn whole(client: &Client, table: &str, batch: &Batch, patience: &Patience) -> Result<bool, Failure> {
    let put = |row: &Ready| WriteRequest { put_item: row.item.clone(), delete_key: Attributes::new() };
    let writes = TableWrites { table_name: table.to_owned(), requests: batch.iter().map(put).collect() };
    let mut request = BatchWriteItemRequest { request_items: vec![writes] };
    loop {
        match client.batch_write_item(request.clone()).await {
            Ok(answer) if answer.unprocessed_items.is_empty() => return Ok(true),
            Ok(answer) if patience.is_left() => {
                request.request_items = answer.unprocessed_items;
                sleep(PAUSE).await;
            }
            Ok(_) => return Ok(false),
            Err(error) if concerns_row(&error) => return Ok(false),
            Err(error) => patience.wait(error).await?,
        }
    }
}

/// Puts one row; gives the reason when it was refused.
async fn single(
    client: &Client,
    table: &str,
    row: Ready,
    patience: &Patience,
) -> Result<Option<String>, Failure> {
    let request = PutItemRequest { table_name: table.to_owned(), item: row.item, ..Default::default() };
    loop {
        match client.put_item(request.clone()).await {
            Ok(_) => return Ok(None),
            Err(error) if concerns_row(&error) => return Ok(Some(error.to_string())),
            Err(error) => patience.wait(error).await?,
        }
    }
}

/// Whether a refusal is about what a row holds; one about the table ends the import.
fn concerns_row(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.field != "TableName",
        _ => false,
    }
}

/// For how long a server may be out of reach.
pub(crate) struct Patience {
    until: Instant,
}

impl Patience {
    /// For so long from this moment on.
    pub(crate) fn of(length: Duration) -> Patience {
        Patience { until: Instant::now() + length }
    }

    /// Whether there is any left.
    pub(crate) fn is_left(&self) -> bool {
        Instant::now() < self.until
    }

    /// Waits a little after a failure that may pass; gives the failure back when it will not, or not in time.
    pub(crate) async fn wait(&self, error: Error) -> Result<(), Failure> {
        if error.is_refusal() || !self.is_left() {
            return Err(error.into());
        }
        sleep(PAUSE).await;
        Ok(())
    }
}
