//! The power-cut test can fail: a server that acknowledges before it syncs is caught by it.

use blackbox::chance::Chance;
use blackbox::regions::Regions;
use blackbox::report;
use blackbox::settings::{Build, count};

use crate::disaster::{Strike, strike};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledging_before_the_sync_is_caught() {
    let mut chance = Chance::of_this_run();
    let mut regions = Regions::start(Build::Hooked, &["--planted=acknowledge-before-sync"]).await;
    // The first loss ends it. Syncs are quick, so that a cut seldom falls between an answer and its sync.
    let after = strike(&mut regions, Strike::PowerCut, count(100), &mut chance).await;
    assert!(!after.violations.is_empty(), "{} power cuts went by unnoticed", after.rounds);
    let figures = serde_json::json!({ "caught_in_round": after.rounds, "by": after.violations[0] });
    report::figures("planted", figures);
}
