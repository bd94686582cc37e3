//! An operation alone takes little more than a bare call and, for a write, a sync; and a busy region answers
//! hardly later than an idle one.

use std::collections::BTreeMap;

use blackbox::alone::Alone;
use blackbox::settings::amount;
use blackbox::verdict::{Verdict, median, rounded};
use serde_json::{Map, json};

/// How much longer than a bare call a read may take, one at a time.
const GET_TIMES_MAX: f64 = 1.5;
/// How much longer than a sync a write may take beyond a bare call, one at a time.
const SYNC_TIMES_MAX: f64 = 1.3;
/// How much later the slowest hundredth may come at 80 % of the peak rate than at 20 %.
const BUSY_TIMES_MAX: f64 = 3.0;

/// Figures by name, one of each round.
type Rounds = BTreeMap<String, Vec<f64>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_soon_also_from_a_busy_region() {
    let region = Alone::start("4GiB").await;
    let table = format!("--keep latency --keys {} --partitions 16", amount(1_000_000, 2000));
    let time = format!("--seconds {} --warm-up {}", amount(4, 1), amount(1, 0));
    // The first run with the table loads it.
    region.bench(&format!("get {table} --seconds 1 --warm-up 0")).await.flawless("load");
    let mut rounds = Rounds::new();
    for _ in 0..amount(5, 1) {
        alone(&region, &table, &time, &mut rounds).await;
        for workload in ["get", "put"] {
            busy(&region, workload, &table, &time, &mut rounds).await;
        }
    }
    let medians: BTreeMap<String, f64> =
        rounds.into_iter().map(|(name, figures)| (name, median(figures))).collect();
    let figure = |name: &str| medians[name];
    let mut verdict = Verdict::default();
    let echo = figure("unary_echo_p50_us");
    verdict.at_most("get, p50 in µs", figure("get_p50_us"), GET_TIMES_MAX * echo);
    let put_us_max = echo + SYNC_TIMES_MAX * figure("sync_us_mean");
    verdict.at_most("put, p50 in µs", figure("put_p50_us"), put_us_max);
    for workload in ["get", "put"] {
        let at = |percent: u32| figure(&format!("{workload}_p99_us_at_{percent}_percent"));
        verdict.at_most(&format!("{workload} at 80 %, p99 in µs"), at(80), BUSY_TIMES_MAX * at(20));
    }
    let figures: Map<_, _> =
        medians.iter().map(|(name, figure)| (name.clone(), json!(rounded(*figure)))).collect();
    verdict.close("latency", figures.into());
}

/// One operation at a time.
async fn alone(region: &Alone, table: &str, time: &str, rounds: &mut Rounds) {
    let load = format!("--in-flight 1 --connections 1 {time}");
    let echo = region.bench(&format!("echo --unary {load}")).await.flawless("unary echo");
    let get = region.bench(&format!("get {table} {load}")).await.flawless("get");
    let before = region.metrics().await;
    let put = region.bench(&format!("put {table} {load}")).await.flawless("put");
    let syncs = region.metrics().await.syncs_since(&before);
    note(rounds, "unary_echo_p50_us", echo.p50_us);
    note(rounds, "get_p50_us", get.p50_us);
    note(rounds, "put_p50_us", put.p50_us);
    note(rounds, "sync_us_mean", syncs.mean_ms * 1000.0);
}

/// The peak rate, then two shares of it.
async fn busy(region: &Alone, workload: &str, table: &str, time: &str, rounds: &mut Rounds) {
    let many = format!("{workload} {table} --connections 2 {time}");
    let peak = region.bench(&format!("{many} --in-flight 256")).await.flawless("peak").per_second;
    note(rounds, &format!("{workload}_peak_per_second"), peak);
    for percent in [20, 80] {
        let rate = (peak * f64::from(percent) / 100.0) as u64;
        let measured =
            region.bench(&format!("{many} --in-flight 1024 --rate {rate}")).await.flawless(workload);
        note(rounds, &format!("{workload}_p99_us_at_{percent}_percent"), measured.p99_us);
    }
}

fn note(rounds: &mut Rounds, name: &str, figure: f64) {
    rounds.entry(name.to_owned()).or_default().push(figure);
}
