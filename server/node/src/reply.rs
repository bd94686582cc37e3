//! Where the answer to a request goes: to the one caller who waits, or into a session's queue.
//!
//! Answers of one session that are ready together travel together, so that a session is woken once for many.

use std::collections::BTreeMap;
use std::sync::Arc;

use item::outcome::Answer;
use tokio::sync::{mpsc, oneshot};

/// What a request came to.
pub type Answered = Result<Answer, item::Error>;

/// The answers to calls of a session, by the calls' ids.
pub type Answers = Vec<(u32, Answered)>;

/// Where an answer goes.
pub enum ReplyTo {
    /// To whoever waits for this one.
    Caller(oneshot::Sender<Answered>),
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
    pub fn send(self, answered: Answered) {
        match self {
            // Whoever gave up waiting has gone.
            ReplyTo::Caller(caller) => drop(caller.send(answered)),
            ReplyTo::Session { route, call } => drop(route.answers.send(vec![(call, answered)])),
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
    pub fn add(&mut self, to: ReplyTo, answered: Answered) {
        match to {
            ReplyTo::Caller(_) => to.send(answered),
            ReplyTo::Session { route, call } => {
                let (_, answers) =
                    self.sessions.entry(route.session).or_insert_with(|| (route, Answers::new()));
                answers.push((call, answered));
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
