//! The keys and versions of part of a table, to name what differs between regions.

use storage::{Error, Read, keys};
use types::command::KeyVersion;
use types::{HashRange, KeySchema, TableId};

use crate::digest;

/// The live records of a range in order, at most `limit`, and whether there are more.
pub fn read(
    engine: &impl Read,
    table: TableId,
    schema: &KeySchema,
    range: HashRange,
    limit: usize,
) -> Result<(Vec<KeyVersion>, bool), Error> {
    let bounds = keys::record::hashes(table, range);
    let (mut found, mut more) = (Vec::new(), false);
    storage::engine::each(engine, &bounds, |key, value| {
        let Some(record) = digest::live(value)? else { return Ok(true) };
        if found.len() == limit {
            more = true;
            return Ok(false);
        }
        let place = keys::record::Key::decode(key)?;
        let item = item::key::decode(schema, place.key).ok_or_else(|| Error::undecodable("record key"))?;
        found.push(KeyVersion {
            key: item::codec::encode(&item),
            time: record.version.time,
            digest: digest::of_record(place.key, &record) as u64,
        });
        Ok(true)
    })?;
    Ok((found, more))
}
