//! Messages that have come in part: what they hold between them is bounded.
//!
//! A message is gathered whole before anybody can judge it, outside of every other limit, so callers that
//! begin large messages and do not finish them would fill the memory. Past the limit the one that was begun
//! first is given up: whoever means to finish a message is done with it soon. Only lengths are looked at
//! here.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use http_body::{Frame, SizeHint};
use prost::bytes::Bytes;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::Request;
use tonic::server::NamedService;
use tonic::{Status, codegen};

use crate::handle::OVERLOADED;
use crate::service;

/// gRPC's prefix of each message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// All unfinished messages of a service's callers.
#[derive(Clone, Debug)]
pub struct Unfinished {
    bytes_max: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    /// How many were given up.
    given_up: u64,
    next: u64,
    /// By age: what each holds, and what tells its caller's stream that it is given up, by being dropped.
    messages: BTreeMap<u64, (usize, oneshot::Sender<()>)>,
}

impl Unfinished {
    /// Holding at most so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Unfinished { bytes_max, held: Arc::default() }
    }

    /// How many were given up so far.
    pub fn given_up(&self) -> u64 {
        self.held().given_up
    }

    /// A service whose requests are counted.
    pub fn count<S>(&self, inner: S) -> Counted<S> {
        Counted { inner, unfinished: self.clone() }
    }

    fn begin(&self) -> Message {
        let (keep, given_up) = oneshot::channel();
        let mut held = self.held();
        let number = held.next;
        held.next += 1;
        held.messages.insert(number, (0, keep));
        Message { unfinished: self.clone(), number, given_up }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn forget(&mut self, number: u64) {
        self.bytes -= self.messages.remove(&number).map_or(0, |(bytes, _)| bytes);
    }
}

/// One unfinished message; finished, or its caller gone, when it is dropped.
#[derive(Debug)]
struct Message {
    unfinished: Unfinished,
    number: u64,
    given_up: oneshot::Receiver<()>,
}

impl Message {
    /// Notes how much of it is here.
    fn holds(&self, bytes: usize) {
        let mut held = self.unfinished.held();
        let Some((before, _)) = held.messages.get_mut(&self.number) else { return };
        let before = std::mem::replace(before, bytes);
        held.bytes = held.bytes - before + bytes;
        while held.bytes > self.unfinished.bytes_max {
            let oldest = *held.messages.keys().next().expect("what is held is held by a message");
            held.forget(oldest);
            held.given_up += 1;
        }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.unfinished.held().forget(self.number);
    }
}

/// Where in a stream of messages its bytes are.
#[derive(Debug, Default)]
struct Place {
    prefix: [u8; PREFIX_BYTES],
    /// How much of the prefix is here.
    prefix_bytes: usize,
    /// What the message at hand lacks, once its prefix is whole.
    missing: usize,
    /// What of it is here.
    here: usize,
}

impl Place {
    /// Goes on by so many bytes; what is here of a message that is not whole.
    fn pass(&mut self, mut bytes: &[u8]) -> usize {
        while !bytes.is_empty() {
            let prefix = bytes.len().min(PREFIX_BYTES - self.prefix_bytes);
            self.prefix[self.prefix_bytes..][..prefix].copy_from_slice(&bytes[..prefix]);
            self.prefix_bytes += prefix;
            if prefix > 0 && self.prefix_bytes == PREFIX_BYTES {
                let [_, length @ ..] = self.prefix;
                self.missing = u32::from_be_bytes(length) as usize;
            }
            let body = (bytes.len() - prefix).min(self.missing);
            self.missing -= body;
            self.here += prefix + body;
            bytes = &bytes[prefix + body..];
            if self.prefix_bytes == PREFIX_BYTES && self.missing == 0 {
                *self = Place::default();
            }
        }
        self.here
    }
}

/// A service whose requests' bodies are counted.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    inner: S,
    unfinished: Unfinished,
}

