//! More puts than a region can do, at next to no cost for whoever sends them: a generator that shares the
//! machine with the server must not take from it what it is to measure.
//!
//! So every request is encoded once and sent again and again, on sessions, and of an answer only the
//! refusal's name is read. A start that finds the session's stream full is not made up for: it was held back
//! by the server's flow control, as a client's would be.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use prost::Message;
use prost::bytes::Bytes;
use proto::v1::{PutItemRequest, SessionCall, SessionOperation, SessionRequest, SessionResponse};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::wire::{self, item, text};

/// How often what is due is sent.
const TICK: Duration = Duration::from_millis(2);
/// The most calls and bytes of one frame.
const FRAME_CALLS: usize = 256;
const FRAME_BYTES: usize = 512 * 1024;
/// Frames that wait for the stream to take them.
const FRAMES_WAITING: usize = 4;
/// How long a call may take before the server drops it.
const TIMEOUT_MS: u32 = 20_000;
/// How long answers are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// What to send.
#[derive(Clone, Debug)]
pub struct Load {
    /// Into which table, whose partition key is `id`.
    pub table: &'static str,
    /// To how many keys.
    pub keys: usize,
    /// Bytes of one item, about.
    pub item_bytes: usize,
    /// Puts in a second, over all connections.
    pub per_second: f64,
    /// For how long.
    pub length: Duration,
    /// Over how many connections.
    pub connections: usize,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Puts that were done, until the last of them was sent.
    pub done: u64,
    /// Puts that were refused, by name.
    pub refused: BTreeMap<String, u64>,
    /// Puts that the stream did not take.
    pub held_back: u64,
}

impl Sent {
    fn note(&mut self, frame: SessionResponse, in_time: bool) {
        for answer in frame.answers {
            match answer.error {
                None => self.done += u64::from(in_time),
                Some(error) => *self.refused.entry(error.name).or_default() += 1,
            }
        }
    }

    fn add(&mut self, other: Sent) {
        self.done += other.done;
        self.held_back += other.held_back;
        for (name, count) in other.refused {
            *self.refused.entry(name).or_default() += count;
        }
    }
}

/// Sends puts at the load's rate, whatever becomes of them.
pub async fn flood(endpoint: &str, load: &Load) -> Sent {
    let requests: Vec<Bytes> = (0..load.keys).map(|number| request(load, number)).collect();
    let mut senders = JoinSet::new();
    for _ in 0..load.connections {
        let share = Load { per_second: load.per_second / load.connections as f64, ..load.clone() };
        senders.spawn(send(endpoint.to_owned(), share, requests.clone()));
    }
    let mut sent = Sent::default();
    senders.join_all().await.into_iter().for_each(|of_one| sent.add(of_one));
    sent
}

fn request(load: &Load, number: usize) -> Bytes {
    let payload = text("x".repeat(load.item_bytes));
    let item = item([("id", text(format!("flood{number:06}"))), ("payload", payload)]);
    let put = PutItemRequest { table_name: load.table.to_owned(), item, ..PutItemRequest::default() };
    put.encode_to_vec().into()
}

async fn send(endpoint: String, load: Load, requests: Vec<Bytes>) -> Sent {
    let mut wire = wire::connect(&endpoint).await.expect("a region that runs takes connections");
    let (frames, receiver) = mpsc::channel(FRAMES_WAITING);
    let mut answers = wire.session(Frames(receiver)).await.expect("a session opens").into_inner();
    let pacing = tokio::spawn(pace(load.clone(), requests, frames));
    let ends = Instant::now() + load.length;
    let mut sent = Sent::default();
    let reading = async {
        while let Some(frame) = answers.message().await.expect("a session is not broken off") {
            sent.note(frame, Instant::now() <= ends);
        }
    };
    tokio::time::timeout_at(ends + LAST_ANSWERS, reading).await.expect("every call is answered");
    sent.held_back = pacing.await.expect("the pace does not fail");
    sent
}

/// Sends what is due, tick by tick, and says how much the stream did not take.
async fn pace(load: Load, requests: Vec<Bytes>, frames: mpsc::Sender<SessionRequest>) -> u64 {
    let mut calls = Calls { requests, last: 0 };
    let begun = Instant::now();
    let (mut given, mut held_back) = (0, 0);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while begun.elapsed() < load.length {
        ticks.tick().await;
        let due = (begun.elapsed().as_secs_f64() * load.per_second) as u64;
        while given < due {
            let count = calls.fit().min((due - given) as usize);
            given += count as u64;
            match frames.try_reserve() {
                Ok(place) => place.send(calls.frame(count)),
                Err(_) => held_back += count as u64,
            }
        }
    }
    held_back
}

/// The requests, round and round, as calls.
struct Calls {
    requests: Vec<Bytes>,
    last: u32,
}

impl Calls {
    /// How many go into a frame.
    fn fit(&self) -> usize {
        let bytes = self.requests[0].len();
        (FRAME_BYTES / bytes).clamp(1, FRAME_CALLS)
    }

    fn frame(&mut self, count: usize) -> SessionRequest {
        let calls = (0..count).map(|_| {
            self.last = self.last.wrapping_add(1);
            let request = self.requests[self.last as usize % self.requests.len()].clone();
            let operation = SessionOperation::PutItem.into();
            SessionCall { id: self.last, operation, timeout_ms: TIMEOUT_MS, request, passed_on: false }
        });
        SessionRequest { calls: calls.collect(), cancelled: Vec::new() }
    }
}

struct Frames(mpsc::Receiver<SessionRequest>);

impl Stream for Frames {
    type Item = SessionRequest;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SessionRequest>> {
        self.0.poll_recv(context)
    }
}
