//! Ten times what a region can do: it does nearly as much as at its best, refuses the rest by type, keeps to
//! its memory, and is itself again afterwards without anybody's help.
//!
//! One put in a hundred is of 400 KB, so that most bytes are in few requests. The peak is that of the same
//! mix, since bytes cost as well; it is looked for at rising rates.

use std::collections::BTreeSet;
use std::time::Duration;

use blackbox::alone::Alone;
use blackbox::bench::{self, Measured};
use blackbox::settings::amount;
use blackbox::verdict::{Verdict, median, rounded};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// What of the peak must be left.
const GOODPUT_SHARE_MIN: f64 = 0.8;
/// What of the rate before must be there again.
const RECOVERED_SHARE_MIN: f64 = 0.95;
/// What the region may hold, by what it was given.
const MEMORY_TIMES_MAX: f64 = 1.25;
const MEMORY: &str = "512MiB";
const MEMORY_BYTES: f64 = (512 * 1024 * 1024) as f64;
/// How many times the peak is too much.
const TOO_MUCH: f64 = 10.0;
/// Processes that send small puts, each over connections of its own.
const SENDERS: u32 = 3;
/// The puts of 400 KB among all.
const LARGE_SHARE: f64 = 0.01;
/// The shares of the rate of small puts at which the peak of the mix is looked for.
const TRIED_SHARES: [f64; 5] = [0.03, 0.06, 0.12, 0.25, 0.5];
/// The only refusal that is right.
const THROTTLED: &str = "ThrottlingException";

/// What several processes saw together: those with small puts, and the one with large ones.
#[derive(Clone, Debug, Default)]
struct Flood {
    small: Sent,
    large: Sent,
}

#[derive(Clone, Debug, Default)]
struct Sent {
    per_second: f64,
    answered: u64,
    refused: u64,
    refusals: BTreeSet<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_peak_rate_costs_little_of_it() {
    let mut region = Alone::start(MEMORY).await;
    let table = format!("--keep overload --keys {} --partitions 16", amount(100_000, 2000));
    region.bench(&format!("get {table} --seconds 1 --warm-up 0")).await.flawless("load");
    let before = small_puts(&region, &table).await;
    let shares = &TRIED_SHARES[..amount(TRIED_SHARES.len() as u64, 1) as usize];
    let mut tried = Vec::new();
    for share in shares {
        tried.push(flood(&region, &table, share * before, amount(5, 1)).await.per_second());
    }
    let peak = tried.iter().copied().fold(0.0, f64::max);
    let seconds = amount(60, 2);
    let flooded = flood(&region, &table, TOO_MUCH * peak, seconds).await;
    let resident = region.server().resident_bytes_max() as f64;
    region.server().assert_alive();
    // Nothing announces that a region has recovered; how long it may take is the claim.
    tokio::time::sleep(Duration::from_secs(amount(60, 0))).await;
    let after = small_puts(&region, &table).await;
    let mut verdict = Verdict::default();
    verdict.at_least("goodput by the peak", flooded.per_second() / peak, GOODPUT_SHARE_MIN);
    verdict.at_most("memory by what was given", resident / MEMORY_BYTES, MEMORY_TIMES_MAX);
    verdict.at_least("rate afterwards by that before", after / before, RECOVERED_SHARE_MIN);
    let figures = json!({
        "small_puts_per_second_before": rounded(before),
        "small_puts_per_second_after": rounded(after),
        "peak_per_second": rounded(peak),
        "goodput_per_second_by_share_tried": tried.into_iter().map(rounded).collect::<Vec<_>>(),
        "goodput_per_second": rounded(flooded.per_second()),
        "wanted_per_second": rounded(TOO_MUCH * peak),
        "small": flooded.small.figures(seconds),
        "large": flooded.large.figures(seconds),
        "resident_bytes_max": resident,
    });
    verdict.close("overload", figures);
}

/// The rate of small puts in a closed loop.
async fn small_puts(region: &Alone, table: &str) -> f64 {
    let (seconds, warm_up) = (amount(5, 1), amount(1, 0));
    let line = format!("put {table} --in-flight 256 --connections 2 --seconds {seconds} --warm-up {warm_up}");
    let mut rounds = Vec::new();
    for _ in 0..amount(3, 1) {
        rounds.push(region.bench(&line).await.flawless("small puts").per_second);
    }
    median(rounds)
}

/// Sends so many puts a second, whatever becomes of them, from several processes.
async fn flood(region: &Alone, table: &str, rate: f64, seconds: u64) -> Flood {
    let time = format!("--seconds {seconds} --warm-up 0");
    let small_rate = (rate * (1.0 - LARGE_SHARE) / f64::from(SENDERS)).max(1.0) as u64;
    let small = format!("put {table} {time} --in-flight 8192 --connections 2 --rate {small_rate}");
    let large_rate = (rate * LARGE_SHARE).max(1.0) as u64;
    // They replace few items, or the disk would fill with what nobody reads.
    let large = format!(
        "put --table overload --keys 200 --item-size 400000 {time} --in-flight 512 --connections 2 \
         --rate {large_rate}"
    );
    let lines = (0..SENDERS).map(|_| (false, small.clone())).chain([(true, large)]);
    let mut senders = JoinSet::new();
    for (is_large, line) in lines {
        let endpoint = region.endpoint();
        senders.spawn(async move { (is_large, bench::run(&endpoint, &line).await) });
    }
    let mut flood = Flood::default();
    for (is_large, measured) in senders.join_all().await {
        if is_large { &mut flood.large } else { &mut flood.small }.add(&measured);
    }
    let throttled = BTreeSet::from([THROTTLED.to_owned()]);
    let are_typed = |sent: &Sent| sent.refusals.is_subset(&throttled);
    assert!(are_typed(&flood.small) && are_typed(&flood.large), "not only {THROTTLED}: {flood:?}");
    assert!(flood.small.answered > 0, "nothing was answered: {flood:?}");
    flood
}

impl Flood {
    /// The goodput.
    fn per_second(&self) -> f64 {
        self.small.per_second + self.large.per_second
    }
}

impl Sent {
    fn add(&mut self, measured: &Measured) {
        self.per_second += measured.per_second;
        self.answered += measured.operations;
        self.refused += measured.errors.values().sum::<u64>();
        self.refusals.extend(measured.errors.keys().cloned());
    }

    fn figures(&self, seconds: u64) -> Value {
        let offered = (self.answered + self.refused) as f64 / seconds as f64;
        json!({
            "goodput_per_second": rounded(self.per_second),
            "offered_per_second": rounded(offered),
            "refused": self.refused,
        })
    }
}
