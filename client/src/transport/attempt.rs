//! One attempt of a call, and what its status says.

use std::error::Error as _;

use proto::detail;
use proto::v1::meridian_client::MeridianClient;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, ConnectError, Request, Response, Status};

use super::connection::Endpoint;
use crate::error::{Cause, Refusal};
use crate::failure::Failure;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What it means for the next one.
    pub(super) failure: Failure,
    /// Whether the endpoint as a whole did not answer.
    pub(super) blames_endpoint: bool,
    /// For the caller.
    pub(super) cause: Cause,
}

/// Sends a request once, with what is left of the deadline.
pub(super) async fn make<Q, R, F, A>(
    endpoint: &Endpoint,
    deadline: Instant,
    request: Q,
    method: &F,
) -> Result<R, Attempt>
where
    F: Fn(MeridianClient<Channel>, Request<Q>) -> A,
    A: Future<Output = Result<Response<R>, Status>>,
{
    let mut request = Request::new(request);
    request.set_timeout(deadline.saturating_duration_since(Instant::now()));
    match tokio::time::timeout_at(deadline, method(endpoint.client(), request)).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(read(endpoint, &status)),
        Err(_) => Err(Attempt {
            failure: Failure::Unknown,
            blames_endpoint: true,
            cause: Cause::Deadline { endpoint: endpoint.text.clone() },
        }),
    }
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
    Attempt { failure, blames_endpoint, cause }
}

/// Whether a status tells of a connection that could not be opened, so that nothing was sent.
fn is_connect_error(status: &Status) -> bool {
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
