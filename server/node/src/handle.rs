//! The way into a shard's thread, for whoever has something for it: requests, messages of peers, ended syncs.
//!
//! Nobody waits here. What finds no room is refused with a typed answer, or, when others will tell it again,
//! dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use item::operation::Command;
use item::outcome::Answer;
use shard::{Envelope, Link, TurnId};
use tokio::sync::oneshot;
use types::limits;

use crate::admission::{Admission, Share};

/// The answer to a request that found no room.
pub const OVERLOADED: item::Error = item::Error::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS };

/// What a request came to.
pub type Answered = Result<Answer, item::Error>;

/// Something that happened outside the shard's thread.
pub enum Post {
    /// A client asks.
    Ask(Ask),
    /// A peer's message.
    Link(Link),
    /// A link went up or down; its queue knows which.
    LinksChanged,
    /// A turn is durable.
    Synced(TurnId),
    /// A long read is done.
    Replied(Envelope),
    /// The key space should be flushed, whatever the log's length.
    WantsFlush,
    /// A flush is done.
    Flushed,
    /// Finish what is under way and end.
    Stop,
}

/// A client's request on its way to the shard.
pub struct Ask {
    /// What is asked.
    pub command: Command,
    /// On the shard's monotonic clock.
    pub deadline_ns: u64,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answered>,
    /// Held until it is answered.
    pub share: Share,
}

/// A way to reach a shard's thread.
#[derive(Clone)]
pub struct Handle {
    posts: SyncSender<Post>,
    admission: Admission,
    links_dropped: Arc<AtomicU64>,
}

impl Handle {
    /// A handle, and where what is posted arrives.
    pub fn new() -> (Self, Receiver<Post>) {
        let (posts, receiver) = sync_channel(limits::INBOX_REQUESTS_MAX);
        (Handle { posts, admission: Admission::new(), links_dropped: Arc::default() }, receiver)
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
    ) -> Result<oneshot::Receiver<Answered>, item::Error> {
        let share = self.admission.admit(request_bytes).ok_or(OVERLOADED)?;
        let (reply, answer) = oneshot::channel();
        match self.posts.try_send(Post::Ask(Ask { command, deadline_ns, reply, share })) {
            // A shard that has stopped drops the sender, and so tells through the receiver.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(OVERLOADED),
        }
    }

    /// Hands over a peer's message, or drops and counts it when there is no room: the peer sends it again.
    pub fn link(&self, link: Link) {
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

    /// How many requests are under way.
    pub fn in_flight(&self) -> usize {
        self.admission.in_flight()
    }
}
