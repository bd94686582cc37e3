//! `BatchWriteItem`.

use std::collections::BTreeMap;

use item::Error;
use item::error::Invalid;
use item::operation::{BatchWrite, BatchWriteEntry, Command, Operation};
use item::outcome::{Answer, Outcome};
use proto::convert;
use proto::v1::{BatchWriteItemRequest, BatchWriteItemResponse, TableWrites, WriteRequest};
use types::TableName;
use types::limits::BATCH_WRITE_ITEMS_MAX;

use crate::field;

/// Checks a request. Two puts of different items under one key can only be told once the table's key is
/// known, so the region refuses those.
pub fn decode(request: BatchWriteItemRequest) -> Result<Command, Error> {
    let count: usize = request.request_items.iter().map(|table| table.requests.len()).sum();
    field::bounded("RequestItems", count as u64, 1, BATCH_WRITE_ITEMS_MAX as u64)?;
    let mut tables = BTreeMap::new();
    for writes in request.request_items {
        let table = field::table_name(writes.table_name)?;
        if tables.insert(table, entries(writes.requests)?).is_some() {
            return Err(Invalid::Duplicate { field: "RequestItems" }.into());
        }
    }
    Ok(Command::Item(Operation::BatchWrite(BatchWrite { tables })))
}

fn entries(requests: Vec<WriteRequest>) -> Result<Vec<BatchWriteEntry>, Error> {
    let mut entries = Vec::with_capacity(requests.len());
    for request in requests {
        let entry = match (request.put_item.is_empty(), request.delete_key.is_empty()) {
            (false, true) => BatchWriteEntry::Put(field::attributes("PutRequest.Item", request.put_item)?),
            (true, false) => {
                BatchWriteEntry::Delete(field::attributes("DeleteRequest.Key", request.delete_key)?)
            }
            (true, true) => return Err(Invalid::Missing { field: "PutRequest or DeleteRequest" }.into()),
            (false, false) => {
                return Err(Invalid::Conflict { field: "PutRequest", other: "DeleteRequest" }.into());
            }
        };
        if entries.contains(&entry) {
            return Err(Invalid::Duplicate { field: "RequestItems" }.into());
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(Invalid::Missing { field: "PutRequest or DeleteRequest" }.into());
    }
    Ok(entries)
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<BatchWriteItemResponse, Error> {
    let Answer::Item(Outcome::Wrote(unprocessed)) = result? else {
        unreachable!("BatchWriteItem is answered by Wrote");
    };
    let table = |(name, entries): (TableName, Vec<BatchWriteEntry>)| TableWrites {
        table_name: name.as_str().to_owned(),
        requests: entries.into_iter().map(write).collect(),
    };
    Ok(BatchWriteItemResponse { unprocessed_items: unprocessed.into_iter().map(table).collect() })
}

fn write(entry: BatchWriteEntry) -> WriteRequest {
    match entry {
        BatchWriteEntry::Put(item) => {
            WriteRequest { put_item: convert::item_into(item), delete_key: BTreeMap::new() }
        }
        BatchWriteEntry::Delete(key) => {
            WriteRequest { put_item: BTreeMap::new(), delete_key: convert::item_into(key) }
        }
    }
}
