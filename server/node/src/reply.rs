//! Where the answer to a request goes: to the one caller who waits, or into a session's queue.
//!
//! Answers of one session that are ready together travel together, so that a session is woken once for many.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use item::outcome::Answer;
use tokio::sync::{mpsc, oneshot};

/// What a request came to.
pub type Answered = Result<Answer, item::Error>;

/// An answer on its way to a client; while it lasts, its bytes count as not taken.
#[derive(Debug)]
pub struct Delivery {
    /// The answer.
    pub answered: Answered,
    _held: Held,
}

/// The bytes of answers that clients have not taken yet.
#[derive(Clone, Debug, Default)]
pub struct Untaken(Arc<AtomicUsize>);

#[derive(Debug)]
struct Held {
    bytes: usize,
    of: Untaken,
}

impl Untaken {
    /// How many.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts an answer of so many bytes until it is dropped.
    pub fn deliver(&self, answered: Answered, bytes: usize) -> Delivery {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Delivery { answered, _held: Held { bytes, of: self.clone() } }
    }

    /// A refusal, which counts nothing.
    pub fn refuse(&self, error: item::Error) -> Delivery {
        self.deliver(Err(error), 0)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The answers to calls of a session, by the calls' ids.
pub type Answers = Vec<(u32, Delivery)>;

/// Where an answer goes.
pub enum ReplyTo {
    /// To whoever waits for this one.
    Caller(oneshot::Sender<Delivery>),
    /// Into a session's queue.
    Session {
        /// The session.
        route: Arc<Route>,
        /// The call's id.
        call: u32,
    },
}

/// The way back to a session.
pub struct Route {
    /// The session's number, unique among those of a shard.
    pub session: u32,
    answers: mpsc::UnboundedSender<Answers>,
}

impl Route {
    /// A way to a session, and where its answers arrive. The queue holds no more than the calls under way.
    pub fn new(session: u32) -> (Arc<Route>, mpsc::UnboundedReceiver<Answers>) {
        let (answers, receiver) = mpsc::unbounded_channel();
        (Arc::new(Route { session, answers }), receiver)
    }
}

impl ReplyTo {
    /// Whether nobody waits any more.
    pub fn is_closed(&self) -> bool {
        match self {
            ReplyTo::Caller(caller) => caller.is_closed(),
            ReplyTo::Session { route, .. } => route.answers.is_closed(),
        }
    }

    /// Answers at once.
    pub fn send(self, delivery: Delivery) {
        match self {
            // Whoever gave up waiting has gone.
            ReplyTo::Caller(caller) => drop(caller.send(delivery)),
            ReplyTo::Session { route, call } => drop(route.answers.send(vec![(call, delivery)])),
        }
    }
}

/// Answers gathered for their sessions.
#[derive(Default)]
pub struct Gathered {
    sessions: BTreeMap<u32, (Arc<Route>, Answers)>,
}

impl Gathered {
    /// Answers a single caller at once, and keeps a session's answer until `release`.
    pub fn add(&mut self, to: ReplyTo, delivery: Delivery) {
        match to {
            ReplyTo::Caller(_) => to.send(delivery),
            ReplyTo::Session { route, call } => {
                let (_, answers) =
                    self.sessions.entry(route.session).or_insert_with(|| (route, Answers::new()));
                answers.push((call, delivery));
            }
        }
    }

    /// Sends each session what was gathered for it.
    pub fn release(self) {
        for (route, answers) in self.sessions.into_values() {
            // A session that has ended wants no answers.
            let _ = route.answers.send(answers);
        }
    }
}

#[cfg(test)]
mod tests {
    use item::{AttributeValue, Item, Outcome};

    use super::*;

    #[test]
    fn an_answer_counts_until_it_is_dropped() {
        let untaken = Untaken::default();
        let item = Item::from([("k".to_owned(), AttributeValue::B(vec![0; 999]))]);
        let reply = shard::Reply::new(1, Ok(Answer::Item(Outcome::Item(Some(item)))));
        let delivery = untaken.deliver(reply.result, reply.bytes);
        assert_eq!(untaken.bytes(), 1000);
        drop(delivery);
        assert_eq!(untaken.bytes(), 0);
    }
}
