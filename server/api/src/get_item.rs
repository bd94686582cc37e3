//! `GetItem`.

use std::collections::BTreeMap;

use item::Error;
use item::expression::Cache;
use item::operation::{Command, Get, Operation};
use item::outcome::{Answer, Outcome};
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

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<GetItemResponse, Error> {
    match result? {
        Answer::Item(Outcome::Item(item)) => {
            Ok(GetItemResponse { item: item.map(|item| Item { attributes: convert::item_into(item) }) })
        }
        other => unreachable!("GetItem is answered by Item, not by {other:?}"),
    }
}
