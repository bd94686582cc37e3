//! `Query`: the items of one partition key, by a range of sort keys, either way.

use item::expression::SortCondition;
use item::operation::Query;
use item::outcome::Page;
use item::{Error, Invalid, key};
use storage::{Direction, Error as Fatal, Read, keys};
use types::{KeyHash, KeySchema, TableId, key_hash};

use crate::page::{self, Effort, Range};

/// A query whose keys were checked against the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The partition key's hash.
    pub hash: KeyHash,
    from: Vec<u8>,
    to: Vec<u8>,
    after: Option<Vec<u8>>,
}

/// Checks the key condition and the start key, and finds the keys to read.
pub fn plan(schema: &KeySchema, query: &Query) -> Result<Plan, Error> {
    let wanted = query.condition.check(schema).map_err(Invalid::from)?;
    let prefix = key::encode_partition(schema, &wanted.partition).map_err(Invalid::from)?;
    let hash = key_hash(&prefix);
    let (from, to) = match &wanted.sort {
        None => (prefix.clone(), following(&prefix)),
        Some(sort) => sort_range(schema, &prefix, sort)?,
    };
    let after = page::start(schema, &query.page)?;
    if after.as_ref().is_some_and(|after| after.hash != hash || !after.bytes.starts_with(&prefix)) {
        return Err(Invalid::Conflict { field: "ExclusiveStartKey", other: "KeyConditionExpression" }.into());
    }
    Ok(Plan { hash, from, to, after: after.map(|key| key.bytes) })
}

/// Reads one page of a query; `None` if it takes more effort than that.
pub fn read(
    engine: &impl Read,
    table: TableId,
    schema: &KeySchema,
    plan: &Plan,
    query: &Query,
    effort: Effort,
) -> Result<Option<Page>, Fatal> {
    let stored = |key: &[u8]| keys::record::Key { table, hash: plan.hash, key }.encode();
    let direction = if query.forward { Direction::Forward } else { Direction::Backward };
    let (mut from, mut to) = (stored(&plan.from), stored(&plan.to));
    let after = plan.after.as_deref().map(stored);
    // A start key outside the range leaves the part of the range that lies behind it.
    match (&after, direction) {
        (Some(after), Direction::Forward) if *after < from => {}
        (Some(after), Direction::Forward) => from.clone_from(after),
        (Some(after), Direction::Backward) if *after > to => {}
        (Some(after), Direction::Backward) => to.clone_from(after),
        (None, _) => {}
    }
    if from >= to {
        return Ok(Some(Page::default()));
    }
    let excluded = after.filter(|after| *after == from || *after == to);
    let range = Range { from, to, direction, goes_on: false };
    page::read(engine, schema, &range, excluded.as_deref(), &query.page, effort)
}

/// From the first key of a sort condition up to, not including, the first key past it.
fn sort_range(schema: &KeySchema, prefix: &[u8], sort: &SortCondition) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let at = |value| -> Result<Vec<u8>, Error> {
        Ok([prefix, &key::encode_sort(schema, value).map_err(Invalid::from)?].concat())
    };
    let end = following(prefix);
    Ok(match sort {
        SortCondition::Equal(value) => (at(value)?, following(&at(value)?)),
        SortCondition::Less(value) => (prefix.to_vec(), at(value)?),
        SortCondition::LessOrEqual(value) => (prefix.to_vec(), following(&at(value)?)),
        SortCondition::Greater(value) => (following(&at(value)?), end),
        SortCondition::GreaterOrEqual(value) => (at(value)?, end),
        SortCondition::Between(low, high) => (at(low)?, following(&at(high)?)),
        SortCondition::BeginsWith(value) => {
            let begin = key::sort_prefix(schema, value).map_err(Invalid::from)?;
            let begin = [prefix, &begin].concat();
            let past = following(&begin);
            (begin, past)
        }
    })
}

/// The first byte string past all that begin with this one. An encoded key never is all `0xFF`.
fn following(prefix: &[u8]) -> Vec<u8> {
    let mut past = prefix.to_vec();
    while past.last() == Some(&0xFF) {
        past.pop();
    }
    if let Some(last) = past.last_mut() {
        *last += 1;
    }
    past
}
