//! Sockets, clocks and chance: `Client` carries calls to endpoints, and does what `retry` and `choice`
//! decide.

mod attempt;
mod cluster;
mod connection;
mod item;
mod region;
pub mod session;
mod table;
pub mod tls;

pub use attempt::is_connect_error;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prost::Message;
use prost::bytes::Bytes;
use proto::v1::SessionOperation;
use proto::v1::meridian_client::MeridianClient;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use self::attempt::Attempt;
use self::connection::Endpoint;
use self::tls::Tls;
use crate::budget::Budget;
use crate::choice::Choice;
use crate::error::{Cause, Error};
use crate::failure::Failure;
use crate::retry::{Call, Decision, Repeat};
use crate::throttle::Throttle;

/// What a client may be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a call may take, all of its attempts together.
    pub deadline: Duration,
    /// Whether single-item writes get a random request id when they have none.
    pub request_ids: bool,
    /// Whether calls about items travel as unary calls, not on a session.
    pub unary: bool,
    /// Connections to each endpoint; calls take them by turns.
    pub connections: usize,
    /// Whether failed attempts are followed by others.
    pub retries: bool,
    /// Whether the endpoints are nodes of one region, where any of them knows a call by its request id. A
    /// write of unknown outcome may then be tried again at another one; among regions it stays where it was.
    pub one_region: bool,
    /// Whom to trust where an endpoint is `https://`; without it such endpoints are refused.
    pub tls: Option<Tls>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            deadline: Duration::from_secs(30),
            request_ids: true,
            unary: false,
            connections: 1,
            retries: true,
            one_region: false,
            tls: None,
        }
    }
}

/// A client of one or more regions, the first of its endpoints preferred. Shared by reference among tasks.
pub struct Client {
    endpoints: Vec<Endpoint>,
    state: Mutex<State>,
    settings: Settings,
    started: Instant,
}

#[derive(Debug)]
struct State {
    choice: Choice,
    budget: Budget,
    /// One per endpoint.
    throttles: Vec<Throttle>,
}

impl Client {
    /// A client of these endpoints (`http://HOST:PORT`, or `https://HOST:PORT` with TLS), in the order of
    /// preference. Connects at the first call. Must be called within a tokio runtime.
    pub fn new<T: AsRef<str>>(endpoints: &[T], settings: Settings) -> Result<Client, Error> {
        let endpoint = |text: &T| Endpoint::new(text.as_ref(), settings.connections, settings.tls.as_ref());
        let endpoints = endpoints.iter().map(endpoint).collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err(Error::Endpoint { text: String::new() });
        }
        let state = State {
            choice: Choice::new(endpoints.len()),
            budget: Budget::default(),
            throttles: vec![Throttle::default(); endpoints.len()],
        };
        Ok(Client { endpoints, state: Mutex::new(state), settings, started: Instant::now() })
    }

    /// A client of one endpoint, with the usual settings.
    pub fn connect(endpoint: &str) -> Result<Client, Error> {
        Client::new(&[endpoint], Settings::default())
    }

    /// Makes a unary call, trying again as `retry` decides.
    async fn call<Q, R, F, A>(&self, repeat: Repeat, request: Q, method: F) -> Result<R, Error>
    where
        Q: Clone,
        F: Fn(MeridianClient<Channel>, Request<Q>) -> A,
        A: Future<Output = Result<Response<R>, Status>>,
    {
        let (request, method) = (&request, &method);
        self.attempts(repeat, |endpoint, deadline| {
            attempt::unary(endpoint, deadline, request.clone(), method)
        })
        .await
    }

    /// Makes a call about items on a session, unless the settings say otherwise.
    async fn item_call<Q, R, F, A>(
        &self,
        repeat: Repeat,
        operation: SessionOperation,
        request: Q,
        method: F,
    ) -> Result<R, Error>
    where
        Q: Message + Clone,
        R: Message + Default,
        F: Fn(MeridianClient<Channel>, Request<Q>) -> A,
        A: Future<Output = Result<Response<R>, Status>>,
    {
        if self.settings.unary {
            return self.call(repeat, request, method).await;
        }
        let request = Bytes::from(request.encode_to_vec());
        drop(method);
        self.attempts(repeat, |endpoint, deadline| {
            attempt::on_session(endpoint, deadline, operation, request.clone())
        })
        .await
    }

    async fn attempts<'a, R, A>(
        &'a self,
        repeat: Repeat,
        attempt: impl Fn(&'a Endpoint, Instant) -> A,
    ) -> Result<R, Error>
    where
        A: Future<Output = Result<R, Attempt>>,
    {
        let deadline = Instant::now() + self.settings.deadline;
        let mut call = Call::new(repeat);
        let mut pinned = None;
        loop {
            let (index, is_admitted) = self.choose(pinned);
            let attempted = match is_admitted {
                true => attempt(&self.endpoints[index], deadline).await,
                false => Err(attempt::held_back()),
            };
            let attempt = match attempted {
                Ok(answer) => {
                    let now_ms = self.now_ms();
                    let mut state = self.state();
                    state.choice.answered(index);
                    state.budget.succeeded();
                    state.throttles[index].answered(now_ms, true);
                    return Ok(answer);
                }
                Err(attempt) => attempt,
            };
            match self.failed(&mut call, index, &attempt, deadline) {
                Decision::GiveUp { unknown } => return Err(give_up(repeat, unknown, attempt)),
                Decision::Retry { after_ms, stay } => {
                    pinned = (stay && !self.settings.one_region).then_some(index);
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                }
            }
        }
    }

    /// Where to make an attempt, and whether to make it at all.
    fn choose(&self, pinned: Option<usize>) -> (usize, bool) {
        let (now_ms, random) = (self.now_ms(), rand::random());
        let mut state = self.state();
        let index = pinned.unwrap_or_else(|| state.choice.choose(now_ms));
        (index, state.throttles[index].admits(now_ms, random))
    }

    fn failed(&self, call: &mut Call, index: usize, attempt: &Attempt, deadline: Instant) -> Decision {
        let left = deadline.saturating_duration_since(Instant::now());
        // No time is left for another attempt where none is wanted.
        let left_ms = match self.settings.retries {
            true => u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            false => 0,
        };
        let now_ms = self.now_ms();
        let mut state = self.state();
        if attempt.blames_endpoint {
            state.choice.failed(index, now_ms);
        } else {
            state.choice.answered(index);
        }
        if let Some(taken) = attempt.taken {
            state.throttles[index].answered(now_ms, taken);
        }
        call.failed(attempt.failure, &mut state.budget, left_ms, rand::random())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two of its statements, so a panicked holder left nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn give_up(repeat: Repeat, unknown: bool, attempt: Attempt) -> Error {
    match (attempt.failure, attempt.cause) {
        (Failure::Refused, Cause::Server(refusal)) => Error::Refused(refusal),
        (_, cause) if unknown => Error::OutcomeUnknown { cause },
        (Failure::Unknown, cause) if repeat == Repeat::Harmless => Error::NoAnswer { cause },
        (_, cause) => Error::NotDone { cause },
    }
}
