//! `kill -9` of a region at a random moment under load, again and again: nothing acknowledged is lost, and
//! the regions agree.

use blackbox::chance::Chance;
use blackbox::regions::Regions;
use blackbox::settings::{Build, count};
use blackbox::{report, settings};

use crate::disaster::{Strike, strike};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost() {
    let mut chance = Chance::of_this_run();
    let mut regions = Regions::start(Build::Shipped, &[]).await;
    let after = strike(&mut regions, Strike::Kill, count(20), &mut chance).await;
    assert!(after.violations.is_empty(), "round {}:\n{}", after.rounds, after.violations.join("\n"));
    let figures = serde_json::json!({
        "rounds": after.rounds,
        "acknowledged": after.book.acknowledged,
        "unknown": after.book.doubted,
        "converged_ms_max": after.converged_ms_max as u64,
    });
    report::figures("kill", figures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_region_ends_well_and_starts_again() {
    let mut regions = Regions::start(Build::Shipped, &[]).await;
    for region in 0..settings::count(1).min(3) {
        regions.stop(region).await;
        regions.restart(region).await.expect("a region that ended well starts");
    }
}
