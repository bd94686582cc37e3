//! One thread's share of a run: a client of its own and so many workers, each with one operation under way.
//!
//! The workers are futures of one task on a runtime of one thread. Answers that arrive together are dealt
//! with together, nothing is handed from thread to thread, and the recorder needs no lock.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::error::Cause;
use client::{Client, Error, Settings};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hdrhistogram::Histogram;
use rand::RngExt;
use tokio::sync::{mpsc, watch};

use super::operation;
use super::pace::Pace;
use super::plan::{self, Plan};
use super::recorder::{self, Recorder};
use super::window::Window;
use crate::failure::Failure;

/// How long a worker rests when there is no connection: asking again at once would only heat the processor.
const REST: Duration = Duration::from_millis(10);
/// How often the figures of a thread are shown.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a thread needs to know.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// The run.
    pub(super) plan: Arc<Plan>,
    /// When.
    pub(super) window: Window,
    /// The starts at a fixed rate, if there is one.
    pub(super) pace: Option<Arc<Pace>>,
    /// Operations under way at once.
    pub(super) in_flight: u32,
    /// Connections to open.
    pub(super) connections: u32,
    /// Where the latencies of each second go, if anybody watches.
    pub(super) intervals: Option<mpsc::Sender<Histogram<u64>>>,
    /// Ends the run when its sender is gone.
    pub(super) stopped: watch::Receiver<()>,
}

impl Lane {
    /// Runs to the end, on the thread that calls it.
    pub(super) fn run(self) -> Result<Recorder, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| Failure::Runtime { source })?;
        runtime.block_on(async {
            let settings = Settings {
                request_ids: false,
                unary: self.plan.arguments.unary,
                connections: self.connections as usize,
                retries: false,
                direct: !self.plan.arguments.through,
                ..Settings::default()
            };
            let client = self.plan.target.client_with(settings)?;
            let seen = Seen::new(self.plan.arguments.workload.parts().len());
            let mut stopped = self.stopped.clone();
            // An answer wakes its own worker and no other.
            let workers = (0..self.in_flight).map(|_| self.work(&client, &seen));
            let workers = workers.collect::<FuturesUnordered<_>>();
            tokio::select! {
                () = workers.collect() => {}
                () = self.publish(&seen) => {}
                _ = stopped.changed() => {}
            }
            Ok(seen.recorder.into_inner())
        })
    }

    /// One operation after the other.
    async fn work(&self, client: &Client, seen: &Seen) {
        let workload = self.plan.arguments.workload;
        let parts = workload.parts();
        let mut random = plan::generator();
        while let Some(start) = self.next().await {
            let part = if parts.len() > 1 { workload.draw(random.random_range(0..100)) } else { 0 };
            let result = operation::perform(client, &self.plan, parts[part].action, &mut random).await;
            let rest = matches!(&result, Err(error) if is_cut_off(error));
            self.note(seen, part, start, result);
            if rest {
                tokio::time::sleep(REST).await;
            }
        }
    }

    /// When the next operation starts, or should have.
    async fn next(&self) -> Option<Instant> {
        let start = match &self.pace {
            Some(pace) => Some(self.window.begun + pace.next().await?),
            None => None,
        };
        let at = Instant::now();
        if self.window.is_over(at) { None } else { Some(start.unwrap_or(at)) }
    }

    fn note(&self, seen: &Seen, part: usize, start: Instant, result: Result<bool, Error>) {
        let at = Instant::now();
        let counts = self.window.counts(start);
        match result {
            Ok(found) => {
                let latency = at.saturating_duration_since(start);
                if counts {
                    seen.recorder.borrow_mut().answered(part, latency, at, found);
                }
                if self.intervals.is_some() {
                    seen.interval.borrow_mut().saturating_record(recorder::nanoseconds(latency));
                }
            }
            Err(error) if counts => seen.recorder.borrow_mut().failed(error.name()),
            Err(_) => {}
        }
    }

    /// Sends off the latencies of every second; never ends.
    async fn publish(&self, seen: &Seen) {
        let Some(intervals) = &self.intervals else { return std::future::pending().await };
        loop {
            tokio::time::sleep(INTERVAL).await;
            let interval = seen.interval.replace(recorder::histogram());
            // Whoever shows them may be behind; a second that nobody sees is no loss.
            let _ = intervals.try_send(interval);
        }
    }
}

/// What the workers of a thread saw.
struct Seen {
    recorder: RefCell<Recorder>,
    interval: RefCell<Histogram<u64>>,
}

impl Seen {
    fn new(parts: usize) -> Seen {
        let recorder = RefCell::new(Recorder::new(parts));
        Seen { recorder, interval: RefCell::new(recorder::histogram()) }
    }
}

/// Whether a failure tells of a connection that is not there.
fn is_cut_off(error: &Error) -> bool {
    match error {
        Error::NotDone { cause } | Error::OutcomeUnknown { cause } | Error::NoAnswer { cause } => {
            matches!(cause, Cause::Connection { .. })
        }
        _ => false,
    }
}
