//! The fake region's sessions: each call is the unary call of its name, one after another.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use prost::Message;
use prost::bytes::Bytes;
use proto::detail;
use proto::v1::meridian_server::Meridian;
use proto::v1::*;
use tonic::{Request, Response, Status, Streaming};

use super::service::Service;

/// How a session ends that does not answer its next call.
#[derive(Clone, Copy)]
pub enum Ending {
    /// As a server ends one that stops: nothing of the frame was begun.
    Clean,
    /// As a connection breaks: nobody knows.
    Broken,
    /// As a server ends one in which another call broke the rules.
    Refused,
}

pub type Frames = Pin<Box<dyn Stream<Item = Result<SessionResponse, Status>> + Send>>;

/// Answers frame by frame, unless the state says that the session ends.
pub fn serve(service: Service, frames: Streaming<SessionRequest>) -> Frames {
    let answers = futures::stream::unfold(Some((service, frames)), |open| async move {
        let (service, mut frames) = open?;
        let frame = match frames.next().await? {
            Ok(frame) => frame,
            Err(status) => return Some((Err(status), None)),
        };
        let ending = service.state().session_ends.take();
        match ending {
            Some(Ending::Clean) => return None,
            Some(Ending::Broken) => return Some((Err(Status::unavailable("broken off")), None)),
            Some(Ending::Refused) => return Some((Err(super::invalid("Id")), None)),
            None => {}
        }
        let mut answers = Vec::new();
        for call in frame.calls {
            answers.push(answer(&service, call).await);
        }
        Some((Ok(SessionResponse { answers }), Some((service, frames))))
    });
    Box::pin(answers)
}

async fn answer(service: &Service, call: SessionCall) -> SessionAnswer {
    let operation = call.operation();
    let node = service.state().answered_by;
    let answered = match operation {
        SessionOperation::PutItem => unary(call.request, |request| service.put_item(request)).await,
        SessionOperation::GetItem => unary(call.request, |request| service.get_item(request)).await,
        SessionOperation::UpdateItem => unary(call.request, |request| service.update_item(request)).await,
        SessionOperation::DeleteItem => unary(call.request, |request| service.delete_item(request)).await,
        SessionOperation::Query => unary(call.request, |request| service.query(request)).await,
        SessionOperation::Scan => unary(call.request, |request| service.scan(request)).await,
        SessionOperation::BatchGetItem => {
            unary(call.request, |request| service.batch_get_item(request)).await
        }
        SessionOperation::BatchWriteItem => {
            unary(call.request, |request| service.batch_write_item(request)).await
        }
        SessionOperation::Ping => unary(call.request, |request| service.ping(request)).await,
        SessionOperation::Unspecified => panic!("a client names its operations"),
    };
    match answered {
        Ok(response) => SessionAnswer { id: call.id, response, node, error: None },
        Err(error) => SessionAnswer { id: call.id, error: Some(error), ..SessionAnswer::default() },
    }
}

async fn unary<Q, R, A>(request: Bytes, method: impl FnOnce(Request<Q>) -> A) -> Result<Bytes, ErrorDetail>
where
    Q: Message + Default,
    R: Message,
    A: Future<Output = Result<Response<R>, Status>>,
{
    let request = Q::decode(request).map_err(|error| detail::malformed(&error))?;
    match method(Request::new(request)).await {
        Ok(response) => Ok(response.into_inner().encode_to_vec().into()),
        Err(status) => Err(detail::decode(status.details()).expect("the fake's errors have details")),
    }
}
