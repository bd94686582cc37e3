//! The measurement: threads that perform operations, perhaps one that starts them, and their figures as one.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use types::limits::BENCH_INTERVALS_AHEAD_MAX;

use super::lane::Lane;
use super::pace::Pace;
use super::plan::Plan;
use super::progress::Progress;
use super::recorder::{Recorder, histogram};
use super::schedule::Schedule;
use super::window::Window;
use crate::failure::Failure;

/// What came of it.
#[derive(Debug)]
pub(super) struct Measured {
    /// What all threads saw.
    pub(super) recorder: Recorder,
    /// From the end of the warm-up to the last answer.
    pub(super) took: Duration,
    /// Starts that were due, and found no worker before the end.
    pub(super) unstarted: u64,
}

/// Runs a workload. Dropping the future ends its threads.
pub(super) async fn measure(plan: &Arc<Plan>, progress: &Progress) -> Result<Measured, Failure> {
    let arguments = &plan.arguments;
    let warm_up = Duration::from_secs(arguments.warm_up);
    let length = warm_up + Duration::from_secs(arguments.seconds);
    let schedule = arguments.rate.map(Schedule::new);
    let pace = schedule.map(|schedule| Arc::new(Pace::new(schedule, length)));
    let (stop, stopped) = watch::channel(());
    let (sender, mut intervals) = mpsc::channel(BENCH_INTERVALS_AHEAD_MAX);
    let window = Window { begun: Instant::now(), warm_up, length };
    let processors = available_parallelism().map_or(1, |count| count.get() as u32);
    let count = arguments.connections.min(arguments.in_flight).min(processors);
    let mut threads = JoinSet::new();
    for index in 0..count {
        let lane = Lane {
            plan: plan.clone(),
            window,
            pace: pace.clone(),
            in_flight: share(arguments.in_flight, count, index),
            connections: share(arguments.connections, count, index),
            intervals: progress.is_shown().then(|| sender.clone()),
            stopped: stopped.clone(),
        };
        threads.spawn_blocking(move || lane.run());
    }
    if let Some(pace) = pace {
        let workers = arguments.in_flight;
        tokio::task::spawn_blocking(move || pace.run(window.begun, workers, &stopped));
    }
    let mut recorder = Recorder::new(arguments.workload.parts().len());
    let mut second = histogram();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            joined = threads.join_next() => match joined {
                Some(joined) => recorder.add(&finished(joined)?),
                None => break,
            },
            Some(interval) = intervals.recv() => add(&mut second, &interval),
            _ = ticks.tick() => progress.second(window.begun.elapsed(), &mut second),
        }
    }
    drop(stop);
    let planned = schedule.map_or(0, |schedule| schedule.before(length) - schedule.before(warm_up));
    let unstarted = planned.saturating_sub(recorder.operations() + recorder.failures());
    Ok(Measured { took: window.measured(recorder.last_answer), recorder, unstarted })
}

fn finished(joined: Result<Result<Recorder, Failure>, JoinError>) -> Result<Recorder, Failure> {
    joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn add(second: &mut Histogram<u64>, interval: &Histogram<u64>) {
    second.add(interval).expect("all histograms have the same bounds");
}

/// The share of one of `parts` in a total, as equal as whole numbers can be.
fn share(total: u32, parts: u32, index: u32) -> u32 {
    total / parts + u32::from(index < total % parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        assert_eq!([0, 1, 2].map(|index| share(64, 3, index)), [22, 21, 21]);
        assert_eq!([0, 1].map(|index| share(2, 2, index)), [1, 1]);
    }
}
