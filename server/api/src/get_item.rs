//! `GetItem`.

use std::collections::BTreeMap;

use item::Error;
use item::expression::Cache;
use item::operation::{Command, Get, Operation};
use item::outcome::{Answer, Outcome};
use prost::Message;
use prost::bytes::Bytes;
use proto::convert;
use proto::v1::{GetItemRequest, GetItemResponse, Item};

use crate::field;

/// Checks and binds a request.
pub fn decode(request: GetItemRequest, cache: &mut Cache) -> Result<Command, Error> {
    let table = field::table_name(request.table_name)?;
    let key = field::attributes("Key", request.key)?;
    let substitutions = field::substitutions(request.expression_attribute_names, BTreeMap::new())?;
    let mut binder = field::binder(&substitutions, cache)?;
    let projection = field::projection(&mut binder, request.projection_expression.as_deref())?;
    field::finish(binder)?;
    let consistent = request.consistent_read;
    Ok(Command::Item(Operation::Get(Get { table, key, consistent, projection })))
}

/// Shapes the answer, as bytes.
pub fn encode_bytes(result: Result<Answer, Error>) -> Result<Bytes, Error> {
    match result {
        Ok(Answer::Item(Outcome::Stored(Some(item)))) => Ok(proto::stored::get_item_response(&item)),
        result => Ok(encode(result)?.encode_to_vec().into()),
    }
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<GetItemResponse, Error> {
    match result? {
        Answer::Item(Outcome::Item(item)) => Ok(response(item)),
        Answer::Item(Outcome::Stored(item)) => Ok(response(item.map(|item| item.item()))),
        other => unreachable!("GetItem is answered by Item, not by {other:?}"),
    }
}

fn response(item: Option<item::Item>) -> GetItemResponse {
    GetItemResponse { item: item.map(|item| Item { attributes: convert::item_into(item) }) }
}
