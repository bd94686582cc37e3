//! Between a shard and the task that sends to a peer: a bounded queue one way, the link's state the other
//! way.
//!
//! A full queue drops messages and counts them, since the protocol between shards tolerates loss, and a turn
//! must not wait for a socket. The state is a counter and not a message, so that no change of it can be lost:
//! it is odd while the link is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tokio::time::Instant;
use types::limits;

/// The shard's end.
#[derive(Clone, Debug)]
pub struct Queue {
    messages: mpsc::Sender<Queued>,
    shared: Arc<Shared>,
}

/// The sending task's end.
#[derive(Debug)]
pub struct Waiting {
    messages: mpsc::Receiver<Queued>,
    shared: Arc<Shared>,
}

/// A message on its way.
#[derive(Debug)]
pub struct Queued {
    /// When it was queued.
    pub at: Instant,
    /// The message.
    pub bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Shared {
    bytes: AtomicUsize,
    dropped: AtomicU64,
    changes: AtomicU64,
}

/// Both ends of a queue, its link down.
pub fn new() -> (Queue, Waiting) {
    let (sender, receiver) = mpsc::channel(limits::LINK_QUEUE_MESSAGES_MAX);
    let shared = Arc::new(Shared::default());
    (Queue { messages: sender, shared: shared.clone() }, Waiting { messages: receiver, shared })
}

impl Queue {
    /// Queues a message, or drops and counts it when the queue is full.
    pub fn offer(&self, bytes: Vec<u8>) {
        let length = bytes.len();
        let room = self.shared.bytes.load(Ordering::Relaxed) + length <= limits::LINK_QUEUE_BYTES_MAX;
        // Counted before it can be taken out, so that the counter never falls below nothing.
        self.shared.bytes.fetch_add(length, Ordering::Relaxed);
        if !room || self.messages.try_send(Queued { at: Instant::now(), bytes }).is_err() {
            self.shared.bytes.fetch_sub(length, Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often the link went up or down; odd while it is up.
    pub fn changes(&self) -> u64 {
        self.shared.changes.load(Ordering::Acquire)
    }

    /// Whether the link is up.
    pub fn is_up(&self) -> bool {
        !self.changes().is_multiple_of(2)
    }

    /// How many messages were dropped.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Whether the other is an end of the same queue.
    pub fn is(&self, other: &Queue) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }
}

impl Waiting {
    /// The oldest message; `None` once the shard has gone.
    pub async fn next(&mut self) -> Option<Queued> {
        let queued = self.messages.recv().await?;
        self.shared.bytes.fetch_sub(queued.bytes.len(), Ordering::Relaxed);
        Some(queued)
    }

    /// The oldest message, if one waits.
    pub fn try_next(&mut self) -> Option<Queued> {
        let queued = self.messages.try_recv().ok()?;
        self.shared.bytes.fetch_sub(queued.bytes.len(), Ordering::Relaxed);
        Some(queued)
    }

    /// Forgets what waits: it was meant for a link that is gone.
    pub fn clear(&mut self) {
        while self.try_next().is_some() {}
    }

    /// Notes that the link is up.
    pub fn set_up(&self) {
        let before = self.shared.changes.fetch_add(1, Ordering::Release);
        assert!(before.is_multiple_of(2), "the link was up already");
    }

    /// Notes that the link is down.
    pub fn set_down(&self) {
        let before = self.shared.changes.fetch_add(1, Ordering::Release);
        assert!(!before.is_multiple_of(2), "the link was down already");
    }
}

impl Drop for Waiting {
    /// What waits will never be sent.
    fn drop(&mut self) {
        self.messages.close();
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn order_stays_and_bytes_are_counted() {
        let (queue, mut waiting) = new();
        for number in 0..3 {
            queue.offer(vec![number; 10]);
        }
        assert_eq!(queue.bytes(), 30);
        for number in 0..3 {
            assert_eq!(waiting.next().await.unwrap().bytes, vec![number; 10]);
        }
        assert_eq!((queue.bytes(), queue.dropped()), (0, 0));
        drop(queue);
        assert!(waiting.next().await.is_none());
    }

    #[tokio::test]
    async fn what_does_not_fit_is_dropped_and_counted() {
        let (queue, mut waiting) = new();
        for _ in 0..limits::LINK_QUEUE_MESSAGES_MAX + 2 {
            queue.offer(vec![]);
        }
        assert_eq!(queue.dropped(), 2);
        waiting.clear();
        for _ in 0..3 {
            queue.offer(vec![0; limits::LINK_QUEUE_BYTES_MAX / 2]);
        }
        assert_eq!(queue.dropped(), 3);
        waiting.clear();
        assert_eq!(queue.bytes(), 0);
        queue.offer(vec![7]);
        drop(waiting);
        queue.offer(vec![7]);
        assert_eq!((queue.bytes(), queue.dropped()), (0, 4));
    }
}
