//! `DeleteItem`.

use item::Error;
use item::expression::Cache;
use item::operation::{Command, Delete, Operation};
use item::outcome::Answer;
use proto::v1::{DeleteItemRequest, DeleteItemResponse};

use crate::{field, write};

/// Checks and binds a request.
pub fn decode(request: DeleteItemRequest, cache: &mut Cache) -> Result<Command, Error> {
    let table = field::table_name(request.table_name)?;
    let key = field::attributes("Key", request.key)?;
    let return_values = write::return_values_of_whole_item(request.return_values)?;
    let on_failure = request.return_values_on_condition_check_failure;
    let mut options = write::options(return_values, on_failure, &request.request_id)?;
    let substitutions =
        field::substitutions(request.expression_attribute_names, request.expression_attribute_values)?;
    let mut binder = field::binder(&substitutions, cache)?;
    options.condition = field::condition(&mut binder, request.condition_expression.as_deref())?;
    field::finish(binder)?;
    Ok(Command::Item(Operation::Delete(Delete { table, key, options })))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<DeleteItemResponse, Error> {
    let written = write::encode(result)?;
    Ok(DeleteItemResponse {
        attributes: written.attributes,
        condition_check_failed: written.condition_check_failed,
    })
}
