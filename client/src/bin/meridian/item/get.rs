//! `meridian item get`.

use client::Client;
use proto::v1::GetItemRequest;
use serde_json::{Value, json};

use crate::arguments::GetItem;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape;

/// Shows an item: `{"Item": …}`, or `{}` when there is none.
pub(super) async fn run(client: &Client, arguments: GetItem, output: &Output) -> Result<(), Failure> {
    let request = GetItemRequest {
        table_name: arguments.table,
        key: shape::read_item("KEY", &arguments.key, arguments.spelling)?,
        consistent_read: arguments.consistent,
        projection_expression: arguments.projection,
        expression_attribute_names: shape::read_names(arguments.names.as_deref())?,
    };
    let item = client.get_item(request).await?.item;
    let item =
        item.map(|item| shape::item(item.attributes, output.spelling(arguments.spelling))).transpose()?;
    match (item, output.is_json()) {
        (None, true) => output.value(&json!({})),
        (Some(item), true) => output.value(&json!({ "Item": item })),
        (Some(Value::Object(item)), false) => {
            output.table(vec!["Attribute".into(), "Value".into()], shape::rows(&item))
        }
        (_, false) => output.line("no such item"),
    }
}