impl<S: NamedService> NamedService for Counted<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let unfinished = self.unfinished.clone();
        let counted = |body| CountedBody { body, unfinished, place: Place::default(), message: None };
        self.inner.call(request.map(|body| Body::new(counted(body))))
    }
}

/// The body of a request.
struct CountedBody<B> {
    body: B,
    unfinished: Unfinished,
    place: Place,
    /// The message at hand, if it is not whole.
    message: Option<Message>,
}

impl<B> codegen::Body for CountedBody<B>
where
    B: codegen::Body<Data = Bytes, Error = Status> + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Some(message) = &mut this.message
            && message.given_up.poll_unpin(context).is_ready()
        {
            return Poll::Ready(Some(Err(service::status(&OVERLOADED))));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match this.place.pass(data) {
                0 => this.message = None,
                here => this.message.get_or_insert_with(|| this.unfinished.begin()).holds(here),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::sync::mpsc;
    use tonic::codegen::Body as _;

    use super::*;

    /// Bytes as they come.
    struct Sent(mpsc::UnboundedReceiver<Bytes>);

    impl codegen::Body for Sent {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
        }
    }

    /// A caller's side of a stream, and the server's.
    fn stream(unfinished: &Unfinished) -> (mpsc::UnboundedSender<Bytes>, CountedBody<Sent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (body, unfinished) = (Sent(receiver), unfinished.clone());
        (sender, CountedBody { body, unfinished, place: Place::default(), message: None })
    }

    async fn next(body: &mut CountedBody<Sent>) -> Option<Result<Bytes, Status>> {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        frame.map(|frame| frame.map(|frame| frame.into_data().unwrap()))
    }

    fn message(length: u32) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(length.to_be_bytes());
        bytes.resize(PREFIX_BYTES + length as usize, 7);
        bytes
    }

    #[tokio::test]
    async fn past_the_limit_the_message_begun_first_is_given_up() {
        let unfinished = Unfinished::new(100);
        let mut streams: Vec<_> = (0..3).map(|_| stream(&unfinished)).collect();
        for (sender, body) in &mut streams {
            sender.send(message(90)[..45].to_vec().into()).unwrap();
            next(body).await.unwrap().unwrap();
        }
        assert_eq!(unfinished.given_up(), 1);
        assert_eq!(
            next(&mut streams[0].1).await.unwrap().unwrap_err().code(),
            tonic::Code::ResourceExhausted
        );
        for (sender, body) in &mut streams[1..] {
            sender.send(message(90)[45..].to_vec().into()).unwrap();
            assert_eq!(next(body).await.unwrap().unwrap().len(), 50);
        }
        let held = unfinished.held();
        assert_eq!((held.bytes, held.messages.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_caller_who_has_gone_holds_nothing() {
        let unfinished = Unfinished::new(100);
        let (sender, mut body) = stream(&unfinished);
        sender.send(message(90)[..45].to_vec().into()).unwrap();
        next(&mut body).await.unwrap().unwrap();
        assert_eq!(unfinished.held().bytes, 45);
        drop(body);
        assert_eq!(unfinished.held().bytes, 0);
    }

    proptest! {
        #[test]
        fn however_messages_are_cut_only_the_last_counts(
            lengths in proptest::collection::vec(0u32..20, 0..8),
            cuts in proptest::collection::vec(1usize..12, 1..8),
        ) {
            let bytes: Vec<u8> = lengths.iter().flat_map(|length| message(*length)).collect();
            let mut ends: Vec<usize> = vec![0];
            for length in lengths {
                ends.push(ends[ends.len() - 1] + PREFIX_BYTES + length as usize);
            }
            let (mut place, mut at) = (Place::default(), 0);
            for cut in cuts.iter().cycle() {
                if at == bytes.len() {
                    break;
                }
                let to = bytes.len().min(at + cut);
                let whole = ends.iter().rev().find(|end| **end <= to).copied().unwrap_or_default();
                prop_assert_eq!(place.pass(&bytes[at..to]), to - whole);
                at = to;
            }
        }
    }
}
