//! A power cut at a random moment under load: what was not synced is zeroed, garbled or gone, and still
//! nothing acknowledged is lost.

use blackbox::chance::Chance;
use blackbox::regions::Regions;
use blackbox::report;
use blackbox::settings::{Build, count};

use crate::disaster::{Strike, strike};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost() {
    let mut chance = Chance::of_this_run();
    let mut regions = Regions::start(Build::Shipped, &[]).await;
    let after = strike(&mut regions, Strike::PowerCut, count(20), &mut chance).await;
    assert!(after.violations.is_empty(), "round {}:\n{}", after.rounds, after.violations.join("\n"));
    assert!(after.bytes_lost > 0, "no power cut took a byte: this proves nothing");
    let figures = serde_json::json!({
        "rounds": after.rounds,
        "acknowledged": after.book.acknowledged,
        "unknown": after.book.doubted,
        "bytes_lost": after.bytes_lost,
        "converged_ms_max": after.converged_ms_max as u64,
    });
    report::figures("power_cut", figures);
}
