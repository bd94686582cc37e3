//! `Scan`: the items of a part of the hash space, in the order of hash and key.
//!
//! Partitions of one shard share its key space, so a scan reads across them; it never reads a hash that the
//! shard does not lead: whoever plans it asks first.

use item::Error;
use item::operation::Scan;
use item::outcome::Page;
use storage::{Direction, Error as Fatal, Read, keys};
use types::{HashRange, KeyHash, KeySchema, NodeId, TableId};

use crate::page::{self, Effort, Range};

/// A scan whose keys were checked against the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The part of the hash space that is left to read; `None` when nothing is.
    pub range: Option<HashRange>,
    after: Option<(types::KeyHash, Vec<u8>)>,
    /// Who holds what follows the range, and the first hash of it.
    pub rest: Option<(NodeId, KeyHash)>,
}

/// Checks the start key and finds the hashes to read.
pub fn plan(schema: &KeySchema, scan: &Scan) -> Result<Plan, Error> {
    let mut range = scan.segment.map_or(HashRange::ALL, |(index, count)| HashRange::part(index, count));
    let after = page::start(schema, &scan.page)?;
    if let Some(after) = &after {
        if after.hash > range.last {
            return Ok(Plan { range: None, after: None, rest: None });
        }
        range.first = range.first.max(after.hash);
    }
    if let Some(from) = scan.from {
        if from > range.last {
            return Ok(Plan { range: None, after: None, rest: None });
        }
        range.first = range.first.max(from);
    }
    Ok(Plan { range: Some(range), after: after.map(|key| (key.hash, key.bytes)), rest: None })
}

/// Reads one page of a scan; `None` if it takes more effort than that.
pub fn read(
    engine: &impl Read,
    table: TableId,
    schema: &KeySchema,
    plan: &Plan,
    scan: &Scan,
    effort: Effort,
) -> Result<Option<Page>, Fatal> {
    let Some(range) = plan.range else { return Ok(Some(Page::default())) };
    let (from, to) = keys::record::hashes(table, range);
    let after = plan.after.as_ref().filter(|(hash, _)| *hash >= range.first);
    let after = after.map(|(hash, key)| keys::record::Key { table, hash: *hash, key }.encode());
    let range = Range { from, to, direction: Direction::Forward, goes_on: plan.rest.is_some() };
    let mut page = page::read(engine, schema, &range, after.as_deref(), &scan.page, effort)?;
    if let Some(page) = page.as_mut().filter(|page| page.last.is_none()) {
        page.rest = plan.rest;
    }
    Ok(page)
}
