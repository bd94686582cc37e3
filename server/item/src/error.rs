//! Why an operation was refused.
//!
//! Client errors name the field and the limit, retryable ones say what is known. Fatal errors have no place
//! here: a node that meets one stops, and its callers see a broken connection.

use types::{InvalidName, TableName};

use crate::Item;

/// Whether and how a caller may try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The request itself must change.
    Client,
    /// The same request may succeed later; nothing was done.
    Retryable,
    /// It may have been done; only a retry under the same request id is safe.
    Unknown,
}

/// Why an operation did not succeed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Error {
    /// DynamoDB's `ValidationException`.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// DynamoDB's `ConditionalCheckFailedException`.
    #[error("The conditional request failed")]
    ConditionFailed {
        /// The stored item, when the request asked for it and there is one.
        item: Option<Box<Item>>,
    },
    /// DynamoDB's `ResourceNotFoundException`.
    #[error("Table not found: {name}")]
    TableNotFound {
        /// The table.
        name: TableName,
    },
    /// DynamoDB's `ResourceInUseException`: exists already, or is being created or deleted.
    #[error("Table is in use: {name}")]
    TableInUse {
        /// The table.
        name: TableName,
    },
    /// DynamoDB's `LimitExceededException`.
    #[error("too many tables: the limit is {limit}")]
    TooManyTables {
        /// How many a region may have.
        limit: usize,
    },
    /// A region that is neither this one nor a peer of it.
    #[error("unknown region: {name}")]
    UnknownRegion {
        /// The name given.
        name: types::RegionName,
    },
    /// A node that the region does not have, or not any more.
    #[error("unknown node: {}", node.0)]
    UnknownNode {
        /// The number given.
        node: types::NodeId,
    },
    /// A node that lives and holds replicas cannot be removed.
    #[error("node {} lives and holds {replicas} replicas: drain it first", node.0)]
    NodeInUse {
        /// Which node.
        node: types::NodeId,
        /// How many it holds.
        replicas: u64,
    },
    /// Without this node, what the others know would not be a majority's word any more.
    #[error("node {} is needed: without it no majority of the nodes lives", node.0)]
    NodeNeeded {
        /// Which node.
        node: types::NodeId,
    },
    /// A region has no room for another node.
    #[error("too many nodes: the limit is {limit}")]
    TooManyNodes {
        /// How many a region may have.
        limit: usize,
    },
    /// What only nodes may ask, asked by somebody who has not proved to be one.
    #[error("only nodes may ask this: the caller lacks {lacks}")]
    AccessDenied {
        /// What would prove it.
        lacks: &'static str,
    },
    /// A replica of the partition is being moved.
    #[error("partition {} is being moved", partition.0)]
    PartitionInMotion {
        /// Which partition.
        partition: types::GroupId,
    },
    /// Nothing was proposed; another replica leads.
    #[error("not the leader of this partition")]
    NotLeader,
    /// Nothing was proposed; another node, as far as this one knows, can answer.
    #[error("not the leader of this partition: ask node {}", node.0)]
    Elsewhere {
        /// Which node.
        node: types::NodeId,
    },
    /// A queue was full; nothing was proposed.
    #[error("overloaded: try again in {retry_after_ms} ms")]
    Overloaded {
        /// How long to wait at least.
        retry_after_ms: u64,
    },
    /// A node has too little room for what grows; nothing was proposed. It reads and deletes.
    #[error(
        "the disk of node {} is nearly full: {} MiB are free and {} MiB must be; deletes and reads go on",
        node.0, free_bytes >> 20, needed_bytes >> 20
    )]
    StorageFull {
        /// Which node.
        node: types::NodeId,
        /// What is free, in bytes.
        free_bytes: u64,
        /// What must be free before it takes such writes again, in bytes.
        needed_bytes: u64,
    },
    /// The deadline passed before the request was decided; nothing was proposed.
    #[error("the deadline passed before the request was begun")]
    DeadlinePassed,
    /// Raft accepted the write and its fate is not known (`P3`).
    #[error("the write may or may not have happened")]
    OutcomeUnknown,
    /// A request id was used before, for another write.
    #[error("RequestId was used before with another payload")]
    RequestMismatch,
}

impl Error {
    /// Whether and how to try again.
    pub fn kind(&self) -> Kind {
        match self {
            Error::NotLeader | Error::Elsewhere { .. } => Kind::Retryable,
            Error::Overloaded { .. } | Error::StorageFull { .. } => Kind::Retryable,
            Error::DeadlinePassed => Kind::Retryable,
            Error::OutcomeUnknown => Kind::Unknown,
            _ => Kind::Client,
        }
    }
}

/// Why a request was refused before it touched anything: each names the field and the limit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Invalid {
    /// A table's or region's name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// An expression.
    #[error(transparent)]
    Expression(#[from] crate::expression::Error),
    /// A number's text.
    #[error(transparent)]
    Number(#[from] crate::number::InvalidNumber),
    /// An attribute or key.
    #[error(transparent)]
    Attribute(#[from] crate::validate::InvalidAttribute),
    /// DynamoDB JSON or plain JSON.
    #[error(transparent)]
    Json(#[from] crate::json::InvalidJson),
    /// A parameter of the request outside its range.
    #[error("{field} must be between {min} and {max}, got {got}")]
    Range {
        /// The parameter's name in the request.
        field: &'static str,
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
        /// What was given.
        got: u64,
    },
    /// A parameter that the request needs.
    #[error("{field} is required")]
    Missing {
        /// The parameter's name in the request.
        field: &'static str,
    },
    /// Two parameters, or two parts of one, that exclude each other.
    #[error("{field} cannot be combined with {other}")]
    Conflict {
        /// One.
        field: &'static str,
        /// The other.
        other: &'static str,
    },
    /// The same key, name or value given twice.
    #[error("{field} contains duplicates")]
    Duplicate {
        /// The parameter's name in the request.
        field: &'static str,
    },
    /// A parameter that is none of the words it may be.
    #[error("{field} must be {allowed}")]
    Choice {
        /// The parameter's name in the request.
        field: &'static str,
        /// In words.
        allowed: &'static str,
    },
}
