//! Scans over what several nodes hold: a page that found nothing where it was read is read on where the next
//! partition is, until one finds something or nothing is left.
//!
//! A page that found something ends there, so each is read by one node. Each step begins at a greater hash
//! than the one before, so they come to an end.

use std::time::Instant;

use prost::Message;
use prost::bytes::Bytes;
use proto::v1::{ScanRequest, ScanResponse, SessionAnswer};
use tonic::Status;
use types::NodeId;

use crate::call::Call;
use crate::persist::Ways;
use crate::{expressions, service, spread};

/// What a page says of where to read on; the rest of it is not looked at.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct Rest {
    #[prost(uint64, optional, tag = "100")]
    rest_node: Option<u64>,
    #[prost(fixed64, optional, tag = "101")]
    rest_hash: Option<u64>,
}

/// Reads on behind a page that found nothing.
pub async fn page(
    ways: &Ways,
    mut request: ScanRequest,
    mut page: ScanResponse,
    until: Instant,
) -> Result<ScanResponse, Status> {
    while let Some(node) = page.rest_node.take() {
        request.from_hash = page.rest_hash;
        page = ask(ways, NodeId(node), request.clone(), until).await?;
    }
    page.rest_hash = None;
    Ok(page)
}

/// Whether a session's answer to a scan is a page that found nothing, with more elsewhere.
pub fn goes_on(answer: &Bytes) -> bool {
    Rest::decode(answer.clone()).is_ok_and(|rest| rest.rest_node.is_some())
}

/// Likewise for a session's call, whose request and answer are encoded.
pub async fn answer(ways: &Ways, request: Bytes, answer: SessionAnswer, until: Instant) -> SessionAnswer {
    if answer.error.is_some() || !goes_on(&answer.response) {
        return answer;
    }
    let id = answer.id;
    let decoded = ScanRequest::decode(request).ok().zip(ScanResponse::decode(answer.response).ok());
    let (request, first) = decoded.expect("both were taken in or made here");
    match page(ways, request, first, until).await {
        Ok(page) => SessionAnswer { id, response: page.encode_to_vec().into(), ..Default::default() },
        Err(status) => SessionAnswer { id, error: Some(spread::detail(&status)), ..Default::default() },
    }
}

/// Asks another node, or this one, if it holds what follows itself.
async fn ask(
    ways: &Ways,
    node: NodeId,
    request: ScanRequest,
    until: Instant,
) -> Result<ScanResponse, Status> {
    let time = until.saturating_duration_since(Instant::now());
    if ways.forward.nodes().contains(&node) {
        return ways.forward.unary(node, Call::Scan, request, time).await.map(tonic::Response::into_inner);
    }
    let bytes = request.encoded_len();
    let refused = |error: item::Error| service::status(&error);
    let command = expressions::with(|cache| api::scan::decode(request, cache)).map_err(refused)?;
    let answered = ways.shard.ask_within(ways.clock, Call::Scan, command, time, bytes).await;
    api::scan::encode(answered).map_err(refused)
}
