//! `UpdateItem`.

use item::Error;
use item::error::Invalid;
use item::expression::Cache;
use item::operation::{Command, Operation, UpdateItem};
use item::outcome::Answer;
use proto::v1::{UpdateItemRequest, UpdateItemResponse};

use crate::{field, write};

/// Checks and binds a request.
pub fn decode(request: UpdateItemRequest, cache: &mut Cache) -> Result<Command, Error> {
    let table = field::table_name(request.table_name)?;
    let key = field::attributes("Key", request.key)?;
    let return_values = write::return_values(request.return_values)?;
    let on_failure = request.return_values_on_condition_check_failure;
    let mut options = write::options(return_values, on_failure, &request.request_id)?;
    let substitutions =
        field::substitutions(request.expression_attribute_names, request.expression_attribute_values)?;
    let mut binder = field::binder(&substitutions, cache)?;
    let text = request.update_expression.as_deref();
    let update = text.map(|text| binder.update(text)).transpose().map_err(Invalid::from)?;
    options.condition = field::condition(&mut binder, request.condition_expression.as_deref())?;
    field::finish(binder)?;
    Ok(Command::Item(Operation::Update(UpdateItem { table, key, update, options })))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<UpdateItemResponse, Error> {
    let written = write::encode(result)?;
    Ok(UpdateItemResponse {
        attributes: written.attributes,
        condition_check_failed: written.condition_check_failed,
    })
}
