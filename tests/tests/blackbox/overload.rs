//! Ten times what a region can do: it does nearly as much as at its best, refuses the rest by type, keeps to
//! its memory, and is itself again afterwards without anybody's help.
//!
//! One put in a hundred is of 400 KB, so that most bytes are in few requests. The peak is that of the same
//! mix, since bytes cost as well; it is looked for at rising rates. What is done is counted in DynamoDB's
//! write capacity units, one for each KiB begun: which part of the mix gets through varies. What is there
//! afterwards is compared by bare calls beside it: the machine itself may have become slower meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use blackbox::alone::Alone;
use blackbox::command_line::meridian;
use blackbox::flood::{self, Load, Sent};
use blackbox::settings::amount;
use blackbox::verdict::{Verdict, median, rounded};
use serde_json::{Value, json};

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
/// The puts of 400 KB among all.
const LARGE_SHARE: f64 = 0.01;
/// Bytes and write capacity units of a put.
const SMALL: (usize, f64) = (300, 1.0);
const LARGE: (usize, f64) = (400_000, 391.0);
/// The shares of the rate of small puts at which the peak of the mix is looked for.
const TRIED_SHARES: [f64; 5] = [0.06, 0.12, 0.25, 0.5, 0.75];
const TABLE: &str = "flooded";
/// The only refusal that is right.
const THROTTLED: &str = "ThrottlingException";

/// What became of small and large puts that were sent at once.
#[derive(Clone, Debug, Default)]
struct Flood {
    small: Sent,
    large: Sent,
    seconds: f64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_peak_rate_costs_little_of_it() {
    let mut region = Alone::start(MEMORY).await;
    let table = format!("--keep overload --keys {} --partitions 16", amount(100_000, 2000));
    region.bench(&format!("get {table} --seconds 1 --warm-up 0")).await.flawless("load");
    let words = ["table", "create", TABLE, "--key", "id:S", "--partitions", "16"];
    let created = meridian(&region.endpoint(), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
    let before = pace(&region, &table).await;
    let shares = &TRIED_SHARES[..amount(TRIED_SHARES.len() as u64, 1) as usize];
    let mut tried = Vec::new();
    for share in shares {
        tried.push(flood(&region, share * before.puts, amount(5, 1)).await);
    }
    let peak = tried.iter().map(Flood::units_per_second).fold(0.0, f64::max);
    let peak_puts = tried.iter().map(Flood::puts_per_second).fold(0.0, f64::max);
    let seconds = amount(60, 2);
    let flooded = flood(&region, TOO_MUCH * peak_puts, seconds).await;
    let resident = region.server().resident_bytes_max() as f64;
    region.server().assert_alive();
    // Nothing announces that a region has recovered; how long it may take is the claim.
    tokio::time::sleep(Duration::from_secs(amount(60, 0))).await;
    let after = pace(&region, &table).await;
    let recovered = (after.puts / after.echoes) / (before.puts / before.echoes);
    let mut verdict = Verdict::default();
    verdict.at_least("goodput by the peak", flooded.units_per_second() / peak, GOODPUT_SHARE_MIN);
    verdict.at_most("memory by what was given", resident / MEMORY_BYTES, MEMORY_TIMES_MAX);
    verdict.at_least("puts by echoes afterwards by those before", recovered, RECOVERED_SHARE_MIN);
    let figures = json!({
        "small_puts_per_second_before": rounded(before.puts),
        "small_puts_per_second_after": rounded(after.puts),
        "echoes_per_second_before": rounded(before.echoes),
        "echoes_per_second_after": rounded(after.echoes),
        "peak_units_per_second": rounded(peak),
        "peak_puts_per_second": rounded(peak_puts),
        "units_per_second_by_share_tried":
            tried.iter().map(|flood| rounded(flood.units_per_second())).collect::<Vec<_>>(),
        "goodput_units_per_second": rounded(flooded.units_per_second()),
        "goodput_puts_per_second": rounded(flooded.puts_per_second()),
        "wanted_puts_per_second": rounded(TOO_MUCH * peak_puts),
        "small": figures(&flooded.small, flooded.seconds),
        "large": figures(&flooded.large, flooded.seconds),
        "resident_bytes_max": resident,
    });
    verdict.close("overload", figures);
}

/// What a closed loop does, in operations a second.
struct Pace {
    puts: f64,
    /// Bare calls: how fast the machine is at the time.
    echoes: f64,
}

/// The pace of small puts, in rounds that alternate with bare calls.
async fn pace(region: &Alone, table: &str) -> Pace {
    let (seconds, warm_up) = (amount(4, 1), amount(1, 0));
    let load = format!("--in-flight 256 --connections 2 --seconds {seconds} --warm-up {warm_up}");
    let (mut puts, mut echoes) = (Vec::new(), Vec::new());
    for _ in 0..amount(3, 1) {
        echoes.push(region.bench(&format!("echo --unary {load}")).await.flawless("echoes").per_second);
        puts.push(region.bench(&format!("put {table} {load}")).await.flawless("small puts").per_second);
    }
    Pace { puts: median(puts), echoes: median(echoes) }
}

/// Sends so many puts a second, whatever becomes of them.
async fn flood(region: &Alone, rate: f64, seconds: u64) -> Flood {
    let load = |(item_bytes, _), share, keys, connections| Load {
        table: TABLE,
        keys,
        item_bytes,
        per_second: rate * share,
        length: Duration::from_secs(seconds),
        connections,
    };
    // Large puts replace few items, or the disk would fill with what nobody reads.
    let (small, large) = (load(SMALL, 1.0 - LARGE_SHARE, 10_000, 2), load(LARGE, LARGE_SHARE, 20, 1));
    let endpoint = region.endpoint();
    let (small, large) = tokio::join!(flood::flood(&endpoint, &small), flood::flood(&endpoint, &large));
    let names: BTreeSet<&String> = small.refused.keys().chain(large.refused.keys()).collect();
    assert!(names.iter().all(|name| *name == THROTTLED), "not only {THROTTLED}: {names:?}");
    assert!(small.done > 0, "no small put was done");
    Flood { small, large, seconds: seconds as f64 }
}

impl Flood {
    fn puts_per_second(&self) -> f64 {
        (self.small.done + self.large.done) as f64 / self.seconds
    }

    /// The goodput.
    fn units_per_second(&self) -> f64 {
        (SMALL.1 * self.small.done as f64 + LARGE.1 * self.large.done as f64) / self.seconds
    }
}

fn figures(sent: &Sent, seconds: f64) -> Value {
    json!({
        "done_per_second": rounded(sent.done as f64 / seconds),
        "refused_per_second": rounded(sent.refused.values().sum::<u64>() as f64 / seconds),
        "held_back_per_second": rounded(sent.held_back as f64 / seconds),
    })
}
