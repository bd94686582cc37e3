//! What a client asks of items, decoded and checked in form; the same whichever interface it came by.
//!
//! An operation holds no text to parse: expressions are parsed and bound by whoever decodes the request.

use std::collections::BTreeMap;

use types::command::{ClusterCommand, RegionCommand, TableCommand};
use types::{RequestId, TableName};

use crate::Item;
use crate::expression::{Condition, KeyCondition, Projection, Update};

/// Anything a client may ask of a region.
#[derive(Clone, Debug)]
pub enum Command {
    /// About items.
    Item(Operation),
    /// About tables.
    Table(TableCommand),
    /// About links between regions.
    Region(RegionCommand),
    /// About the nodes of a region.
    Cluster(ClusterCommand),
}

/// One of DynamoDB's item operations.
#[derive(Clone, Debug)]
pub enum Operation {
    /// `GetItem`.
    Get(Get),
    /// `PutItem`.
    Put(Put),
    /// `UpdateItem`.
    Update(UpdateItem),
    /// `DeleteItem`.
    Delete(Delete),
    /// `Query`.
    Query(Query),
    /// `Scan`.
    Scan(Scan),
    /// `BatchGetItem`.
    BatchGet(BatchGet),
    /// `BatchWriteItem`.
    BatchWrite(BatchWrite),
}

impl Operation {
    /// Whether it answers with items and changes none.
    pub fn reads(&self) -> bool {
        match self {
            Operation::Get(_) | Operation::Query(_) | Operation::Scan(_) | Operation::BatchGet(_) => true,
            Operation::Put(_) | Operation::Update(_) | Operation::Delete(_) | Operation::BatchWrite(_) => {
                false
            }
        }
    }
}

/// What a write returns (DynamoDB's `ReturnValue`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReturnValues {
    /// Nothing.
    #[default]
    None,
    /// The whole item before the write.
    AllOld,
    /// The updated attributes before the write.
    UpdatedOld,
    /// The whole item after the write.
    AllNew,
    /// The updated attributes after the write.
    UpdatedNew,
}

/// What every single-item write has beside its target.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Refuses the write when it does not hold.
    pub condition: Option<Condition>,
    /// What to return when the write succeeds.
    pub return_values: ReturnValues,
    /// Whether a failed condition returns the stored item.
    pub return_on_failure: bool,
    /// Under which the outcome is remembered (`P3`).
    pub request: Option<RequestId>,
}

/// `GetItem`.
#[derive(Clone, Debug)]
pub struct Get {
    /// The table.
    pub table: TableName,
    /// The key's attributes, no others.
    pub key: Item,
    /// Whether to read at the leader.
    pub consistent: bool,
    /// Which parts of the item to return; all when absent.
    pub projection: Option<Projection>,
}

/// `PutItem`.
#[derive(Clone, Debug)]
pub struct Put {
    /// The table.
    pub table: TableName,
    /// The whole new item.
    pub item: Item,
    /// Condition, return values, request id.
    pub options: WriteOptions,
}

/// `UpdateItem`.
#[derive(Clone, Debug)]
pub struct UpdateItem {
    /// The table.
    pub table: TableName,
    /// The key's attributes, no others.
    pub key: Item,
    /// What to change; absent, the item is created with its key alone or left as it is.
    pub update: Option<Update>,
    /// Condition, return values, request id.
    pub options: WriteOptions,
}

/// `DeleteItem`.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The table.
    pub table: TableName,
    /// The key's attributes, no others.
    pub key: Item,
    /// Condition, return values, request id.
    pub options: WriteOptions,
}

/// What `Query` and `Scan` share: how to read a page and what to keep of it.
#[derive(Clone, Debug, Default)]
pub struct PageOptions {
    /// Keeps items for which it holds, after they were counted as scanned.
    pub filter: Option<Condition>,
    /// Which parts of the items to return; all when absent.
    pub projection: Option<Projection>,
    /// Whether only the count is wanted (`Select: COUNT`).
    pub count_only: bool,
    /// At most this many items are read, before the filter; at least 1.
    pub limit: Option<usize>,
    /// Continue after this key (`ExclusiveStartKey`).
    pub after: Option<Item>,
    /// Whether to read at the leader.
    pub consistent: bool,
}

/// `Query`.
#[derive(Clone, Debug)]
pub struct Query {
    /// The table.
    pub table: TableName,
    /// Which partition key, and which of its sort keys.
    pub condition: KeyCondition,
    /// Whether sort keys ascend.
    pub forward: bool,
    /// The rest.
    pub page: PageOptions,
}

/// `Scan`.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The table.
    pub table: TableName,
    /// Which of how many segments; absent, the whole table.
    pub segment: Option<(u32, u32)>,
    /// The least hash to read, where nodes have found nothing below it.
    pub from: Option<types::KeyHash>,
    /// The rest.
    pub page: PageOptions,
}

/// The keys that a `BatchGetItem` wants of one table.
#[derive(Clone, Debug)]
pub struct KeysAndOptions {
    /// The keys, without duplicates.
    pub keys: Vec<Item>,
    /// Whether to read at the leader.
    pub consistent: bool,
    /// Which parts of the items to return.
    pub projection: Option<Projection>,
}

/// `BatchGetItem`: at most 100 keys in all.
#[derive(Clone, Debug)]
pub struct BatchGet {
    /// By table.
    pub tables: BTreeMap<TableName, KeysAndOptions>,
}

/// One write of a batch: unconditional, nothing returned.
#[derive(Clone, PartialEq, Debug)]
pub enum BatchWriteEntry {
    /// Puts a whole item.
    Put(Item),
    /// Deletes the item of a key.
    Delete(Item),
}

/// `BatchWriteItem`: at most 25 writes in all.
#[derive(Clone, Debug)]
pub struct BatchWrite {
    /// By table, in the order given.
    pub tables: BTreeMap<TableName, Vec<BatchWriteEntry>>,
}
