//! Fills a table with items like those of `meridian bench`, numbered, so that it finds them.
//!
//! `meridian bench` loads a table as well, but does not tell how its rate changes meanwhile.

use std::ops::Range;

use proto::v1::attribute_value::Value;
use proto::v1::{
    AttributeValue, BatchWriteItemRequest, ErrorKind, GetItemRequest, TableWrites, WriteRequest,
};
use tokio::task::JoinSet;
use tonic::Code;

use crate::chance::Chance;
use crate::watchdog::{SOON, until};
use crate::wire::{self, Item, Wire, item, number, text};

/// Items of a batch, as many as the API takes.
const BATCH_ITEMS: u64 = 25;
/// Batches under way at once.
const BATCHES_IN_FLIGHT: u64 = 16;
/// What names, key and counter of an item add to its payload.
const AROUND_BYTES: usize = 32;

/// Puts the items with these numbers, each of so many bytes.
pub async fn fill(wire: &Wire, table: &str, numbers: Range<u64>, item_bytes: usize, chance: &mut Chance) {
    let share = (numbers.end - numbers.start).div_ceil(BATCHES_IN_FLIGHT);
    let mut writers = JoinSet::new();
    for first in numbers.clone().step_by(share as usize) {
        let own = first..numbers.end.min(first + share);
        let payload_bytes = item_bytes - AROUND_BYTES;
        // Payloads are slices of it: nothing compresses, and nothing has to be drawn for each.
        let pool = chance.bytes(payload_bytes + 4096);
        let writer = Writer { wire: wire.clone(), table: table.to_owned(), pool, payload_bytes };
        writers.spawn(writer.write(own, chance.split()));
    }
    writers.join_all().await;
}

/// Fails the test unless the items with these numbers are there.
pub async fn assert_there(wire: &mut Wire, table: &str, numbers: impl Iterator<Item = u64>) {
    for number in numbers {
        let get = GetItemRequest {
            table_name: table.to_owned(),
            key: item([key(number)]),
            consistent_read: true,
            ..GetItemRequest::default()
        };
        let answer = wire.get_item(wire::timed(get)).await.expect("a read is answered");
        assert!(answer.into_inner().item.is_some(), "item {number} of {table} is lost");
    }
}

struct Writer {
    wire: Wire,
    table: String,
    pool: Vec<u8>,
    payload_bytes: usize,
}

impl Writer {
    async fn write(self, numbers: Range<u64>, mut chance: Chance) {
        for first in numbers.clone().step_by(BATCH_ITEMS as usize) {
            let batch = first..numbers.end.min(first + BATCH_ITEMS);
            let mut requests = Vec::new();
            for number in batch {
                let put_item = self.item(number, chance.below(self.pool.len() - self.payload_bytes));
                requests.push(WriteRequest { put_item, delete_key: Item::new() });
            }
            let mut batch = vec![TableWrites { table_name: self.table.clone(), requests }];
            while !batch.is_empty() {
                batch = self.send(batch).await;
            }
        }
    }

    fn item(&self, at: u64, from: usize) -> Item {
        let payload = self.pool[from..from + self.payload_bytes].to_vec();
        let payload = AttributeValue { value: Some(Value::B(payload)) };
        item([key(at), ("visits", number("0")), ("payload", payload)])
    }

    /// Sends a batch, as often as the region has no room for it; gives what it left out.
    async fn send(&self, batch: Vec<TableWrites>) -> Vec<TableWrites> {
        let left = std::sync::Mutex::new(Vec::new());
        until(SOON, "room for a batch", || {
            let (mut wire, left) = (self.wire.clone(), &left);
            let request = BatchWriteItemRequest { request_items: batch.clone() };
            async move {
                match wire.batch_write_item(wire::timed(request)).await {
                    Ok(answer) => {
                        *left.lock().expect("nobody fails while it is held") =
                            answer.into_inner().unprocessed_items;
                        Ok(())
                    }
                    Err(status) if has_no_room(&status) => Err(status.to_string()),
                    Err(status) => panic!("a good batch failed: {status:?}"),
                }
            }
        })
        .await;
        left.into_inner().expect("nobody fails while it is held")
    }
}

fn has_no_room(status: &tonic::Status) -> bool {
    let retryable = wire::detail(status).is_some_and(|detail| detail.kind() == ErrorKind::Retryable);
    retryable || status.code() == Code::ResourceExhausted
}

fn key(number: u64) -> (&'static str, AttributeValue) {
    ("id", text(format!("item{number:012}")))
}
