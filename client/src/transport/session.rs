//! A session: the calls of many tasks on one stream, in frames of many.
//!
//! It opens with the first call and lives until the connection breaks or the server ends it; whoever waits is
//! then told what that means for its call, and the next call opens another. No task waits for a frame to
//! fill: what is there when the connection can take more goes out together.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;
use prost::bytes::Bytes;
use proto::v1::meridian_client::MeridianClient;
use proto::v1::{SessionAnswer, SessionCall, SessionRequest};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tonic::Status;
use tonic::transport::Channel;
use types::limits::{
    SESSION_BYTES_MAX, SESSION_CALL_OVERHEAD_BYTES, SESSION_FRAME_BYTES, SESSION_FRAME_CALLS_MAX,
};

/// Why a call has no answer.
#[derive(Clone, Debug)]
pub struct Lost {
    /// Whether it may have left this machine.
    pub sent: bool,
    /// What ended the session; absent when the server ended it cleanly, having begun none of the calls that
    /// it did not answer.
    pub status: Option<Status>,
}

/// An open session.
pub struct Session {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    calls: Arc<Calls>,
    /// Bytes that may still be under way.
    room: Semaphore,
}

/// The session of a connection; one that has ended is replaced.
pub struct Renewed {
    client: MeridianClient<Channel>,
    session: Mutex<Option<Arc<Session>>>,
}

impl Renewed {
    /// Sessions on a connection; the first opens when it is first asked for.
    pub fn new(client: MeridianClient<Channel>) -> Self {
        Renewed { client, session: Mutex::new(None) }
    }

    /// A handle of the connection, for calls of their own.
    pub fn client(&self) -> MeridianClient<Channel> {
        self.client.clone()
    }

    /// A session for one call; calls share it.
    pub fn session(&self) -> Arc<Session> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        match session.as_ref().filter(|session| !session.is_ended()) {
            Some(session) => session.clone(),
            None => session.insert(Arc::new(Session::open(self.client.clone()))).clone(),
        }
    }
}

enum Outgoing {
    Call(SessionCall),
    Cancelled(u32),
}

/// The calls under way.
#[derive(Default)]
struct Calls {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last: u32,
    waiting: HashMap<u32, Waiting>,
    /// Nothing is answered any more, and what ended it all; nothing did when the server ended it cleanly.
    ended: Option<Option<Status>>,
}

struct Waiting {
    answer: oneshot::Sender<Result<SessionAnswer, Lost>>,
    sent: bool,
}

/// A call that somebody waits for; dropped, it is cancelled.
struct Wait<'a> {
    session: &'a Session,
    id: u32,
}

impl Session {
    /// Opens a session in the background, on a connection that may still have to be opened too.
    pub fn open(client: MeridianClient<Channel>) -> Session {
        let (outgoing, receiver) = mpsc::unbounded_channel();
        let calls = Arc::new(Calls::default());
        let frames =
            Frames { outgoing: receiver, calls: calls.clone(), frame: SessionRequest::default(), bytes: 0 };
        tokio::spawn(run(client, frames, calls.clone()));
        Session { outgoing, calls, room: Semaphore::new(SESSION_BYTES_MAX) }
    }

    /// Whether calls can no longer be answered.
    pub fn is_ended(&self) -> bool {
        self.calls.table().ended.is_some()
    }

    /// Makes a call and waits for its answer, however long that takes; dropped, the call is cancelled.
    pub async fn exchange(&self, mut call: SessionCall) -> Result<SessionAnswer, Lost> {
        let weight = (call.request.len() + SESSION_CALL_OVERHEAD_BYTES).min(SESSION_BYTES_MAX);
        let weight = u32::try_from(weight).expect("the limit is below 32 bits");
        let _room = self.room.acquire_many(weight).await.expect("it is never closed");
        let (answer, receiver) = oneshot::channel();
        let unsent = |status| Lost { sent: false, status };
        let id = self.calls.table().add(answer).map_err(unsent)?;
        call.id = id;
        let wait = Wait { session: self, id };
        // Where nothing takes it any more, whatever ended the session is about to be told to all who wait.
        let _ = self.outgoing.send(Outgoing::Call(call));
        let answered = receiver.await.unwrap_or_else(|_| Err(unsent(None)));
        std::mem::forget(wait);
        answered
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.session.calls.table().waiting.remove(&self.id).is_some() {
            let _ = self.session.outgoing.send(Outgoing::Cancelled(self.id));
        }
    }
}

