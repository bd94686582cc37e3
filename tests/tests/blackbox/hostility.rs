//! Half an hour of garbage on every port: the region lives, keeps to its memory, and a good client beside all
//! that hardly notices.

use blackbox::alone::Alone;
use blackbox::chance::Chance;
use blackbox::garbage::Garbage;
use blackbox::settings::amount;
use blackbox::verdict::{Verdict, rounded};
use serde_json::json;

/// How much later a good client's slowest hundredth may come.
const P99_TIMES_MAX: f64 = 2.0;
/// What the region may hold, by what it was given.
const MEMORY_TIMES_MAX: f64 = 1.25;
const MEMORY: &str = "512MiB";
const MEMORY_BYTES: f64 = (512 * 1024 * 1024) as f64;
/// What the good client asks for in a second: far less than the region can do.
const RATE: u64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_every_port_harms_no_good_client() {
    let mut chance = Chance::of_this_run();
    let mut region = Alone::start(MEMORY).await;
    let table = format!("--keep hostility --keys {} --partitions 16", amount(100_000, 2000));
    region.bench(&format!("get {table} --seconds 1 --warm-up 0")).await.flawless("load");
    let gets = format!("get {table} --rate {RATE} --in-flight 64 --connections 1 --warm-up {}", amount(1, 0));
    let calm = region.bench(&format!("{gets} --seconds {}", amount(60, 1))).await.flawless("calm");
    let garbage = Garbage::throw(&region.ports(), &mut chance);
    let harried = region.bench(&format!("{gets} --seconds {}", amount(1800, 5))).await;
    let connections = garbage.end().await;
    region.server().assert_alive();
    region.server().assert_no_panic();
    let harried = harried.flawless("beside garbage");
    assert!(connections > 0, "no garbage was thrown: this proves nothing");
    // The page of the other port is still served.
    region.metrics().await;
    let resident = region.server().resident_bytes_max() as f64;
    let mut verdict = Verdict::default();
    verdict.at_most("p99 by that in calm", harried.p99_us / calm.p99_us, P99_TIMES_MAX);
    verdict.at_most("memory by what was given", resident / MEMORY_BYTES, MEMORY_TIMES_MAX);
    let figures = json!({
        "garbage_connections": connections,
        "p99_us_in_calm": rounded(calm.p99_us),
        "p99_us_beside_garbage": rounded(harried.p99_us),
        "good_gets": harried.operations,
        "resident_bytes_max": resident,
    });
    verdict.close("hostility", figures);
}
