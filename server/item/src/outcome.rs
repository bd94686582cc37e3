//! What an operation came to, before any interface gives it its shape.

use std::collections::BTreeMap;

use types::TableName;
use types::command::{ClusterAnswer, RegionAnswer, TableAnswer};

use crate::operation::{BatchWriteEntry, KeysAndOptions};
use crate::{Item, Stored, size};

/// The answer to a `Command`.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To an item operation.
    Item(Outcome),
    /// To a table command.
    Table(TableAnswer),
    /// To a region command.
    Region(RegionAnswer),
    /// To a cluster command.
    Cluster(ClusterAnswer),
}

impl Answer {
    /// About how many bytes the items in it take, by DynamoDB's rules.
    pub fn bytes(&self) -> usize {
        let Answer::Item(outcome) = self else { return 0 };
        match outcome {
            Outcome::Item(item) | Outcome::Written(item) => item.as_ref().map_or(0, size::item_size),
            Outcome::Stored(item) => item.as_ref().map_or(0, |item| item.bytes().len()),
            Outcome::Page(page) => page.items.iter().map(size::item_size).sum(),
            Outcome::Got(got) => got.items.values().flatten().map(size::item_size).sum(),
            Outcome::Wrote(_) => 0,
        }
    }
}

/// The answer to an `Operation` that succeeded.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// To `Get` with a projection: what it keeps of the item, if there is one.
    Item(Option<Item>),
    /// To `Get` of a whole item: the item, if there is one.
    Stored(Option<Stored>),
    /// To `Put`, `Update` and `Delete`: what `ReturnValues` asked for, if there was anything.
    Written(Option<Item>),
    /// To `Query` and `Scan`.
    Page(Page),
    /// To `BatchGet`.
    Got(BatchGot),
    /// To `BatchWrite`: what was not done and should be sent again.
    Wrote(BTreeMap<TableName, Vec<BatchWriteEntry>>),
}

/// One page of a query or scan.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page {
    /// The items that passed the filter; empty when only the count was asked for.
    pub items: Vec<Item>,
    /// How many passed.
    pub count: u64,
    /// How many were read.
    pub scanned: u64,
    /// Where to continue; absent when nothing is left.
    pub last: Option<Item>,
    /// A page that found nothing where it was read: who holds what follows, and the first hash of it.
    pub rest: Option<(types::NodeId, types::KeyHash)>,
}

/// What a `BatchGetItem` found.
#[derive(Clone, Debug, Default)]
pub struct BatchGot {
    /// By table, in no particular order.
    pub items: BTreeMap<TableName, Vec<Item>>,
    /// What was not read and should be asked for again.
    pub unprocessed: BTreeMap<TableName, KeysAndOptions>,
}
