//! Writes a key every 20 ms through one node, whatever became of the write before, and knows when each was
//! acknowledged.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::watchdog::{SOON, within};
use crate::wire::{self, Fate, Wire};

const EVERY: Duration = Duration::from_millis(20);

/// A prober at work.
pub struct Probe {
    key: String,
    stop: watch::Sender<bool>,
    last: watch::Receiver<Option<Instant>>,
    working: JoinHandle<Vec<Instant>>,
}

impl Probe {
    /// Sets one going.
    pub fn start(wire: &Wire, table: &str, key: &str) -> Probe {
        let (stop, stopped) = watch::channel(false);
        let (say, last) = watch::channel(None);
        let writer = Writer { wire: wire.clone(), table: table.to_owned(), key: key.to_owned() };
        Probe { key: key.to_owned(), stop, last, working: tokio::spawn(writer.work(say, stopped)) }
    }

    /// Waits until a write is acknowledged after a moment.
    pub async fn acknowledged_after(&mut self, moment: Instant) {
        let event = self.last.wait_for(|last| *last > Some(moment));
        within(SOON, &format!("acknowledged write to {}", self.key), event).await.expect("the prober works");
    }

    /// Ends it; the longest time between two acknowledgements, of which the second came after a moment.
    pub async fn finish(self, moment: Instant) -> Duration {
        self.stop.send_replace(true);
        let acknowledged = self.working.await.expect("a prober fails only where the test does");
        longest_gap(acknowledged, moment)
    }
}

struct Writer {
    wire: Wire,
    table: String,
    key: String,
}

impl Writer {
    async fn work(
        self,
        say: watch::Sender<Option<Instant>>,
        mut stopped: watch::Receiver<bool>,
    ) -> Vec<Instant> {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // Every write has a deadline, which bounds how many are under way.
        let (mut writing, mut acknowledged) = (JoinSet::new(), Vec::new());
        let mut number = 0;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    number += 1;
                    writing.spawn(write(self.wire.clone(), self.table.clone(), self.key.clone(), number));
                }
                Some(done) = writing.join_next() => {
                    if let Some(at) = done.expect("a write fails only where the test does") {
                        acknowledged.push(at);
                        say.send_replace(Some(at));
                    }
                }
                _ = stopped.wait_for(|stopped| *stopped) => return acknowledged,
            }
        }
    }
}

/// Writes once; when it was acknowledged, if it was.
async fn write(mut wire: Wire, table: String, key: String, number: u64) -> Option<Instant> {
    let fate = wire::write(&mut wire, &table, &key, &Some(number.to_string()), 0).await;
    (fate == Fate::Acknowledged).then(Instant::now)
}

fn longest_gap(mut acknowledged: Vec<Instant>, moment: Instant) -> Duration {
    acknowledged.sort();
    let pairs = acknowledged.windows(2).filter(|pair| pair[1] > moment);
    pairs.map(|pair| pair[1] - pair[0]).max().expect("writes were acknowledged before and after")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gaps_that_end_after_the_moment_count() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let acknowledged = vec![at(0), at(900), at(1020), at(920), at(1500), at(1510)];
        assert_eq!(longest_gap(acknowledged.clone(), at(950)), Duration::from_millis(480));
        assert_eq!(longest_gap(acknowledged.clone(), at(1505)), Duration::from_millis(10));
        assert_eq!(longest_gap(acknowledged, at(0)), Duration::from_millis(900));
    }
}
