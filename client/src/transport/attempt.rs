//! One attempt of a call, and what its status says.

use std::error::Error as _;

use prost::Message;
use prost::bytes::Bytes;
use proto::v1::meridian_client::MeridianClient;
use proto::v1::{ErrorDetail, SessionOperation};
use proto::{ANSWERED_BY, detail};
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, ConnectError, Request, Response, Status};
use types::limits::{MESSAGE_BYTES_MAX, RETRY_AFTER_MS, SESSION_CALL_OVERHEAD_BYTES, SESSION_FRAME_BYTES};

use super::connection::Endpoint;
use super::session::{self, Lost};
use crate::error::{Cause, Refusal};
use crate::failure::Failure;

/// The largest request that a session's frame can carry, behind whatever is in it already.
const CALL_BYTES_MAX: usize = MESSAGE_BYTES_MAX - SESSION_FRAME_BYTES - SESSION_CALL_OVERHEAD_BYTES;

/// What a server says that has too much to do.
const THROTTLED: &str = "ThrottlingException";

/// What a server says that cannot find who leads, so that nothing was begun.
const LED_BY_NOBODY: &str = "ServiceUnavailable";

/// A response, and the node that gave it if it was not the one that was asked.
#[derive(Debug)]
pub(super) struct Answered<R> {
    /// The response.
    pub(super) response: R,
    /// The node that gave it; 0 if it was the one that was asked.
    pub(super) node: u64,
}

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What it means for the next one.
    pub(super) failure: Failure,
    /// Whether the endpoint as a whole did not answer.
    pub(super) blames_endpoint: bool,
    /// Whether the server took it in, if the server answered.
    pub(super) taken: Option<bool>,
    /// The node that leads, where it is another one than the one that was asked; 0 if the server could not
    /// find who does.
    pub(super) elsewhere: Option<u64>,
    /// For the caller.
    pub(super) cause: Cause,
}

impl Attempt {
    /// Whether the server refused it, or would have, for what else there was to do.
    pub(super) fn is_throttled(&self) -> bool {
        matches!(&self.cause, Cause::Server(refusal) if refusal.name == THROTTLED)
    }
}

/// Sends a request once as a unary call, with what is left of the deadline.
pub(super) async fn unary<Q, R, F, A>(
    endpoint: &Endpoint,
    deadline: Instant,
    request: Q,
    method: &F,
) -> Result<Answered<R>, Attempt>
where
    F: Fn(MeridianClient<Channel>, Request<Q>) -> A,
    A: Future<Output = Result<Response<R>, Status>>,
{
    let mut request = Request::new(request);
    request.set_timeout(deadline.saturating_duration_since(Instant::now()));
    match tokio::time::timeout_at(deadline, method(endpoint.client(), request)).await {
        Ok(Ok(response)) => {
            let node = response.metadata().get(ANSWERED_BY).and_then(|node| node.to_str().ok()?.parse().ok());
            Ok(Answered { response: response.into_inner(), node: node.unwrap_or(0) })
        }
        Ok(Err(status)) => Err(read(endpoint, &status)),
        Err(_) => Err(late(endpoint)),
    }
}

/// Makes a call once on a session, with what is left of the deadline.
pub(super) async fn on_session<R: Message + Default>(
    endpoint: &Endpoint,
    deadline: Instant,
    operation: SessionOperation,
    request: Bytes,
) -> Result<Answered<R>, Attempt> {
    if request.len() > CALL_BYTES_MAX {
        return Err(too_large(request.len()));
    }
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1);
    let session = endpoint.session();
    let call = session::call(operation.into(), timeout_ms, request);
    let answer = match tokio::time::timeout_at(deadline, session.exchange(call)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(lost)) => return Err(lost_attempt(endpoint, &lost)),
        Err(_) => return Err(late(endpoint)),
    };
    let node = answer.node;
    match answer.error {
        None => match R::decode(answer.response) {
            Ok(response) => Ok(Answered { response, node }),
            Err(error) => Err(Attempt {
                failure: Failure::Unknown,
                blames_endpoint: false,
                taken: Some(true),
                elsewhere: None,
                cause: Cause::Connection { endpoint: endpoint.text.clone(), message: error.to_string() },
            }),
        },
        Some(detail) => {
            let failure = Failure::of(true, Some(&detail));
            let blames_endpoint = failure.blames_endpoint(Some(&detail));
            let taken = Some(is_taken(&detail));
            let elsewhere = elsewhere(&detail).or((node != 0).then_some(node));
            let cause = Cause::Server(Refusal::from(detail));
            Err(Attempt { failure, blames_endpoint, taken, elsewhere, cause })
        }
    }
}

