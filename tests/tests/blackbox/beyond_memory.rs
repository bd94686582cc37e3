//! Twelve times as much as a region has memory for: writes keep their pace, reads find everything, and a
//! restart after `kill -9` is quick.

use std::time::Instant;

use blackbox::alone::Alone;
use blackbox::chance::Chance;
use blackbox::command_line::meridian;
use blackbox::settings::amount;
use blackbox::verdict::{Verdict, rounded};
use blackbox::{fill, wire};
use serde_json::json;

/// What of the first stretch's rate the last one must have.
const PACE_SHARE_MIN: f64 = 0.6;
/// How soon after `kill -9` it must be ready.
const READY_SECONDS_MAX: f64 = 10.0;
const TABLE: &str = "large";
const ITEM_BYTES: usize = 300;
/// In how many stretches the items are written: in full, of a million each.
const STRETCHES: u64 = 20;
/// How many items are looked up one by one, of all and of the last.
const SAMPLED: u64 = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_memory_holds_is_written_and_found_at_the_same_pace() {
    let mut chance = Chance::of_this_run();
    let items = amount(20_000_000, 20_000);
    let mut region = Alone::start("512MiB").await;
    let words = ["table", "create", TABLE, "--key", "id:S", "--partitions", "16"];
    let created = meridian(&region.endpoint(), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
    let wire = wire::connect(&region.endpoint()).await.expect("a region that runs takes connections");
    let stretch = items / STRETCHES;
    let mut puts_per_second = Vec::new();
    for first in (0..items).step_by(stretch as usize) {
        let begun = Instant::now();
        fill::fill(&wire, TABLE, first..first + stretch, ITEM_BYTES, &mut chance).await;
        puts_per_second.push(rounded(stretch as f64 / begun.elapsed().as_secs_f64()));
    }
    let uniform = format!("get --table {TABLE} --keys {items} --in-flight 256 --connections 2 --warm-up 0");
    let read_before = region.server().disk_read_bytes();
    let gets = region.bench(&format!("{uniform} --seconds {}", amount(10, 1))).await.flawless("gets");
    let read = region.server().disk_read_bytes() - read_before;
    let resident = region.server().resident_bytes_max();
    region.kill().await;
    let ready = region.restart().await.as_secs_f64();
    let mut wire = wire::connect(&region.endpoint()).await.expect("a region that runs takes connections");
    let sample = (0..items).step_by((items / SAMPLED) as usize).chain(items - SAMPLED..items);
    fill::assert_there(&mut wire, TABLE, sample).await;
    region.bench(&format!("{uniform} --seconds {}", amount(10, 1))).await.flawless("gets after the restart");
    let (first, last) = (puts_per_second[0], puts_per_second[puts_per_second.len() - 1]);
    let mut verdict = Verdict::default();
    verdict.at_least("puts at the end by those at first", last / first, PACE_SHARE_MIN);
    verdict.at_most("seconds until ready", ready, READY_SECONDS_MAX);
    let figures = json!({
        "items": items,
        "puts_per_second_by_stretch": puts_per_second,
        "gets_per_second": rounded(gets.per_second),
        "disk_read_bytes_per_get": rounded(read as f64 / gets.operations as f64),
        "resident_bytes_max": resident,
        "ready_after_seconds": rounded(ready),
    });
    verdict.close("beyond_memory", figures);
}
