//! A session: many calls of one client under way on one stream.
//!
//! Frames are read, and answers written, only while the client takes answers: whoever does not read cannot
//! ask for more either, so a session holds a bounded amount. It ends cleanly, with status OK, only when every
//! call that it began is answered; calls without an answer were then not begun. It decides nothing (`P22`).

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, Stream, StreamExt};
use item::error::Invalid;
use prost::Message;
use proto::v1::{
    ErrorDetail, PingRequest, SessionAnswer, SessionCall, SessionOperation, SessionRequest, SessionResponse,
};
use tokio::sync::mpsc;
use tonic::Status;
use types::{RegionName, limits};

use crate::call::Call;
use crate::clock::Clock;
use crate::forward::Forward;
use crate::handle::{self, Ask, Handle, OVERLOADED};
use crate::metrics::{Ending, Metrics};
use crate::persist::{self, Ways};
use crate::reply::{Answered, Answers, Delivery, ReplyTo, Route};
use crate::{deadline, expressions, ping, read_on, service, spread};

/// What a session needs of its region.
pub struct Parts {
    /// The region.
    pub region: RegionName,
    /// Whether the client may be another node of it, which passes calls on.
    pub is_node: bool,
    /// The way to the shard.
    pub shard: Handle,
    /// The clock that deadlines are read on.
    pub clock: Clock,
    /// Where calls are counted.
    pub metrics: Arc<Metrics>,
    /// Completes when the server stops.
    pub stop: BoxFuture<'static, ()>,
    /// The ways to other nodes of the region.
    pub forward: Arc<Forward>,
}

impl Parts {
    fn ways(&self) -> Ways {
        Ways { forward: self.forward.clone(), shard: self.shard.clone(), clock: self.clock }
    }
}

/// A session of a client; the stream of its answers. Dropped, it cancels what is under way.
pub struct Session<F> {
    parts: Parts,
    frames: F,
    /// No more frames are read.
    ended: bool,
    /// The client broke the rules.
    failed: Option<Status>,
    route: Arc<Route>,
    replies: mpsc::UnboundedReceiver<Answers>,
    underway: HashMap<u32, Underway>,
    underway_bytes: usize,
    /// Calls that other nodes answer.
    passed_on: FuturesUnordered<BoxFuture<'static, SessionAnswer>>,
    /// Answers that wait to be encoded.
    waiting: VecDeque<(u32, Delivery)>,
    ready: Vec<SessionAnswer>,
    ready_bytes: usize,
}

/// A call that is not answered yet.
struct Underway {
    operation: SessionOperation,
    begun: Instant,
    bytes: usize,
    /// What to pass on if another node can answer.
    kept: Option<SessionCall>,
}

impl<F: Stream<Item = Result<SessionRequest, Status>> + Unpin> Session<F> {
    /// Opens a session over a client's frames.
    pub fn new(parts: Parts, frames: F) -> Self {
        let (route, replies) = Route::new(parts.shard.session());
        Session {
            parts,
            frames,
            ended: false,
            failed: None,
            route,
            replies,
            underway: HashMap::new(),
            underway_bytes: 0,
            passed_on: FuturesUnordered::new(),
            waiting: VecDeque::new(),
            ready: Vec::new(),
            ready_bytes: 0,
        }
    }

    fn has_room(&self) -> bool {
        self.underway.len() < limits::SESSION_CALLS_MAX && self.underway_bytes < limits::SESSION_BYTES_MAX
    }

