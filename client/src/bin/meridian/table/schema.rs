//! The key of a described table, for commands that need to know where an item lies.

use proto::v1::{ScalarAttributeType, TableDescription};
use types::{KeyAttribute, KeySchema, KeyType};

/// The key of a described table.
pub(crate) fn of(table: &TableDescription) -> Result<KeySchema, client::Error> {
    let mut attributes = table.key_schema.iter().map(|element| {
        let named = |definition: &&proto::v1::AttributeDefinition| {
            definition.attribute_name == element.attribute_name
        };
        let definition = table.attribute_definitions.iter().find(named)?;
        let key_type = match definition.attribute_type() {
            ScalarAttributeType::S => KeyType::S,
            ScalarAttributeType::N => KeyType::N,
            ScalarAttributeType::B => KeyType::B,
            ScalarAttributeType::Unspecified => return None,
        };
        Some(KeyAttribute { name: element.attribute_name.clone(), key_type })
    });
    let missing = client::Error::Incomplete { field: "KeySchema" };
    let partition = attributes.next().flatten().ok_or(missing)?;
    Ok(KeySchema { partition, sort: attributes.next().flatten() })
}
