//! `meridian item put`.

use client::Client;
use proto::v1::PutItemRequest;

use super::write;
use crate::arguments::PutItem;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape;

/// Puts an item.
pub(super) async fn run(client: &Client, arguments: PutItem, output: &Output) -> Result<(), Failure> {
    let options = arguments.options;
    let request = PutItemRequest {
        table_name: arguments.table,
        item: shape::read_item("ITEM", &arguments.item, options.spelling)?,
        condition_expression: options.condition,
        expression_attribute_names: shape::read_names(options.substitutions.names.as_deref())?,
        expression_attribute_values: shape::read_values(
            options.substitutions.values.as_deref(),
            options.spelling,
        )?,
        return_values: write::return_values(options.return_values),
        ..Default::default()
    };
    write::show(client.put_item(request).await?.attributes, options.spelling, output)
}
