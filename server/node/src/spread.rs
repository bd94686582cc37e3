//! Batches whose parts are led by several nodes: each node in turn does what it can, and the rest goes on.
//!
//! A part that no node could do is handed back as unprocessed, as DynamoDB does. Once nobody knows whether a
//! part was done, the whole batch is told so (`P3`).

use std::time::Instant;

use prost::Message;
use prost::bytes::Bytes;
use proto::v1::{
    BatchGetItemRequest, BatchGetItemResponse, BatchWriteItemRequest, BatchWriteItemResponse, ErrorDetail,
    ErrorKind, SessionAnswer, SessionOperation,
};

use tonic::Status;

use crate::call::Call;
use crate::forward::Forward;

/// The answer to a batch.
pub trait Batch: Message + Default + 'static {
    /// The request that it answers.
    type Request: Message + Clone + 'static;
    /// The call that it answers.
    const CALL: Call;

    /// What was not done, as a request; `None` if nothing is left.
    fn rest(&self) -> Option<Self::Request>;

    /// Takes in the answer to `rest`.
    fn join(&mut self, later: Self);
}

impl Batch for BatchGetItemResponse {
    type Request = BatchGetItemRequest;
    const CALL: Call = Call::BatchGetItem;

    fn rest(&self) -> Option<BatchGetItemRequest> {
        let rest = self.unprocessed_keys.clone();
        (!rest.is_empty()).then_some(BatchGetItemRequest { request_items: rest })
    }

    fn join(&mut self, later: Self) {
        for table in later.responses {
            match self.responses.iter_mut().find(|mine| mine.table_name == table.table_name) {
                Some(mine) => mine.items.extend(table.items),
                None => self.responses.push(table),
            }
        }
        self.unprocessed_keys = later.unprocessed_keys;
    }
}

impl Batch for BatchWriteItemResponse {
    type Request = BatchWriteItemRequest;
    const CALL: Call = Call::BatchWriteItem;

    fn rest(&self) -> Option<BatchWriteItemRequest> {
        let rest = self.unprocessed_items.clone();
        (!rest.is_empty()).then_some(BatchWriteItemRequest { request_items: rest })
    }

    fn join(&mut self, later: Self) {
        self.unprocessed_items = later.unprocessed_items;
    }
}

/// Passes on what a batch left over, from node to node; fails as soon as a part does for good, or may have
/// been done.
pub async fn pass_on<B: Batch>(forward: &Forward, mut answer: B, until: Instant) -> Result<B, Status> {
    for node in forward.nodes() {
        let Some(rest) = answer.rest() else { break };
        let time = until.saturating_duration_since(Instant::now());
        match forward.unary::<_, B>(node, B::CALL, rest, time).await {
            Ok(later) => answer.join(later.into_inner()),
            // Nothing came of it, and another node may do better.
            Err(status) if detail(&status).kind() == ErrorKind::Retryable => {}
            Err(status) => return Err(status),
        }
    }
    Ok(answer)
}

/// What a status says of an error; nothing, if it was not one of ours.
pub fn detail(status: &Status) -> ErrorDetail {
    proto::detail::decode(status.details()).unwrap_or_default()
}

/// Likewise for a session's call, whose answer is encoded already; `None` if nothing is left over.
pub fn left_over(operation: SessionOperation, response: &Bytes) -> Option<Left> {
    let left = match operation {
        SessionOperation::BatchGetItem => Left::Get(BatchGetItemResponse::decode(response.clone()).ok()?),
        SessionOperation::BatchWriteItem => {
            Left::Write(BatchWriteItemResponse::decode(response.clone()).ok()?)
        }
        _ => return None,
    };
    let is_whole = match &left {
        Left::Get(answer) => answer.unprocessed_keys.is_empty(),
        Left::Write(answer) => answer.unprocessed_items.is_empty(),
    };
    (!is_whole).then_some(left)
}

/// An answer that is not whole.
pub enum Left {
    /// To a `BatchGetItem`.
    Get(BatchGetItemResponse),
    /// To a `BatchWriteItem`.
    Write(BatchWriteItemResponse),
}

impl Left {
    /// Passes on what is left over, and answers the session's call.
    pub async fn pass_on(self, forward: &Forward, id: u32, until: Instant) -> SessionAnswer {
        let encoded = match self {
            Left::Get(answer) => pass_on(forward, answer, until).await.map(|all| all.encode_to_vec()),
            Left::Write(answer) => pass_on(forward, answer, until).await.map(|all| all.encode_to_vec()),
        };
        match encoded {
            Ok(response) => SessionAnswer { id, response: response.into(), ..Default::default() },
            Err(status) => SessionAnswer { id, error: Some(detail(&status)), ..Default::default() },
        }
    }
}
