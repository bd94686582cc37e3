//! Sockets, clocks and chance: `Client` carries calls to endpoints, and does what `retry` and `choice`
//! decide.

mod attempt;
mod cluster;
mod connection;
mod direct;
mod item;
mod region;
pub mod session;
mod table;
pub mod tls;

pub use attempt::is_connect_error;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prost::Message;
use prost::bytes::Bytes;
use proto::v1::SessionOperation;
use proto::v1::meridian_client::MeridianClient;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use self::attempt::{Answered, Attempt};
use self::connection::Endpoint;
use self::direct::{Direct, Place, Straight};
use self::tls::Tls;
use crate::budget::Budget;
use crate::choice::Choice;
use crate::error::{Cause, Error};
use crate::failure::Failure;
use crate::retry::{Call, Decision, Repeat};
use crate::target::Target;
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
    /// Whether calls about items go straight to the node that leads, where it is known, and not by way of an
    /// endpoint that passes them on.
    pub direct: bool,
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
            direct: true,
            tls: None,
        }
    }
}

/// A client of one or more regions, the first of its endpoints preferred. Shared by reference among tasks.
pub struct Client {
    endpoints: Vec<Arc<Endpoint>>,
    state: Mutex<State>,
    direct: Direct,
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

/// Where an attempt is made.
struct Chosen {
    /// The endpoint of the region that was chosen.
    index: usize,
    /// Its region, among those that the client tells apart.
    region: usize,
    place: Place,
    /// What it is made at: that endpoint, or the leader.
    endpoint: Arc<Endpoint>,
    /// Whether it goes straight to the leader.
    straight: Option<Straight>,
    is_admitted: bool,
}

impl Chosen {
    fn straight(index: usize, region: usize, place: Place, way: Straight) -> Self {
        let (endpoint, is_admitted) = (way.endpoint.clone(), way.is_admitted);
        Chosen { index, region, place, endpoint, straight: Some(way), is_admitted }
    }
}

impl Client {
    /// A client of these endpoints (`http://HOST:PORT`, or `https://HOST:PORT` with TLS), in the order of
    /// preference. Connects at the first call. Must be called within a tokio runtime.
    pub fn new<T: AsRef<str>>(endpoints: &[T], settings: Settings) -> Result<Client, Error> {
        let endpoint = |text: &T| Endpoint::new(text.as_ref(), settings.connections, settings.tls.as_ref());
        let endpoints =
            endpoints.iter().map(|text| endpoint(text).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err(Error::Endpoint { text: String::new() });
        }
        let state = State {
            choice: Choice::new(endpoints.len()),
            budget: Budget::default(),
            throttles: vec![Throttle::default(); endpoints.len()],
        };
        let started = Instant::now();
        let regions = if settings.one_region { 1 } else { endpoints.len() };
        let direct = Direct::new(regions, settings.connections, settings.tls.clone(), started);
        Ok(Client { endpoints, state: Mutex::new(state), direct, settings, started })
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
        self.unary(repeat, None, &request, method).await
    }

    async fn unary<Q, R, F, A>(
        &self,
        repeat: Repeat,
        target: Option<&dyn Target>,
        request: &Q,
        method: F,
    ) -> Result<R, Error>
    where
        Q: Clone,
        F: Fn(MeridianClient<Channel>, Request<Q>) -> A,
        A: Future<Output = Result<Response<R>, Status>>,
    {
        let method = &method;
        self.attempts(repeat, target, |endpoint, deadline| async move {
            attempt::unary(&endpoint, deadline, request.clone(), method).await
        })
        .await
    }

    /// Makes a call about items on a session, unless the settings say otherwise.
    async fn item_call<Q, R, F, A>(
        &self,
        repeat: Repeat,
        operation: SessionOperation,
        target: Option<&dyn Target>,
        request: &Q,
        method: F,
    ) -> Result<R, Error>
    where
        Q: Message + Clone,
        R: Message + Default,
        F: Fn(MeridianClient<Channel>, Request<Q>) -> A,
        A: Future<Output = Result<Response<R>, Status>>,
    {
        if self.settings.unary {
            return self.unary(repeat, target, request, method).await;
        }
        let request = &Bytes::from(request.encode_to_vec());
        drop(method);
        self.attempts(repeat, target, |endpoint, deadline| async move {
            attempt::on_session(&endpoint, deadline, operation, request.clone()).await
        })
        .await
    }

