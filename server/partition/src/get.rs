//! `GetItem`: one committed item.

use item::operation::Get;
use item::{Error, Invalid, Item, Key, Stored};
use storage::{Error as Fatal, Read, Record};

use crate::Home;
use crate::effect::Place;

/// Checks the key's form.
pub fn check(home: &Home, get: &Get) -> Result<Key, Error> {
    Ok(Key::of_key(&home.key, &get.key).map_err(Invalid::from)?)
}

/// Reads the item of a key; tombstones are absence.
pub fn read(engine: &impl Read, home: &Home, key: Key) -> Result<Option<Item>, Fatal> {
    look(engine, home, key, item::codec::decode)
}

/// The same, for whoever passes the item on.
pub fn stored(engine: &impl Read, home: &Home, key: Key) -> Result<Option<Stored>, Fatal> {
    look(engine, home, key, Stored::new)
}

fn look<T>(
    engine: &impl Read,
    home: &Home,
    key: Key,
    decode: impl FnOnce(&[u8]) -> Result<T, item::codec::Error>,
) -> Result<Option<T>, Fatal> {
    let place = Place { hash: key.hash, key: key.bytes };
    // The version and what it had seen are of no interest, and the body need not be copied to be read.
    engine.look(&place.record_key(home.table), |record| {
        let Some(body) = record.map(Record::body).transpose()?.flatten() else { return Ok(None) };
        decode(body).map(Some).map_err(|_| Fatal::undecodable("record body"))
    })?
}
