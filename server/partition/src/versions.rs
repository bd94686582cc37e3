//! The keys and versions of part of a table, to name what differs between regions.
//!
//! A list goes on behind any key, stored or not: who compares regions goes on in all of them behind the same
//! key, and one region may lack it.

use item::{Error as Refusal, Invalid, Key};
use storage::{Error, Read, keys};
use types::command::KeyVersion;
use types::{HashRange, KeySchema, TableId};

use crate::digest;

/// A list whose start key was checked against table and range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    schema: KeySchema,
    range: HashRange,
    after: Option<Key>,
    limit: usize,
}

/// Checks the start key, which comes in the canonical encoding of an item: it must be a key of the table, and
/// of the range.
pub fn plan(
    schema: &KeySchema,
    range: HashRange,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Plan, Refusal> {
    let after = after.map(|after| start(schema, range, after)).transpose()?;
    Ok(Plan { schema: schema.clone(), range, after, limit })
}

fn start(schema: &KeySchema, range: HashRange, after: &[u8]) -> Result<Key, Invalid> {
    let field = "ExclusiveStartKey";
    let unreadable = |_| Invalid::Choice { field, allowed: "the key of an item" };
    let attributes = item::codec::decode(after).map_err(unreadable)?;
    let key = Key::of_key(schema, &attributes)?;
    if range.contains(key.hash) { Ok(key) } else { Err(Invalid::Conflict { field, other: "Range" }) }
}

/// The live records of the range in order, at most as many as planned, and whether there are more.
pub fn read(engine: &impl Read, table: TableId, plan: &Plan) -> Result<(Vec<KeyVersion>, bool), Error> {
    let mut bounds = keys::record::hashes(table, plan.range);
    if let Some(after) = &plan.after {
        bounds.0 = keys::record::Key { table, hash: after.hash, key: &after.bytes }.encode();
        // The least bytes behind the key's own.
        bounds.0.push(0);
    }
    let (mut found, mut more) = (Vec::new(), false);
    storage::engine::each(engine, &bounds, |key, value| {
        let Some(record) = digest::live(value)? else { return Ok(true) };
        if found.len() == plan.limit {
            more = true;
            return Ok(false);
        }
        let place = keys::record::Key::decode(key)?;
        let item = item::key::decode(&plan.schema, place.key);
        found.push(KeyVersion {
            key: item::codec::encode(&item.ok_or_else(|| Error::undecodable("record key"))?),
            time: record.version.time,
            digest: digest::of_record(place.key, &record) as u64,
        });
        Ok(true)
    })?;
    Ok((found, more))
}

#[cfg(test)]
mod tests {
    use item::{AttributeValue, Item};
    use types::{KeyAttribute, KeyHash, KeyType};

    use super::*;

    fn refusal(key: &[(&str, AttributeValue)], range: HashRange) -> Option<Refusal> {
        let partition = KeyAttribute { name: "p".into(), key_type: KeyType::S };
        let schema = KeySchema { partition, sort: None };
        let key: Item = key.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        plan(&schema, range, Some(&item::codec::encode(&key)), 1).err()
    }

    #[test]
    fn a_start_key_must_be_a_key_of_table_and_range() {
        let text = AttributeValue::S("k".into());
        let invalid = |refusal| matches!(refusal, Some(Refusal::Invalid(Invalid::Attribute(_))));
        assert_eq!(refusal(&[("p", text.clone())], HashRange::ALL), None);
        assert!(invalid(refusal(&[("q", text.clone())], HashRange::ALL)));
        assert!(invalid(refusal(&[("p", text.clone()), ("q", text.clone())], HashRange::ALL)));
        assert!(invalid(refusal(&[("p", AttributeValue::Bool(true))], HashRange::ALL)));
        let elsewhere = HashRange { first: KeyHash(0), last: KeyHash(0) };
        let outside = Invalid::Conflict { field: "ExclusiveStartKey", other: "Range" };
        assert_eq!(refusal(&[("p", text)], elsewhere), Some(outside.into()));
    }

    #[test]
    fn bytes_that_are_no_item_are_refused() {
        let partition = KeyAttribute { name: "p".into(), key_type: KeyType::S };
        let refused = plan(&KeySchema { partition, sort: None }, HashRange::ALL, Some(&[0xff; 9]), 1);
        let choice = |field| matches!(field, Refusal::Invalid(Invalid::Choice { .. }));
        assert!(refused.is_err_and(choice));
    }
}
