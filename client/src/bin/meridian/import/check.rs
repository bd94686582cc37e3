//! The checks of a row before it is sent: the same that the server will make, with the table's key at hand.

use item::validate::{self, InvalidAttribute};
use item::{Item, Key};
use proto::v1::{ScalarAttributeType, TableDescription};
use types::{KeyAttribute, KeySchema, KeyType};

/// The key of a described table.
pub(super) fn key_schema(table: &TableDescription) -> Result<KeySchema, client::Error> {
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

/// Checks an item against the limits and the table's key, and gives its key.
pub(super) fn item(key: &KeySchema, item: &Item) -> Result<Key, InvalidAttribute> {
    validate::check_item(item, None)?;
    Key::of_item(key, item)
}
