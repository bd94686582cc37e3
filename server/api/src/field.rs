//! Fields that several requests have, decoded and checked. Errors call them by DynamoDB's names.

use std::collections::BTreeMap;

use item::error::Invalid;
use item::expression::{Binder, Cache, Condition, Projection, Substitutions};
use item::{Error, Item, validate};
use proto::convert;
use proto::v1;
use types::{HashRange, KeyHash, NodeId, RegionName, RequestId, TableName};

/// `TableName`.
pub(crate) fn table_name(name: String) -> Result<TableName, Error> {
    if name.is_empty() {
        return Err(Invalid::Missing { field: "TableName" }.into());
    }
    Ok(TableName::new(name).map_err(Invalid::from)?)
}

/// The name of a region.
pub(crate) fn region_name(name: String) -> Result<RegionName, Error> {
    Ok(RegionName::new(name).map_err(Invalid::from)?)
}

/// The number of a node.
pub(crate) fn node(field: &'static str, number: u64) -> Result<NodeId, Error> {
    bounded(field, number, 1, u64::MAX)?;
    Ok(NodeId(number))
}

/// A map of attributes that must not be empty: an item or a key. Its names, depth and size are checked here,
/// so that what is too large goes no further; the table's key is not known yet.
pub(crate) fn attributes(
    field: &'static str,
    attributes: BTreeMap<String, v1::AttributeValue>,
) -> Result<Item, Error> {
    if attributes.is_empty() {
        return Err(Invalid::Missing { field }.into());
    }
    let item = convert::item_from(attributes).map_err(Invalid::from)?;
    validate::check_item(&item, None).map_err(Invalid::from)?;
    Ok(item)
}

/// `RequestId`: 16 bytes, or none.
pub(crate) fn request_id(bytes: &[u8]) -> Result<Option<RequestId>, Error> {
    match <[u8; 16]>::try_from(bytes) {
        Ok(id) => Ok(Some(RequestId(id))),
        Err(_) if bytes.is_empty() => Ok(None),
        Err(_) => Err(range("RequestId", 16, 16, bytes.len() as u64)),
    }
}

/// `ExpressionAttributeNames` and `ExpressionAttributeValues`.
pub(crate) fn substitutions(
    names: BTreeMap<String, String>,
    values: BTreeMap<String, v1::AttributeValue>,
) -> Result<Substitutions, Error> {
    let values = convert::item_from(values).map_err(Invalid::from)?;
    Ok(Substitutions { names, values })
}

/// Begins to bind the expressions of a request.
pub(crate) fn binder<'r>(
    substitutions: &'r Substitutions,
    cache: &'r mut Cache,
) -> Result<Binder<'r>, Error> {
    Ok(Binder::new(substitutions, cache).map_err(Invalid::from)?)
}

/// Binds `ConditionExpression`, if there is one.
pub(crate) fn condition(binder: &mut Binder<'_>, text: Option<&str>) -> Result<Option<Condition>, Error> {
    Ok(text.map(|text| binder.condition(text)).transpose().map_err(Invalid::from)?)
}

/// Binds `FilterExpression`, if there is one.
pub(crate) fn filter(binder: &mut Binder<'_>, text: Option<&str>) -> Result<Option<Condition>, Error> {
    Ok(text.map(|text| binder.filter(text)).transpose().map_err(Invalid::from)?)
}

/// Binds `ProjectionExpression`, if there is one.
pub(crate) fn projection(binder: &mut Binder<'_>, text: Option<&str>) -> Result<Option<Projection>, Error> {
    Ok(text.map(|text| binder.projection(text)).transpose().map_err(Invalid::from)?)
}

/// Refuses names and values that no expression mentioned.
pub(crate) fn finish(binder: Binder<'_>) -> Result<(), Error> {
    Ok(binder.finish().map_err(Invalid::from)?)
}

/// Checks a number against its bounds, both included.
pub(crate) fn bounded(field: &'static str, got: u64, min: u64, max: u64) -> Result<(), Error> {
    if (min..=max).contains(&got) { Ok(()) } else { Err(range(field, min, max, got)) }
}

/// A part of the hash space; the whole when absent.
pub(crate) fn hash_range(range: Option<v1::HashRange>) -> Result<HashRange, Error> {
    let Some(range) = range else { return Ok(HashRange::ALL) };
    bounded("Range.Last", range.last, range.first, u64::MAX)?;
    Ok(HashRange { first: KeyHash(range.first), last: KeyHash(range.last) })
}

/// One of a few words; what is none of them is refused with the words.
pub(crate) fn choice<T: TryFrom<i32>>(
    field: &'static str,
    allowed: &'static str,
    number: i32,
) -> Result<T, Error> {
    T::try_from(number).map_err(|_| Invalid::Choice { field, allowed }.into())
}

fn range(field: &'static str, min: u64, max: u64, got: u64) -> Error {
    Invalid::Range { field, min, max, got }.into()
}
