//! `meridian item delete`.

use client::Client;
use proto::v1::DeleteItemRequest;

use super::write;
use crate::arguments::DeleteItem;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape;

/// Deletes an item.
pub(super) async fn run(client: &Client, arguments: DeleteItem, output: &Output) -> Result<(), Failure> {
    let options = arguments.options;
    let request = DeleteItemRequest {
        table_name: arguments.table,
        key: shape::read_item("KEY", &arguments.key, options.spelling)?,
        condition_expression: options.condition,
        expression_attribute_names: shape::read_names(options.substitutions.names.as_deref())?,
        expression_attribute_values: shape::read_values(
            options.substitutions.values.as_deref(),
            options.spelling,
        )?,
        return_values: write::return_values(options.return_values),
        ..Default::default()
    };
    write::show(client.delete_item(request).await?.attributes, options.spelling, output)
}
