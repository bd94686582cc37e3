//! `Query`.

use item::Error;
use item::error::Invalid;
use item::expression::Cache;
use item::operation::{Command, Operation, Query};
use item::outcome::Answer;
use proto::v1::{QueryRequest, QueryResponse};

use crate::{field, page};

/// Checks and binds a request.
pub fn decode(request: QueryRequest, cache: &mut Cache) -> Result<Command, Error> {
    let table = field::table_name(request.table_name)?;
    let text = request.key_condition_expression;
    let text = text.ok_or(Invalid::Missing { field: "KeyConditionExpression" })?;
    let substitutions =
        field::substitutions(request.expression_attribute_names, request.expression_attribute_values)?;
    let mut binder = field::binder(&substitutions, cache)?;
    let condition = binder.key_condition(&text).map_err(Invalid::from)?;
    let fields = page::Fields {
        filter: request.filter_expression,
        projection: request.projection_expression,
        select: request.select,
        limit: request.limit,
        after: request.exclusive_start_key,
        consistent: request.consistent_read,
    };
    let page = page::options(fields, &mut binder)?;
    field::finish(binder)?;
    let forward = request.scan_index_forward.unwrap_or(true);
    Ok(Command::Item(Operation::Query(Query { table, condition, forward, page })))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<QueryResponse, Error> {
    let page = page::encode(result)?;
    Ok(QueryResponse {
        items: page.items,
        count: page.count,
        scanned_count: page.scanned,
        last_evaluated_key: page.last,
    })
}