    async fn attempts<R, A>(
        &self,
        repeat: Repeat,
        target: Option<&dyn Target>,
        attempt: impl Fn(Arc<Endpoint>, Instant) -> A,
    ) -> Result<R, Error>
    where
        A: Future<Output = Result<Answered<R>, Attempt>>,
    {
        let deadline = Instant::now() + self.settings.deadline;
        let target = target.filter(|_| self.settings.direct);
        let mut call = Call::new(repeat);
        let (mut pinned, mut goes_straight) = (None, true);
        loop {
            let mut chosen = self.choose(pinned, target, goes_straight);
            let attempted = match chosen.is_admitted {
                true => attempt(chosen.endpoint.clone(), deadline).await,
                false => Err(attempt::held_back()),
            };
            let attempt = match attempted {
                Ok(answered) => {
                    self.succeeded(&mut chosen, target, answered.node);
                    return Ok(answered.response);
                }
                Err(attempt) => attempt,
            };
            self.note(&mut chosen, target, &attempt);
            if chosen.straight.is_some() {
                // Who has too much to do is not relieved by having the call passed on to it.
                goes_straight = attempt.is_throttled();
                if attempt.failure == Failure::NotSent && Instant::now() < deadline {
                    continue;
                }
            }
            match self.decide(&mut call, &attempt, deadline) {
                Decision::GiveUp { unknown } => return Err(give_up(repeat, unknown, attempt)),
                Decision::Retry { after_ms, stay } => {
                    pinned = (stay && !self.settings.one_region).then_some(chosen.index);
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                }
            }
        }
    }

    /// Where to make an attempt, and whether to make it at all.
    fn choose(&self, pinned: Option<usize>, target: Option<&dyn Target>, goes_straight: bool) -> Chosen {
        let (now_ms, random) = (self.now_ms(), rand::random());
        let mut index = pinned.unwrap_or_else(|| self.state().choice.choose(now_ms));
        let region = if self.settings.one_region { 0 } else { index };
        let mut place = match target {
            Some(target) => self.direct.place(region, target, &self.endpoints[index]),
            None => Place::default(),
        };
        if let Some(leader) = place.leader.take().filter(|_| goes_straight)
            && let Some(target) = target
        {
            match self.endpoint_of(region, &leader.address, now_ms) {
                Some(known) => index = known,
                None => {
                    let endpoint = &self.endpoints[index];
                    if let Some(way) = self.direct.way(region, target.table(), leader, endpoint, random) {
                        return Chosen::straight(index, region, place, way);
                    }
                }
            }
        }
        let is_admitted = self.state().throttles[index].admits(now_ms, random);
        let endpoint = self.endpoints[index].clone();
        Chosen { index, region, place, endpoint, straight: None, is_admitted }
    }

    /// The endpoint of a region that is at an address and well.
    fn endpoint_of(&self, region: usize, address: &str, now_ms: u64) -> Option<usize> {
        let candidates = match self.settings.one_region {
            true => 0..self.endpoints.len(),
            false => region..region + 1,
        };
        let mut there = candidates.filter(|index| self.endpoints[*index].authority == address);
        there.find(|index| !self.state().choice.is_resting(*index, now_ms))
    }

    fn succeeded(&self, chosen: &mut Chosen, target: Option<&dyn Target>, node: u64) {
        if let Some(target) = target.filter(|_| node != 0) {
            self.direct.told(chosen.region, target.table(), chosen.place.hash, node);
        }
        let now_ms = self.now_ms();
        let mut state = self.state();
        state.budget.succeeded();
        match &mut chosen.straight {
            Some(straight) => {
                drop(state);
                straight.answered(true);
            }
            None => {
                state.choice.answered(chosen.index);
                state.throttles[chosen.index].answered(now_ms, true);
            }
        }
    }

    /// Notes what a failed attempt says of whoever it was made at.
    fn note(&self, chosen: &mut Chosen, target: Option<&dyn Target>, attempt: &Attempt) {
        if let (Some(target), Some(node)) = (target, attempt.elsewhere) {
            self.direct.told(chosen.region, target.table(), chosen.place.hash, node);
        }
        if let Some(straight) = &mut chosen.straight {
            match (attempt.blames_endpoint, attempt.taken) {
                (true, _) => straight.failed(),
                (false, Some(taken)) => straight.answered(taken),
                (false, None) => {}
            }
            return;
        }
        let (index, now_ms) = (chosen.index, self.now_ms());
        let mut state = self.state();
        if attempt.blames_endpoint {
            state.choice.failed(index, now_ms);
        } else {
            state.choice.answered(index);
        }
        if let Some(taken) = attempt.taken {
            state.throttles[index].answered(now_ms, taken);
        }
    }

    fn decide(&self, call: &mut Call, attempt: &Attempt, deadline: Instant) -> Decision {
        let left = deadline.saturating_duration_since(Instant::now());
        // No time is left for another attempt where none is wanted.
        let left_ms = match self.settings.retries {
            true => u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            false => 0,
        };
        call.failed(attempt.failure, &mut self.state().budget, left_ms, rand::random())
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
