//! Regions of three nodes: any one of them may be lost, and all of them at once lose power, and nothing that
//! was acknowledged goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use blackbox::chance::Chance;
use blackbox::command_line::meridian;
use blackbox::regions::{NAMES, Regions};
use blackbox::settings::{Build, count};
use blackbox::verdict::{Verdict, rounded};
use blackbox::workers::Workers;
use blackbox::{report, wire};
use serde_json::json;
use tokio::task::JoinSet;

use crate::disaster::{Strike, strike};

/// The longest that writes to a partition may wait for another leader.
const GAP_SECONDS_MAX: f64 = 5.0;
const TABLE: &str = "probed";
/// Enough keys that each of the table's partitions has one.
const PROBES: usize = 24;

async fn outlives(mut nodes: Regions, strike_with: Strike, rounds: usize, name: &str) -> u64 {
    let mut chance = Chance::of_this_run();
    let after = strike(&mut nodes, strike_with, rounds, &mut chance).await;
    assert!(after.violations.is_empty(), "round {}:\n{}", after.rounds, after.violations.join("\n"));
    let figures = json!({
        "rounds": after.rounds,
        "acknowledged": after.book.acknowledged,
        "unknown": after.book.doubted,
        "bytes_lost": after.bytes_lost,
        "equal_after_ms_max": after.converged_ms_max as u64,
    });
    report::figures(name, figures);
    after.bytes_lost
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_with_a_node() {
    let nodes = Regions::start_nodes(Build::Shipped).await;
    outlives(nodes, Strike::Kill, count(10), "nodes_kill").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_with_the_power_of_all() {
    let nodes = Regions::start_nodes(Build::Shipped).await;
    let bytes_lost = outlives(nodes, Strike::PowerCutOfAll, count(10), "nodes_power_cut").await;
    assert!(bytes_lost > 0, "no power cut took a byte: this proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regions_of_several_nodes_agree_whichever_node_is_lost() {
    let nodes = Regions::start_clusters(Build::Shipped).await;
    outlives(nodes, Strike::Kill, count(4), "clusters_kill").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regions_of_several_nodes_agree_after_a_power_cut_of_all() {
    let nodes = Regions::start_clusters(Build::Shipped).await;
    let bytes_lost = outlives(nodes, Strike::PowerCutOfAll, count(4), "clusters_power_cut").await;
    assert!(bytes_lost > 0, "no power cut took a byte: this proves nothing");
}

/// Three nodes with a table.
async fn with_table() -> Regions {
    let nodes = Regions::start_nodes(Build::Shipped).await;
    let words = ["table", "create", TABLE, "--key", "id:S", "--partitions", "6"];
    let created = meridian(&nodes.endpoint(0), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
    nodes
}

/// Writes a key again and again through one node; the longest time between two acknowledgements.
async fn probe(endpoint: String, key: String, stop: Arc<AtomicBool>) -> Duration {
    let mut wire = wire::connect(&endpoint).await.expect("a node that runs takes connections");
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let state = Some("probe".to_owned());
        if wire::write(&mut wire, TABLE, &key, &state, 0).await == wire::Fate::Acknowledged {
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    longest.max(last.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_nobody() {
    let mut nodes = with_table().await;
    let workers = Workers::start(&nodes, TABLE);
    let mut rounds = 0;
    for _ in 0..count(1).min(10) {
        for node in 0..NAMES.len() {
            nodes.stop(node).await;
            nodes.restart(node).await.expect("a node that ended well starts");
        }
        rounds += 1;
    }
    let calls = workers.finish().await;
    report::figures("nodes_restart", json!({ "rounds": rounds, "calls": calls }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_is_replaced_soon() {
    let mut nodes = with_table().await;
    let mut gaps = Vec::new();
    for round in 0..count(3) {
        let struck = round % NAMES.len();
        let through = nodes.endpoint((struck + 1) % NAMES.len());
        let stop = Arc::new(AtomicBool::new(false));
        let mut probes = JoinSet::new();
        for at in 0..PROBES {
            probes.spawn(probe(through.clone(), format!("probe-{at}"), stop.clone()));
        }
        // Long enough that every probe is under way; the gap is what counts.
        tokio::time::sleep(Duration::from_secs(1)).await;
        nodes.kill(struck).await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        stop.store(true, Ordering::Relaxed);
        let longest = probes.join_all().await.into_iter().max().expect("there are probes");
        nodes.restart(struck).await.expect("a killed node starts again");
        gaps.push(rounded(longest.as_secs_f64()));
    }
    let mut verdict = Verdict::default();
    verdict.at_most(
        "seconds without an acknowledgement",
        gaps.iter().copied().fold(0.0, f64::max),
        GAP_SECONDS_MAX,
    );
    verdict.close("nodes_gap", json!({ "kills": gaps.len(), "longest_gap_seconds_by_kill": gaps }));
}
