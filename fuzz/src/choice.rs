//! How the first byte of an input chooses a form for the rest of it.

use types::{KeyAttribute, KeySchema, KeyType};

const TYPES: [KeyType; 3] = [KeyType::S, KeyType::N, KeyType::B];

/// The key schemas of all types, with and without a sort key: 18, and the same again beyond them.
pub fn key_schema(choice: u8) -> KeySchema {
    let attribute = |name: &str, choice: u8| KeyAttribute {
        name: name.to_owned(),
        key_type: TYPES[usize::from(choice) % TYPES.len()],
    };
    let sort = (choice & 1 == 1).then(|| attribute("sort", choice / 6));
    KeySchema { partition: attribute("partition", choice / 2), sort }
}

/// The requests of the public API that become commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named as the request is")]
pub enum Request {
    PutItem,
    GetItem,
    UpdateItem,
    DeleteItem,
    Query,
    Scan,
    BatchGetItem,
    BatchWriteItem,
    CreateTable,
    DescribeTable,
    ListTables,
    DeleteTable,
    DigestTable,
    ListVersions,
    PauseRegion,
    ResumeRegion,
    DescribeRegion,
    JoinNode,
    ListNodes,
    DrainNode,
    ResumeNode,
    RemoveNode,
    ListPartitions,
    MovePartition,
    SplitPartition,
    DescribeRoutes,
}

impl Request {
    /// All of them, each at the place of its number.
    pub const ALL: [Request; 26] = [
        Request::PutItem,
        Request::GetItem,
        Request::UpdateItem,
        Request::DeleteItem,
        Request::Query,
        Request::Scan,
        Request::BatchGetItem,
        Request::BatchWriteItem,
        Request::CreateTable,
        Request::DescribeTable,
        Request::ListTables,
        Request::DeleteTable,
        Request::DigestTable,
        Request::ListVersions,
        Request::PauseRegion,
        Request::ResumeRegion,
        Request::DescribeRegion,
        Request::JoinNode,
        Request::ListNodes,
        Request::DrainNode,
        Request::ResumeNode,
        Request::RemoveNode,
        Request::ListPartitions,
        Request::MovePartition,
        Request::SplitPartition,
        Request::DescribeRoutes,
    ];

    /// The request that a first byte chooses.
    pub fn of(choice: u8) -> Request {
        Request::ALL[usize::from(choice) % Request::ALL.len()]
    }
}
