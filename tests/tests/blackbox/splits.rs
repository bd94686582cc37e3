//! Partitions are split while they are used, by hand and by themselves: nothing is lost, no call fails, and
//! the load comes to lie on all nodes alike.

use std::collections::BTreeMap;

use blackbox::chance::Chance;
use blackbox::command_line::meridian;
use blackbox::fill::{assert_there, fill};
use blackbox::regions::Regions;
use blackbox::report;
use blackbox::settings::{Build, amount, judges_times};
use blackbox::verdict::{Verdict, rounded};
use blackbox::watchdog::{SOON, until};
use blackbox::wire;
use blackbox::workers::Workers;
use serde_json::{Value, json};

const TABLE: &str = "growing";
const ITEM_BYTES: usize = 300;
/// How many partitions one becomes by hand.
const HALVED_TO: usize = 8;

async fn partitions(nodes: &Regions, table: &str) -> Vec<Value> {
    let listed = meridian(&nodes.endpoint(0), &["partition", "list", table]).await;
    listed.json()["Partitions"].as_array().expect("partitions are listed").clone()
}

/// Splits a partition through a node, and waits until its other half is heard of.
async fn split(nodes: &Regions, partition: &Value) {
    let before = partitions(nodes, TABLE).await.len();
    let words = ["partition", "split", TABLE, "--partition", &partition["Partition"].to_string()];
    let asked = meridian(&nodes.endpoint(1), &words).await;
    assert_eq!(asked.status, 0, "{asked:?}");
    until(SOON, "its other half", || async {
        let listed = partitions(nodes, TABLE).await;
        match listed.len() == before + 1 && listed.iter().all(|half| half["Splitting"] == false) {
            true => Ok(()),
            false => Err(json!(listed).to_string()),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_split_while_it_is_used() {
    let items = amount(500_000, 20_000);
    let mut nodes = Regions::start_nodes(Build::Shipped).await;
    let words = ["table", "create", TABLE, "--key", "id:S", "--partitions", "1"];
    assert_eq!(meridian(&nodes.endpoint(0), &words).await.status, 0);
    let wire = wire::connect(&nodes.endpoint(0)).await.expect("a node that runs takes connections");
    fill(&wire, TABLE, 0..items, ITEM_BYTES, &mut Chance::of_this_run()).await;
    let workers = Workers::start(&nodes, TABLE);
    while partitions(&nodes, TABLE).await.len() < HALVED_TO {
        for partition in partitions(&nodes, TABLE).await {
            split(&nodes, &partition).await;
        }
    }
    let calls = workers.finish().await;
    let refused = meridian(&nodes.endpoint(0), &["partition", "split", TABLE, "--partition", "99999"]).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    // What each replica holds of its halves is on its disk, whoever leads afterwards.
    for node in 0..3 {
        nodes.kill(node).await;
    }
    nodes.restart_all(&[0, 1, 2]).await.expect("nodes that were killed start again");
    let endpoint = nodes.endpoint(2);
    until(SOON, "leaders", || async {
        let scanned = meridian(&endpoint, &["item", "scan", TABLE, "--count", "--consistent"]).await;
        match scanned.status == 0 && scanned.json()["Count"].as_u64() >= Some(items) {
            true => Ok(()),
            false => Err(format!("{scanned:?}")),
        }
    })
    .await;
    let mut wire = wire::connect(&endpoint).await.expect("a node that runs takes connections");
    assert_there(&mut wire, TABLE, 0..items).await;
    report::figures("splits_by_hand", json!({ "items": items, "calls": calls }));
}

/// The operations a second that each node decides.
async fn loads(nodes: &Regions, table: &str) -> BTreeMap<u64, u64> {
    let mut loads = BTreeMap::new();
    for partition in partitions(nodes, table).await {
        if let Some(leader) = partition["Leader"].as_u64() {
            let load = partition["OperationsPerSecond"].as_u64().unwrap_or(0);
            *loads.entry(leader).or_default() += load;
        }
    }
    loads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_heats_up_spreads_by_itself() {
    let nodes = Regions::start_nodes(Build::Shipped).await;
    let seconds = if judges_times() { 120 } else { 15 };
    let words = format!("bench put --keep heated --keys 20000 --item-size 300 --seconds {seconds}");
    let endpoint = nodes.endpoint(0);
    let load = tokio::spawn(async move { meridian(&endpoint, &words.split(' ').collect::<Vec<_>>()).await });
    until(2 * SOON, "a split", || async {
        match meridian(&nodes.endpoint(0), &["partition", "list", "heated"]).await {
            listed if listed.status != 0 => Err(format!("{listed:?}")),
            listed => match listed.json()["Partitions"].as_array().map(Vec::len) {
                Some(2..) => Ok(()),
                count => Err(format!("{count:?} partitions")),
            },
        }
    })
    .await;
    let mut spread = Vec::new();
    while judges_times() && !load.is_finished() {
        spread.push(loads(&nodes, "heated").await);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let done = load.await.expect("the bench ends").json();
    assert_eq!(done["errors"]["total"], 0, "{done}");
    let count = partitions(&nodes, "heated").await.len();
    if !judges_times() {
        return;
    }
    // The last half minute, once all splits are made; nodes that carry nothing are not in it.
    let last = &spread[spread.len().saturating_sub(35)..spread.len().saturating_sub(5)];
    let sum = |node| last.iter().filter_map(|loads| loads.get(&node)).sum::<u64>() as f64;
    let sums = [1, 2, 3].map(sum);
    let mean = sums.iter().sum::<f64>() / 3.0;
    let furthest = sums.iter().map(|sum| (sum / mean - 1.0).abs()).fold(0.0, f64::max);
    let mut verdict = Verdict::default();
    verdict.at_most("furthest a node's load is from the mean", rounded(furthest), 0.2);
    let figures = json!({ "partitions": count, "shares": sums.map(|sum| rounded(sum / mean / 3.0)) });
    verdict.close("splits_by_load", figures);
}