    fn read_frames(&mut self, context: &mut Context<'_>) {
        while !self.ended && self.has_room() && self.ready_bytes < limits::SESSION_FRAME_BYTES {
            match self.frames.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Err(status) = self.take(frame) {
                        (self.failed, self.ended) = (Some(status), true);
                    }
                }
                Poll::Ready(Some(Err(status))) => (self.failed, self.ended) = (Some(status), true),
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => return,
            }
        }
    }

    /// Takes a frame's calls to the shard, all together.
    fn take(&mut self, frame: SessionRequest) -> Result<(), Status> {
        let (max, got) = (limits::SESSION_FRAME_CALLS_MAX as u64, frame.calls.len() as u64);
        if got > max {
            return Err(broken(Invalid::Range { field: "Calls", min: 0, max, got }));
        }
        self.cancel(frame.cancelled);
        let begun = Instant::now();
        let now_ns = self.parts.clock.monotonic_ns();
        let mut asks = Vec::with_capacity(frame.calls.len());
        for call in frame.calls {
            let operation = call.operation();
            let kept = (!self.parts.forward.is_alone() && !call.passed_on).then(|| call.clone());
            let underway = Underway { operation, begun, bytes: call.request.len(), kept };
            self.underway_bytes += underway.bytes;
            if self.underway.insert(call.id, underway).is_some() {
                return Err(broken(Invalid::Duplicate { field: "Id" }));
            }
            asks.extend(self.begin(operation, call, now_ns));
        }
        // Pings and refusals are answered here, and need not wake the shard.
        if asks.is_empty() {
            return Ok(());
        }
        if let Err(asks) = self.parts.shard.ask_all(asks) {
            for ask in asks {
                ask.reply.send(self.parts.shard.untaken().refuse(OVERLOADED));
            }
        }
        Ok(())
    }

    /// What to ask the shard for a call, unless it is answered here.
    fn begin(&mut self, operation: SessionOperation, call: SessionCall, now_ns: u64) -> Option<Ask> {
        let SessionCall { id, timeout_ms, request, passed_on, .. } = call;
        if passed_on && !self.parts.is_node {
            let denied = item::Error::AccessDenied { lacks: "a certificate of this region" };
            self.refuse(id, api::status::of(&denied).detail);
            return None;
        }
        match operation {
            SessionOperation::Unspecified => {
                let invalid = Invalid::Choice { field: "Operation", allowed: "one of SessionOperation" };
                self.refuse(id, api::status::of(&invalid.into()).detail);
                return None;
            }
            SessionOperation::Ping => {
                self.ping(id, request);
                return None;
            }
            _ => {}
        }
        // What finds no room is refused before it costs anything.
        let share = match self.parts.shard.share(request.len()) {
            Ok(share) => share,
            Err(overloaded) => {
                self.answer(id, Err(overloaded));
                return None;
            }
        };
        let bytes = request.len();
        match expressions::with(|cache| api::session::decode(operation, request, cache)) {
            Ok(command) => {
                let number = handle::number(self.route.session, id);
                let deadline_ns = Some(now_ns.saturating_add(time_ns(timeout_ms)));
                let request = Box::new(shard::Request { number, deadline_ns, bytes, command });
                let reply = ReplyTo::Session { route: self.route.clone(), call: id };
                Some(Ask { request, reply, share })
            }
            Err(refusal) => {
                self.refuse(id, refusal.detail());
                None
            }
        }
    }

    fn ping(&mut self, id: u32, request: prost::bytes::Bytes) {
        let request = PingRequest::decode(request).map_err(|error| proto::detail::malformed(&error));
        let answered = request.and_then(|request| {
            ping::answer(&self.parts.region, request).map_err(|error| api::status::of(&error).detail)
        });
        match answered {
            Ok(response) => {
                let response = response.encode_to_vec().into();
                self.finish(SessionAnswer { id, response, ..SessionAnswer::default() })
            }
            Err(detail) => self.refuse(id, detail),
        }
    }

    /// Shapes what the shard answered. A call that was cancelled wants no answer.
    fn answer(&mut self, id: u32, answered: Answered) {
        let Some(underway) = self.underway.get_mut(&id) else { return };
        if persist::is_worth_it(&answered)
            && let Some(kept) = underway.kept.take()
            && let (Some(call), Err(error)) = (Call::of_session(underway.operation), &answered)
        {
            let ways = self.parts.ways();
            let time =
                Duration::from_nanos(time_ns(kept.timeout_ms)).saturating_sub(underway.begun.elapsed());
            let (error, until, asked) = (error.clone(), Instant::now() + time, kept.request.clone());
            let passed_on = async move {
                let answer = ways.on_session(call, kept, error, time).await;
                match call {
                    Call::Scan => read_on::answer(&ways, asked, answer, until).await,
                    _ => answer,
                }
            };
            return self.passed_on.push(passed_on.boxed());
        }
        let (operation, kept) = (underway.operation, underway.kept.take());
        match api::session::encode(operation, answered) {
            Ok(response) if self.carry_on(id, operation, &response, kept.as_ref()) => {}
            Ok(response) => self.finish(SessionAnswer { id, response, ..SessionAnswer::default() }),
            Err(error) => self.refuse(id, api::status::of(&error).detail),
        }
    }

    /// Passes on what a batch left over, or reads a scan on that found nothing; false if there is nothing to
    /// do.
    fn carry_on(
        &mut self,
        id: u32,
        operation: SessionOperation,
        response: &prost::bytes::Bytes,
        kept: Option<&SessionCall>,
    ) -> bool {
        let Some(kept) = kept else { return false };
        if operation == SessionOperation::Scan && read_on::goes_on(response) {
            let (ways, asked) = (self.parts.ways(), kept.request.clone());
            let until = Instant::now() + Duration::from_nanos(time_ns(kept.timeout_ms));
            let first = SessionAnswer { id, response: response.clone(), ..SessionAnswer::default() };
            self.passed_on.push(async move { read_on::answer(&ways, asked, first, until).await }.boxed());
            return true;
        }
        let Some(left) = spread::left_over(operation, response) else { return false };
        let until = Instant::now() + Duration::from_nanos(time_ns(kept.timeout_ms));
        let forward = self.parts.forward.clone();
        self.passed_on.push(async move { left.pass_on(&forward, id, until).await }.boxed());
        true
    }

    fn refuse(&mut self, id: u32, detail: ErrorDetail) {
        self.finish(SessionAnswer { id, error: Some(detail), ..SessionAnswer::default() });
    }

    fn finish(&mut self, answer: SessionAnswer) {
        let Some(underway) = self.underway.remove(&answer.id) else { return };
        self.underway_bytes -= underway.bytes;
        if let Some(call) = Call::of_session(underway.operation) {
            let ending = Ending::of_detail(answer.error.as_ref());
            self.parts.metrics.called(call, underway.begun.elapsed(), ending);
        }
        self.ready_bytes += limits::SESSION_ANSWER_OVERHEAD_BYTES + answer.response.len();
        self.ready.push(answer);
    }

    fn cancel(&mut self, calls: Vec<u32>) {
        if calls.is_empty() {
            return;
        }
        let mut numbers = Vec::with_capacity(calls.len());
        for call in calls {
            if let Some(underway) = self.underway.remove(&call) {
                self.underway_bytes -= underway.bytes;
                numbers.push(handle::number(self.route.session, call));
            }
        }
        self.parts.shard.cancel(numbers);
    }

    /// Encodes answers until a frame is full or there are no more.
    fn gather(&mut self, context: &mut Context<'_>) {
        self.gather_here(context);
        while self.ready_bytes < limits::SESSION_FRAME_BYTES
            && let Poll::Ready(Some(answer)) = self.passed_on.poll_next_unpin(context)
        {
            self.finish(answer);
        }
    }

    fn gather_here(&mut self, context: &mut Context<'_>) {
        while self.ready_bytes < limits::SESSION_FRAME_BYTES {
            match self.waiting.pop_front() {
                Some((id, delivery)) => self.answer(id, delivery.answered),
                None => match self.replies.poll_recv(context) {
                    Poll::Ready(Some(answers)) => self.waiting.extend(answers),
                    Poll::Ready(None) | Poll::Pending => return,
                },
            }
        }
    }
}

impl<F: Stream<Item = Result<SessionRequest, Status>> + Unpin> Stream for Session<F> {
    type Item = Result<SessionResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if !this.ended && this.parts.stop.poll_unpin(context).is_ready() {
            this.ended = true;
        }
        this.gather(context);
        this.read_frames(context);
        if !this.ready.is_empty() {
            this.ready_bytes = 0;
            let answers = std::mem::take(&mut this.ready);
            return Poll::Ready(Some(Ok(SessionResponse { answers })));
        }
        if let Some(status) = this.failed.take() {
            return Poll::Ready(Some(Err(status)));
        }
        match this.ended && this.underway.is_empty() {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    }
}

impl<F> Drop for Session<F> {
    fn drop(&mut self) {
        if !self.underway.is_empty() {
            let session = self.route.session;
            self.parts
                .shard
                .cancel(self.underway.keys().map(|call| handle::number(session, *call)).collect());
        }
    }
}

fn time_ns(timeout_ms: u32) -> u64 {
    let said = (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms.into()));
    u64::try_from(deadline::within(said).as_nanos()).unwrap_or(u64::MAX)
}

fn broken(invalid: Invalid) -> Status {
    service::status(&invalid.into())
}

#[cfg(test)]
mod tests;
