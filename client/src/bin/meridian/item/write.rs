//! What put, update and delete share.

use proto::v1::{Item, ReturnValues};
use serde_json::{Value, json};

use crate::arguments::{Returned, Spelling};
use crate::failure::Failure;
use crate::output::Output;
use crate::shape;

/// The message's word for `--return-values`.
pub(super) fn return_values(returned: Returned) -> i32 {
    let values = match returned {
        Returned::None => ReturnValues::None,
        Returned::AllOld => ReturnValues::AllOld,
        Returned::UpdatedOld => ReturnValues::UpdatedOld,
        Returned::AllNew => ReturnValues::AllNew,
        Returned::UpdatedNew => ReturnValues::UpdatedNew,
    };
    values.into()
}

/// Shows what a write returned: `{}` or `{"Attributes": …}`.
pub(super) fn show(attributes: Option<Item>, spelling: Spelling, output: &Output) -> Result<(), Failure> {
    let attributes =
        attributes.map(|item| shape::item(item.attributes, output.spelling(spelling))).transpose()?;
    match (attributes, output.is_json()) {
        (None, true) => output.value(&json!({})),
        (Some(item), true) => output.value(&json!({ "Attributes": item })),
        (Some(Value::Object(item)), false) => {
            output.table(vec!["Attribute".into(), "Value".into()], shape::rows(&item))
        }
        (_, false) => output.line("done"),
    }
}