impl Calls {
    fn table(&self) -> MutexGuard<'_, Table> {
        // The table is whole between any two of its statements, so a panicked holder left nothing half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out a frame's answers.
    fn answer(&self, answers: Vec<SessionAnswer>) {
        let answered: Vec<_> = {
            let mut table = self.table();
            let take = |answer: SessionAnswer| Some((table.waiting.remove(&answer.id)?, answer));
            answers.into_iter().filter_map(take).collect()
        };
        for (waiting, answer) in answered {
            let _ = waiting.answer.send(Ok(answer));
        }
    }

    /// Tells everybody that there will be no answers.
    fn end(&self, status: Option<&Status>) {
        let waiting = {
            let mut table = self.table();
            table.ended = Some(status.cloned());
            std::mem::take(&mut table.waiting)
        };
        for waiting in waiting.into_values() {
            // What a server that ended cleanly did not answer, it did not begin.
            let sent = waiting.sent && status.is_some();
            let _ = waiting.answer.send(Err(Lost { sent, status: status.cloned() }));
        }
    }
}

impl Table {
    /// Gives a call its id, or says what ended the session.
    fn add(&mut self, answer: oneshot::Sender<Result<SessionAnswer, Lost>>) -> Result<u32, Option<Status>> {
        if let Some(status) = &self.ended {
            return Err(status.clone());
        }
        // Ids come round; one that is still under way is passed over.
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.waiting.contains_key(&self.last) {
                break;
            }
        }
        self.waiting.insert(self.last, Waiting { answer, sent: false });
        Ok(self.last)
    }
}

/// Reads answers until there are no more.
async fn run(mut client: MeridianClient<Channel>, frames: Frames, calls: Arc<Calls>) {
    let ended = async {
        let mut answers = client.session(frames).await?.into_inner();
        while let Some(frame) = answers.message().await? {
            calls.answer(frame.answers);
        }
        Ok::<(), Status>(())
    };
    let ended = ended.await;
    calls.end(ended.err().as_ref());
}

/// The calls that wait to be sent, as frames.
struct Frames {
    outgoing: mpsc::UnboundedReceiver<Outgoing>,
    calls: Arc<Calls>,
    frame: SessionRequest,
    bytes: usize,
}

impl Frames {
    fn is_full(&self) -> bool {
        self.bytes >= SESSION_FRAME_BYTES || self.frame.calls.len() >= SESSION_FRAME_CALLS_MAX
    }

    fn add(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Call(call) => {
                self.bytes += call.request.len() + SESSION_CALL_OVERHEAD_BYTES;
                self.frame.calls.push(call);
            }
            Outgoing::Cancelled(id) => self.frame.cancelled.push(id),
        }
    }

    fn take(&mut self) -> SessionRequest {
        self.bytes = 0;
        let frame = std::mem::take(&mut self.frame);
        let mut table = self.calls.table();
        for call in &frame.calls {
            if let Some(waiting) = table.waiting.get_mut(&call.id) {
                waiting.sent = true;
            }
        }
        frame
    }
}

impl Stream for Frames {
    type Item = SessionRequest;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SessionRequest>> {
        let this = self.get_mut();
        while !this.is_full() {
            match this.outgoing.poll_recv(context) {
                Poll::Ready(Some(outgoing)) => this.add(outgoing),
                Poll::Ready(None) if this.bytes == 0 => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        match this.frame.calls.is_empty() && this.frame.cancelled.is_empty() {
            true => Poll::Pending,
            false => Poll::Ready(Some(this.take())),
        }
    }
}

/// A call to be made; the session gives it its id.
pub fn call(operation: i32, timeout_ms: u32, request: Bytes) -> SessionCall {
    SessionCall { id: 0, operation, timeout_ms, request, passed_on: false }
}
