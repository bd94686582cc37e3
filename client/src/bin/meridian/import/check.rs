//! The checks of a row before it is sent: the same that the server will make, with the table's key at hand.

use item::validate::{self, InvalidAttribute};
use item::{Item, Key};
use types::KeySchema;

/// Checks an item against the limits and the table's key, and gives its key.
pub(super) fn item(key: &KeySchema, item: &Item) -> Result<Key, InvalidAttribute> {
    validate::check_item(item, None)?;
    Key::of_item(key, item)
}