fn late(endpoint: &Endpoint) -> Attempt {
    Attempt {
        failure: Failure::Unknown,
        blames_endpoint: true,
        taken: None,
        elsewhere: None,
        cause: Cause::Deadline { endpoint: endpoint.text.clone() },
    }
}

/// A call without an answer, because its session has none to give any more. What ended the session speaks of
/// no call in it: one that was sent may have been done (`P3`).
fn lost_attempt(endpoint: &Endpoint, lost: &Lost) -> Attempt {
    let cause = match &lost.status {
        Some(status) => read(endpoint, status).cause,
        None => Cause::Connection {
            endpoint: endpoint.text.clone(),
            message: "the server ended the session".to_owned(),
        },
    };
    let failure = if lost.sent { Failure::Unknown } else { Failure::NotSent };
    Attempt { failure, blames_endpoint: true, taken: None, elsewhere: None, cause }
}

/// A call that no frame can carry: it would end the session for all others.
fn too_large(bytes: usize) -> Attempt {
    let refusal = Refusal {
        name: "SerializationException".to_owned(),
        message: format!("the request has {bytes} bytes: the limit is {CALL_BYTES_MAX}"),
        field: String::new(),
    };
    let cause = Cause::Server(refusal);
    Attempt { failure: Failure::Refused, blames_endpoint: false, taken: None, elsewhere: None, cause }
}

/// A call that is not sent, since the server would most likely refuse it.
pub(super) fn held_back() -> Attempt {
    let refusal = Refusal {
        name: THROTTLED.to_owned(),
        message: "held back: the server refuses much of what it is sent".to_owned(),
        field: String::new(),
    };
    Attempt {
        failure: Failure::NotDone { retry_after_ms: RETRY_AFTER_MS },
        blames_endpoint: false,
        taken: None,
        elsewhere: None,
        cause: Cause::Server(refusal),
    }
}

/// Whether a server that answered so had room for the call.
fn is_taken(detail: &ErrorDetail) -> bool {
    detail.name != THROTTLED
}

/// Whom a server names in its stead; 0 if it would have to name somebody and cannot.
fn elsewhere(detail: &ErrorDetail) -> Option<u64> {
    (detail.node != 0 || detail.name == LED_BY_NOBODY).then_some(detail.node)
}

fn read(endpoint: &Endpoint, status: &Status) -> Attempt {
    let detail = detail::decode(status.details());
    let connected = !is_connect_error(status);
    let mut failure = Failure::of(connected, detail.as_ref());
    // tonic refuses by itself what it cannot route or decode; nothing was done, and nothing would be.
    let is_ours = detail.is_some();
    let refused = matches!(status.code(), Code::Unimplemented | Code::InvalidArgument | Code::OutOfRange);
    if connected && !is_ours && refused {
        failure = Failure::Refused;
    }
    let blames_endpoint = failure.blames_endpoint(detail.as_ref());
    let taken = detail.as_ref().map(is_taken);
    let elsewhere = detail.as_ref().and_then(elsewhere);
    let cause = match detail {
        Some(detail) => Cause::Server(Refusal::from(detail)),
        None if failure == Failure::Refused => Cause::Server(Refusal {
            name: status.code().description().to_owned(),
            message: status.message().to_owned(),
            field: String::new(),
        }),
        None if status.code() == Code::DeadlineExceeded => {
            Cause::Deadline { endpoint: endpoint.text.clone() }
        }
        None => Cause::Connection { endpoint: endpoint.text.clone(), message: innermost(status) },
    };
    Attempt { failure, blames_endpoint, taken, elsewhere, cause }
}

/// Whether a status tells of a connection that could not be opened, so that nothing was sent.
pub fn is_connect_error(status: &Status) -> bool {
    chain(status).any(|error| error.is::<ConnectError>())
}

/// The innermost message: "connection refused" rather than "transport error".
fn innermost(status: &Status) -> String {
    let inner = chain(status).last().map(ToString::to_string);
    inner.unwrap_or_else(|| status.message().to_owned())
}

fn chain(status: &Status) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(status.source(), |error| (*error).source())
}
