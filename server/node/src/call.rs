//! The calls of the public API, as metrics and logs name them.

use proto::v1::SessionOperation;

/// A call of the public API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each is the call of its name")]
pub enum Call {
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
    DescribeRoutes,
    ListTables,
    DeleteTable,
    DigestTable,
    ListVersions,
    PauseRegion,
    ResumeRegion,
    DescribeRegion,
    Ping,
    JoinNode,
    ListNodes,
    DrainNode,
    ResumeNode,
    RemoveNode,
    ListPartitions,
    MovePartition,
    SplitPartition,
}

impl Call {
    /// The call that a session carries as this operation.
    pub fn of_session(operation: SessionOperation) -> Option<Call> {
        Some(match operation {
            SessionOperation::PutItem => Call::PutItem,
            SessionOperation::GetItem => Call::GetItem,
            SessionOperation::UpdateItem => Call::UpdateItem,
            SessionOperation::DeleteItem => Call::DeleteItem,
            SessionOperation::Query => Call::Query,
            SessionOperation::Scan => Call::Scan,
            SessionOperation::BatchGetItem => Call::BatchGetItem,
            SessionOperation::BatchWriteItem => Call::BatchWriteItem,
            SessionOperation::Ping => Call::Ping,
            SessionOperation::Unspecified => return None,
        })
    }

    /// All of them.
    pub const ALL: [Call; 27] = [
        Call::PutItem,
        Call::GetItem,
        Call::UpdateItem,
        Call::DeleteItem,
        Call::Query,
        Call::Scan,
        Call::BatchGetItem,
        Call::BatchWriteItem,
        Call::CreateTable,
        Call::DescribeTable,
        Call::DescribeRoutes,
        Call::ListTables,
        Call::DeleteTable,
        Call::DigestTable,
        Call::ListVersions,
        Call::PauseRegion,
        Call::ResumeRegion,
        Call::DescribeRegion,
        Call::Ping,
        Call::JoinNode,
        Call::ListNodes,
        Call::DrainNode,
        Call::ResumeNode,
        Call::RemoveNode,
        Call::ListPartitions,
        Call::MovePartition,
        Call::SplitPartition,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Call::PutItem => "PutItem",
            Call::GetItem => "GetItem",
            Call::UpdateItem => "UpdateItem",
            Call::DeleteItem => "DeleteItem",
            Call::Query => "Query",
            Call::Scan => "Scan",
            Call::BatchGetItem => "BatchGetItem",
            Call::BatchWriteItem => "BatchWriteItem",
            Call::CreateTable => "CreateTable",
            Call::DescribeTable => "DescribeTable",
            Call::DescribeRoutes => "DescribeRoutes",
            Call::ListTables => "ListTables",
            Call::DeleteTable => "DeleteTable",
            Call::DigestTable => "DigestTable",
            Call::ListVersions => "ListVersions",
            Call::PauseRegion => "PauseRegion",
            Call::ResumeRegion => "ResumeRegion",
            Call::DescribeRegion => "DescribeRegion",
            Call::Ping => "Ping",
            Call::JoinNode => "JoinNode",
            Call::ListNodes => "ListNodes",
            Call::DrainNode => "DrainNode",
            Call::ResumeNode => "ResumeNode",
            Call::RemoveNode => "RemoveNode",
            Call::ListPartitions => "ListPartitions",
            Call::MovePartition => "MovePartition",
            Call::SplitPartition => "SplitPartition",
        }
    }

    /// Whether it changes anything, so that without an answer nobody knows what became of it (`P3`).
    pub fn changes(self) -> bool {
        match self {
            Call::PutItem | Call::UpdateItem | Call::DeleteItem | Call::BatchWriteItem => true,
            Call::CreateTable | Call::DeleteTable | Call::PauseRegion | Call::ResumeRegion => true,
            Call::JoinNode | Call::DrainNode | Call::ResumeNode | Call::RemoveNode => true,
            Call::MovePartition | Call::SplitPartition => true,
            Call::GetItem | Call::Query | Call::Scan | Call::BatchGetItem => false,
            Call::DescribeTable | Call::ListTables | Call::DigestTable | Call::ListVersions => false,
            Call::DescribeRoutes
            | Call::DescribeRegion
            | Call::Ping
            | Call::ListNodes
            | Call::ListPartitions => false,
        }
    }
}
