//! Starts operations at a fixed rate, whatever became of those before.
//!
//! A thread of its own hands out starts when they are due, since a timer of the runtime may be a whole
//! millisecond late. A start that finds no worker idle waits for one, and its latency grows meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use types::limits::BENCH_SLEEP_MS_MAX;

use super::schedule::Schedule;

/// The starts of one run.
#[derive(Debug)]
pub(super) struct Pace {
    schedule: Schedule,
    /// How many starts there are.
    starts: u64,
    /// Starts that are due and not taken.
    due: Semaphore,
    taken: AtomicU64,
}

impl Pace {
    /// Starts for so long.
    pub(super) fn new(schedule: Schedule, length: Duration) -> Pace {
        let starts = schedule.before(length);
        Pace { schedule, starts, due: Semaphore::new(0), taken: AtomicU64::new(0) }
    }

    /// Waits for a start, and says when it was due; `None` when there are no more.
    pub(super) async fn next(&self) -> Option<Duration> {
        self.due.acquire().await.ok()?.forget();
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        (number < self.starts).then(|| self.schedule.start(number))
    }

    /// Hands out starts as they fall due, then one more to each worker, which tells it that there are no
    /// more. Ends early when the sender of `stopped` is gone.
    pub(super) fn run(&self, begun: Instant, workers: u32, stopped: &watch::Receiver<()>) {
        let mut given = 0;
        while given < self.starts && stopped.has_changed().is_ok() {
            let due = self.schedule.due(begun.elapsed()).min(self.starts);
            self.due.add_permits((due - given) as usize);
            given = due;
            let wait = self.schedule.start(given).saturating_sub(begun.elapsed());
            std::thread::sleep(wait.min(Duration::from_millis(BENCH_SLEEP_MS_MAX)));
        }
        self.due.add_permits(workers as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_start_is_handed_out_once_and_every_worker_told_of_the_end() {
        let pace = Pace::new(Schedule::new(1_000_000), Duration::from_millis(1));
        let (_stop, stopped) = watch::channel(());
        pace.run(Instant::now(), 2, &stopped);
        for number in 0..1000 {
            assert_eq!(pace.next().await, Some(Duration::from_micros(number)));
        }
        assert_eq!((pace.next().await, pace.next().await), (None, None));
        assert_eq!(pace.due.available_permits(), 0);
    }

    #[test]
    fn a_run_that_was_stopped_hands_out_no_more() {
        let pace = Pace::new(Schedule::new(1), Duration::from_secs(1_000_000));
        let (stop, stopped) = watch::channel(());
        drop(stop);
        pace.run(Instant::now(), 1, &stopped);
        assert_eq!(pace.due.available_permits(), 1);
    }
}
