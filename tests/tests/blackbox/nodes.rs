//! Regions of three nodes: any one of them may be lost, and all of them at once lose power, and nothing that
//! was acknowledged goes.

use blackbox::chance::Chance;
use blackbox::command_line::meridian;
use blackbox::regions::{NAMES, Regions};
use blackbox::report;
use blackbox::settings::{Build, count};
use blackbox::workers::Workers;
use serde_json::json;

use crate::disaster::{Strike, strike};

const TABLE: &str = "probed";

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
