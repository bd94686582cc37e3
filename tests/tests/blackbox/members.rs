//! Nodes join a region, are drained, removed and replaced while it is used: their share of the table follows
//! them, nothing that was acknowledged is lost, and no call fails.

use std::time::Instant;

use blackbox::chance::Chance;
use blackbox::command_line::meridian;
use blackbox::fill::{assert_there, fill};
use blackbox::regions::Regions;
use blackbox::settings::{Build, amount};
use blackbox::verdict::{Verdict, rounded};
use blackbox::watchdog::{SOON, until};
use blackbox::workers::Workers;
use blackbox::{report, wire};
use serde_json::{Value, json};

const TABLE: &str = "moving";
const PARTITIONS: u64 = 16;
const ITEM_BYTES: usize = 1000;
/// From a node's joining until it has its share, for each gigabyte of it.
const SECONDS_PER_GB_MAX: f64 = 60.0;

/// Three nodes with a table full of items.
async fn filled(items: u64) -> Regions {
    let nodes = Regions::start_nodes(Build::Shipped).await;
    let words = ["table", "create", TABLE, "--key", "id:S", "--partitions", &PARTITIONS.to_string()];
    let created = meridian(&nodes.endpoint(0), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
    let wire = wire::connect(&nodes.endpoint(0)).await.expect("a node that runs takes connections");
    fill(&wire, TABLE, 0..items, ITEM_BYTES, &mut Chance::of_this_run()).await;
    nodes
}

async fn node(nodes: &Regions, through: usize, words: &[&str]) -> Value {
    let words = [&["node"], words].concat();
    meridian(&nodes.endpoint(through), &words).await.json()
}

/// Waits until each node holds so many replicas and none is on its way; gives how long it took.
async fn until_settled(
    nodes: &Regions,
    through: usize,
    holds: &[(u64, std::ops::RangeInclusive<u64>)],
) -> f64 {
    let taken = until(5 * SOON, "replicas where they are to be", || async {
        let listed = node(nodes, through, &["list"]).await;
        let all = listed["Nodes"].as_array().expect("nodes are listed");
        let moving: u64 = all.iter().filter_map(|node| node["Moving"].as_u64()).sum();
        let is_held = |(number, range): &(u64, std::ops::RangeInclusive<u64>)| {
            let node = all.iter().find(|node| node["Node"].as_u64() == Some(*number));
            node.and_then(|node| node["Replicas"].as_u64()).is_some_and(|held| range.contains(&held))
        };
        match moving == 0 && holds.iter().all(is_held) {
            true => Ok(()),
            false => Err(listed.to_string()),
        }
    });
    taken.await.as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_joins_and_another_goes_and_nobody_notices() {
    let items = amount(1_000_000, 20_000);
    let mut nodes = filled(items).await;
    let workers = Workers::start(&nodes, TABLE);
    let begun = Instant::now();
    let joined = nodes.join().await;
    let share = 3 * PARTITIONS / 4;
    let even = [1, 2, 3, 4].map(|node| (node, share..=share));
    until_settled(&nodes, 0, &even).await;
    until(SOON, "its share of leading", || async {
        let listed = node(&nodes, 0, &["list"]).await;
        match listed["Nodes"][3]["First"].as_u64() {
            Some(first) if first == PARTITIONS / 4 => Ok(()),
            _ => Err(listed.to_string()),
        }
    })
    .await;
    let joined_seconds = begun.elapsed().as_secs_f64();

    node(&nodes, 0, &["drain", "2"]).await;
    let drained_seconds = until_settled(&nodes, 0, &[(2, 0..=0), (4, PARTITIONS..=PARTITIONS)]).await;
    let calls = workers.finish().await;
    // What it keeps is nothing: without it, everything is there.
    node(&nodes, 0, &["remove", "2"]).await;
    nodes.ends(1).await;
    let mut wire = wire::connect(&nodes.endpoint(joined)).await.expect("the new node takes connections");
    assert_there(&mut wire, TABLE, (0..items).step_by(items as usize / 500)).await;

    let gigabytes = share as f64 / PARTITIONS as f64 * (items * ITEM_BYTES as u64) as f64 / 1e9;
    let mut verdict = Verdict::default();
    // Below a gigabyte, what it takes to begin counts as well.
    let bound = SECONDS_PER_GB_MAX * gigabytes.max(1.0);
    verdict.at_most("seconds until a new node has its share", rounded(joined_seconds), bound);
    let figures = json!({
        "items": items, "gigabytes_of_a_share": rounded(gigabytes), "joined_seconds": rounded(joined_seconds),
        "drained_seconds": rounded(drained_seconds), "calls": calls,
    });
    verdict.close("members_join", figures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_its_disk_is_replaced_and_nothing_is_lost() {
    let items = amount(100_000, 10_000);
    let mut nodes = filled(items).await;
    nodes.kill(2).await;
    std::fs::remove_dir_all(nodes.data(2)).expect("its disk is lost");
    let refused = meridian(&nodes.endpoint(0), &["node", "remove", "1"]).await;
    assert_eq!(refused.status, 1, "it lives and holds replicas: {refused:?}");
    // It is dead to the others only once they have not heard of it for a moment.
    until(SOON, "removal of the dead node", || async {
        let removed = meridian(&nodes.endpoint(0), &["node", "remove", "3"]).await;
        if removed.status == 0 { Ok(()) } else { Err(format!("{removed:?}")) }
    })
    .await;
    let joined = nodes.join().await;
    let seconds = until_settled(&nodes, 0, &[(3, 0..=0), (4, PARTITIONS..=PARTITIONS)]).await;
    // Two of three are enough again, whichever they are.
    nodes.kill(0).await;
    let mut wire = wire::connect(&nodes.endpoint(joined)).await.expect("the new node takes connections");
    let endpoint = nodes.endpoint(joined);
    until(SOON, "leaders", || async {
        let scanned = meridian(&endpoint, &["item", "scan", TABLE, "--count", "--consistent"]).await;
        if scanned.status == 0 { Ok(()) } else { Err(format!("{scanned:?}")) }
    })
    .await;
    assert_there(&mut wire, TABLE, 0..items).await;
    report::figures("members_replaced", json!({ "items": items, "seconds": rounded(seconds) }));
}
