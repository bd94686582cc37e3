//! Loads the items of a run, in batches, many under way at once.

use std::time::Duration;

use client::Client;
use futures::{StreamExt, TryStreamExt, stream};
use proto::v1::{BatchWriteItemRequest, TableWrites, WriteRequest};
use types::limits::{
    BATCH_WRITE_ITEMS_MAX, IMPORT_BATCH_BYTES_MAX, IMPORT_BATCHES_IN_FLIGHT_MAX, IMPORT_PATIENCE_MS,
};

use super::plan::{self, Plan};
use super::progress::Progress;
use crate::failure::Failure;
use crate::import::send::{PAUSE, Patience};

/// Puts every item from 0 to one less than the number of keys.
pub(super) async fn load(client: &Client, plan: &Plan, progress: &Progress) -> Result<(), Failure> {
    let keys = plan.arguments.keys;
    let fitting = IMPORT_BATCH_BYTES_MAX / plan.arguments.item_size as usize;
    let items = fitting.clamp(1, BATCH_WRITE_ITEMS_MAX);
    let batches = (0..keys).step_by(items).map(|first| first..keys.min(first + items as u64));
    let sent = stream::iter(batches).map(|numbers| batch(client, plan, numbers));
    let mut sent = sent.buffer_unordered(IMPORT_BATCHES_IN_FLIGHT_MAX);
    let mut loaded = 0;
    while let Some(count) = sent.try_next().await? {
        loaded += count;
        progress.loaded(loaded, keys);
    }
    Ok(())
}

/// Puts some items, and gives their number. A batch that may have been written is sent again: these are
/// whole items, and writing them twice changes nothing.
async fn batch(client: &Client, plan: &Plan, numbers: std::ops::Range<u64>) -> Result<u64, Failure> {
    let count = numbers.end - numbers.start;
    let mut random = plan::generator();
    let put = |number| WriteRequest {
        put_item: plan.content.item(number, &mut random),
        delete_key: Default::default(),
    };
    let writes = TableWrites { table_name: plan.table.clone(), requests: numbers.map(put).collect() };
    let mut request = BatchWriteItemRequest { request_items: vec![writes] };
    let patience = Patience::of(Duration::from_millis(IMPORT_PATIENCE_MS));
    loop {
        match client.batch_write_item(request.clone()).await {
            Ok(answer) if answer.unprocessed_items.is_empty() => return Ok(count),
            Ok(_) if !patience.is_left() => return Err(Failure::Unprocessed { table: plan.table.clone() }),
            Ok(answer) => {
                request.request_items = answer.unprocessed_items;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => patience.wait(error).await?,
        }
    }
}
