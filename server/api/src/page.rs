//! What `Query` and `Scan` share: which items to read, what to keep of them, and the page that comes back.

use std::collections::BTreeMap;

use item::Error;
use item::error::Invalid;
use item::expression::Binder;
use item::operation::PageOptions;
use item::outcome::{Answer, Outcome, Page};
use proto::convert;
use proto::v1::{AttributeValue, Item, Select};

use types::{KeyHash, NodeId};

use crate::field;

const SELECT: &str = "ALL_ATTRIBUTES, SPECIFIC_ATTRIBUTES or COUNT";

/// The fields of a request for a page.
pub(crate) struct Fields {
    pub(crate) filter: Option<String>,
    pub(crate) projection: Option<String>,
    pub(crate) select: i32,
    pub(crate) limit: Option<u32>,
    pub(crate) after: BTreeMap<String, AttributeValue>,
    pub(crate) consistent: bool,
}

/// Checks and binds them.
pub(crate) fn options(fields: Fields, binder: &mut Binder<'_>) -> Result<PageOptions, Error> {
    let projected = fields.projection.is_some();
    let conflict = Invalid::Conflict { field: "Select", other: "ProjectionExpression" };
    let count_only = match field::choice("Select", SELECT, fields.select)? {
        Select::Unspecified => false,
        Select::AllAttributes | Select::Count if projected => return Err(conflict.into()),
        Select::AllAttributes => false,
        Select::SpecificAttributes if projected => false,
        Select::SpecificAttributes => return Err(Invalid::Missing { field: "ProjectionExpression" }.into()),
        Select::Count => true,
    };
    if let Some(limit) = fields.limit {
        field::bounded("Limit", limit.into(), 1, u32::MAX.into())?;
    }
    let after = if fields.after.is_empty() {
        None
    } else {
        Some(convert::item_from(fields.after).map_err(Invalid::from)?)
    };
    Ok(PageOptions {
        filter: field::filter(binder, fields.filter.as_deref())?,
        projection: field::projection(binder, fields.projection.as_deref())?,
        count_only,
        limit: fields.limit.map(|limit| limit as usize),
        after,
        consistent: fields.consistent,
    })
}

/// A page as both responses show it.
pub(crate) struct Encoded {
    pub(crate) items: Vec<Item>,
    pub(crate) count: u64,
    pub(crate) scanned: u64,
    pub(crate) last: BTreeMap<String, AttributeValue>,
    pub(crate) rest: Option<(NodeId, KeyHash)>,
}

/// Shapes a page.
pub(crate) fn encode(result: Result<Answer, Error>) -> Result<Encoded, Error> {
    match result? {
        Answer::Item(Outcome::Page(Page { items, count, scanned, last, rest })) => Ok(Encoded {
            items: items.into_iter().map(|item| Item { attributes: convert::item_into(item) }).collect(),
            count,
            scanned,
            last: last.map(convert::item_into).unwrap_or_default(),
            rest,
        }),
        other => unreachable!("Query and Scan are answered by Page, not by {other:?}"),
    }
}
