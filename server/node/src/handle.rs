//! The way into a shard's thread, for whoever has something for it: requests, messages of peers, ended syncs.
//!
//! Nobody waits here but for an answer (`ask_within`). What finds no room is refused with a typed answer, or,
//! when others will tell it again, dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use item::operation::Command;
use shard::{Envelope, Request, TurnId};
use tokio::sync::oneshot;
use tokio::time::timeout;
use types::limits;

use crate::admission::{Admission, Share};
use crate::call::Call;
use crate::clock::Clock;
use crate::reply::{Answered, Delivery, ReplyTo, Untaken};

/// The answer to a request that found no room.
pub const OVERLOADED: item::Error = item::Error::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS };

/// Something that happened outside the shard's thread.
pub enum Post {
    /// Clients ask.
    Ask(Asks),
    /// Nobody waits for these requests any more: what was not begun need not be.
    Cancel(Vec<u64>),
    /// A message of a peer region or of another node.
    Link(Envelope),
    /// A link went up or down, came or went; its queue knows which.
    LinksChanged,
    /// A turn is durable.
    Synced {
        /// Which.
        turn: TurnId,
        /// How long its sync took.
        took: Duration,
    },
    /// A long read is done.
    Replied(Envelope),
    /// The key space should be flushed, whatever the log's length.
    WantsFlush,
    /// A flush is done.
    Flushed,
    /// Hand over what this node leads: it is about to stop.
    HandOver,
    /// Finish what is under way and end.
    Stop,
}

/// Requests that arrive together.
pub enum Asks {
    /// A call of its own.
    One(Ask),
    /// The calls of a session's frame, in its order.
    Frame(Vec<Ask>),
}

/// A client's request on its way to the shard.
pub struct Ask {
    /// What is asked. Its number is unique among the requests under way; boxed, since it is large and goes
    /// from hand to hand.
    pub request: Box<Request>,
    /// Where the answer goes.
    pub reply: ReplyTo,
    /// Held until it is answered.
    pub share: Share,
}

/// A way to reach a shard's thread.
#[derive(Clone)]
pub struct Handle {
    posts: SyncSender<Post>,
    admission: Admission,
    untaken: Untaken,
    links_dropped: Arc<AtomicU64>,
    /// Numbers what has no session.
    calls: Arc<AtomicU32>,
    /// Numbers sessions; none of them is 0.
    sessions: Arc<AtomicU32>,
}

/// The number of a call of a session, or, with session 0, of a call of its own.
pub fn number(session: u32, call: u32) -> u64 {
    u64::from(session) << 32 | u64::from(call)
}

impl Handle {
    /// A handle, and where what is posted arrives. Requests under way may take so many bytes.
    pub fn new(request_bytes_max: usize) -> (Self, Receiver<Post>) {
        let (posts, receiver) = sync_channel(limits::INBOX_REQUESTS_MAX);
        let handle = Handle {
            posts,
            admission: Admission::new(request_bytes_max),
            untaken: Untaken::default(),
            links_dropped: Arc::default(),
            calls: Arc::default(),
            sessions: Arc::new(AtomicU32::new(1)),
        };
        (handle, receiver)
    }

    /// For the shard's own threads, which wait when there is no room.
    pub fn posts(&self) -> SyncSender<Post> {
        self.posts.clone()
    }

    /// Counts a peer's message that found no room.
    pub fn drop_link(&self) {
        self.links_dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Hands over a request of so many bytes. The answer comes through the receiver; a receiver that ends
    /// without one says that the shard has stopped. Refuses at once when too much is under way.
    pub fn ask(
        &self,
        command: Command,
        deadline_ns: u64,
        request_bytes: usize,
    ) -> Result<oneshot::Receiver<Delivery>, item::Error> {
        let share = self.share(request_bytes)?;
        let (reply, answer) = oneshot::channel();
        let reply = ReplyTo::Caller(reply);
        // Numbers come round after four billion; no call is under way for so long.
        let number = number(0, self.calls.fetch_add(1, Ordering::Relaxed));
        let deadline_ns = Some(deadline_ns);
        let request = Box::new(Request { number, deadline_ns, bytes: request_bytes, command });
        match self.posts.try_send(Post::Ask(Asks::One(Ask { request, reply, share }))) {
            // A shard that has stopped drops the sender, and so tells through the receiver.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(OVERLOADED),
        }
    }

    /// Asks, and waits no longer than the caller does.
    pub async fn ask_within(
        &self,
        clock: Clock,
        call: Call,
        command: Command,
        time: Duration,
        request_bytes: usize,
    ) -> Answered {
        let time_ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let deadline_ns = clock.monotonic_ns().saturating_add(time_ns);
        let answer = self.ask(command, deadline_ns, request_bytes)?;
        match timeout(time, answer).await {
            Ok(Ok(delivery)) => delivery.answered,
            // Late, or the shard stopped: whether it was begun, nobody here can tell.
            Ok(Err(_)) | Err(_) if call.changes() => Err(item::Error::OutcomeUnknown),
            Ok(Err(_)) => Err(item::Error::NotLeader),
            Err(_) => Err(item::Error::DeadlinePassed),
        }
    }

    /// Hands over a frame's calls together, or gives them back when there is no room. A shard that has
    /// stopped takes them and answers nothing, as one does that stops a moment later.
    pub fn ask_all(&self, asks: Vec<Ask>) -> Result<(), Vec<Ask>> {
        match self.posts.try_send(Post::Ask(Asks::Frame(asks))) {
            Err(TrySendError::Full(Post::Ask(Asks::Frame(asks)))) => Err(asks),
            _ => Ok(()),
        }
    }

    /// The share of a request of so many bytes.
    pub fn share(&self, request_bytes: usize) -> Result<Share, item::Error> {
        self.admission.admit(request_bytes).ok_or(OVERLOADED)
    }

    /// A number for a new session. They come round after four billion; session 0 stands for none.
    pub fn session(&self) -> u32 {
        match self.sessions.fetch_add(1, Ordering::Relaxed) {
            0 => self.session(),
            number => number,
        }
    }

    /// Tells that nobody waits for these requests; in vain when the queue is full: they are answered then,
    /// and the answers dropped.
    pub fn cancel(&self, numbers: Vec<u64>) {
        let _ = self.posts.try_send(Post::Cancel(numbers));
    }

    /// Hands over a peer's message, or drops and counts it when there is no room: the peer sends it again.
    pub fn link(&self, link: Envelope) {
        if self.posts.try_send(Post::Link(link)).is_err() {
            self.drop_link();
        }
    }

    /// How many messages of peers found no room.
    pub fn links_dropped(&self) -> u64 {
        self.links_dropped.load(Ordering::Relaxed)
    }

    /// Makes the shard look at its links' states. A full queue does no harm: it looks after each post.
    pub fn links_changed(&self) {
        let _ = self.posts.try_send(Post::LinksChanged);
    }

    /// Asks for a flush; in vain when the queue is full, since the next call comes soon.
    pub fn wants_flush(&self) {
        let _ = self.posts.try_send(Post::WantsFlush);
    }

    /// Has the shard hand over what it leads; in vain when the queue is full, and then others elect a leader.
    pub fn hand_over(&self) {
        let _ = self.posts.try_send(Post::HandOver);
    }

    /// The answers that clients have not taken.
    pub fn untaken(&self) -> &Untaken {
        &self.untaken
    }

    /// How many requests are under way.
    pub fn in_flight(&self) -> usize {
        self.admission.in_flight()
    }
}
