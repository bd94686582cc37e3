//! `GetItem`: one committed item.

use item::operation::Get;
use item::{Error, Invalid, Item, Key};
use storage::{Error as Fatal, Read};

use crate::effect::Place;
use crate::{Home, view, write};

/// Checks the key's form.
pub fn check(home: &Home, get: &Get) -> Result<Key, Error> {
    Ok(Key::of_key(&home.key, &get.key).map_err(Invalid::from)?)
}

/// Reads the item of a key; tombstones are absence.
pub fn read(engine: &impl Read, home: &Home, key: Key) -> Result<Option<Item>, Fatal> {
    let place = Place { hash: key.hash, key: key.bytes };
    write::stored_item(view::committed(engine, home, &place)?.as_ref())
}
