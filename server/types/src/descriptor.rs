//! What a table is: its name, its key, where it is replicated and how far its creation has come.

use crate::{RegionName, TableId, TableName};

/// The types a key attribute may have (DynamoDB allows no others).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KeyType {
    /// A string.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

/// One attribute of a table's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyAttribute {
    /// The attribute's name, 1 to 255 bytes.
    pub name: String,
    /// The type its values must have.
    pub key_type: KeyType,
}

/// A table's key: a partition key, or a partition key and a sort key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeySchema {
    /// Hashed to choose the partition.
    pub partition: KeyAttribute,
    /// Orders the items that share a partition key.
    pub sort: Option<KeyAttribute>,
}

impl KeySchema {
    /// Whether an attribute of this name belongs to the key.
    pub fn has(&self, name: &str) -> bool {
        self.partition.name == name || self.sort.as_ref().is_some_and(|sort| sort.name == name)
    }

    /// The key's attributes, partition key first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(self.sort.as_ref())
    }
}

/// How far a table has come (DynamoDB's `TableStatus`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TableState {
    /// Decided by its origin, not yet confirmed by every named region.
    Creating,
    /// Confirmed everywhere: readable and writable.
    Active,
    /// A region was told to delete it; not every region has.
    Deleting,
}

/// A table as every region knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableDescriptor {
    /// Never reused, unlike the name.
    pub id: TableId,
    /// Unique among the tables of a region.
    pub name: TableName,
    /// Fixed at creation.
    pub key: KeySchema,
    /// The regions that hold a copy, sorted.
    pub regions: Vec<RegionName>,
    /// How many partitions each region's copy was created with.
    pub partitions: u32,
    /// How far it has come.
    pub state: TableState,
}
