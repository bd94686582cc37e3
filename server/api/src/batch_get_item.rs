//! `BatchGetItem`.

use std::collections::BTreeMap;

use item::Error;
use item::error::Invalid;
use item::expression::{Cache, Substitutions};
use item::operation::{BatchGet, Command, KeysAndOptions, Operation};
use item::outcome::{Answer, Outcome};
use proto::convert;
use proto::v1::{BatchGetItemRequest, BatchGetItemResponse, Item, KeysAndAttributes, TableItems};
use types::TableName;
use types::limits::BATCH_GET_KEYS_MAX;

use crate::field;

/// Checks and binds a request.
pub fn decode(request: BatchGetItemRequest, cache: &mut Cache) -> Result<Command, Error> {
    let count: usize = request.request_items.iter().map(|table| table.keys.len()).sum();
    field::bounded("RequestItems", count as u64, 1, BATCH_GET_KEYS_MAX as u64)?;
    let mut tables = BTreeMap::new();
    for mut wanted in request.request_items {
        let table = field::table_name(std::mem::take(&mut wanted.table_name))?;
        if tables.insert(table, keys(wanted, cache)?).is_some() {
            return Err(Invalid::Duplicate { field: "RequestItems" }.into());
        }
    }
    Ok(Command::Item(Operation::BatchGet(BatchGet { tables })))
}

fn keys(wanted: KeysAndAttributes, cache: &mut Cache) -> Result<KeysAndOptions, Error> {
    let mut keys = Vec::with_capacity(wanted.keys.len());
    for key in wanted.keys {
        let key = field::attributes("Keys", key.attributes)?;
        if keys.contains(&key) {
            return Err(Invalid::Duplicate { field: "Keys" }.into());
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(Invalid::Missing { field: "Keys" }.into());
    }
    let substitutions = field::substitutions(wanted.expression_attribute_names, BTreeMap::new())?;
    let mut binder = field::binder(&substitutions, cache)?;
    let projection = field::projection(&mut binder, wanted.projection_expression.as_deref())?;
    field::finish(binder)?;
    Ok(KeysAndOptions { keys, consistent: wanted.consistent_read, projection })
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<BatchGetItemResponse, Error> {
    let Answer::Item(Outcome::Got(got)) = result? else {
        unreachable!("BatchGetItem is answered by Got");
    };
    let table = |(name, items): (TableName, Vec<item::Item>)| TableItems {
        table_name: name.as_str().to_owned(),
        items: items.into_iter().map(message).collect(),
    };
    Ok(BatchGetItemResponse {
        responses: got.items.into_iter().map(table).collect(),
        unprocessed_keys: got.unprocessed.into_iter().map(unprocessed).collect(),
    })
}

/// The request for what is left, as the client is to send it again.
fn unprocessed((name, left): (TableName, KeysAndOptions)) -> KeysAndAttributes {
    let mut substitutions = Substitutions::default();
    if let Some(projection) = &left.projection {
        projection.give_back(&mut substitutions);
    }
    KeysAndAttributes {
        table_name: name.as_str().to_owned(),
        keys: left.keys.into_iter().map(message).collect(),
        consistent_read: left.consistent,
        projection_expression: left.projection.map(|projection| projection.text().to_owned()),
        expression_attribute_names: substitutions.names,
    }
}

fn message(item: item::Item) -> Item {
    Item { attributes: convert::item_into(item) }
}
