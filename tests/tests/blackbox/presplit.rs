//! A table that is split before launch day takes writes on all of its partitions soon after it is made, and
//! costs next to nothing while nobody uses it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use blackbox::command_line::meridian;
use blackbox::regions::Regions;
use blackbox::settings::{Build, amount, disk_folder};
use blackbox::verdict::{Verdict, rounded};
use serde_json::json;

const TABLE: &str = "launch";
/// Items for each partition: so many at random leave hardly one of 4,096 without any.
const ITEMS_PER_PARTITION: u64 = 14;
/// From the table's creation to a write on every partition, on three nodes.
const SECONDS_MAX: f64 = 20.0;
/// Of one processor, while nobody uses the table, for each node: what 10,000 partitions may take.
const IDLE_SHARE_MAX: f64 = 0.01;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_many_partitions_is_ready_soon_and_costs_nothing_idle() {
    let mut nodes = Regions::start_nodes(Build::Shipped).await;
    let partitions = amount(4096, 512);
    let folder = disk_folder();
    let (path, items) = (folder.path().join("items.jsonl"), partitions * ITEMS_PER_PARTITION);
    let mut lines = String::new();
    (0..items).for_each(|at| writeln!(lines, "{{\"id\":\"item-{at}\"}}").expect("a text takes more"));
    std::fs::write(&path, lines).expect("the folder can be written");
    let path = path.to_str().expect("the folder's path is UTF-8");
    let begun = Instant::now();
    let count = partitions.to_string();
    let words = ["table", "create", TABLE, "--key", "id:S", "--partitions", &count];
    let created = meridian(&nodes.endpoint(0), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
    let imported = meridian(&nodes.endpoint(1), &["item", "import", TABLE, path]).await;
    let seconds = rounded(begun.elapsed().as_secs_f64());
    assert_eq!(imported.status, 0, "{imported:?}");
    let scanned =
        meridian(&nodes.endpoint(2), &["item", "scan", TABLE, "--count", "--consistent"]).await.json();
    assert_eq!(scanned["Count"].as_u64(), Some(items));
    let idle = idle_share(&mut nodes).await;
    let mut verdict = Verdict::default();
    verdict.at_most("seconds from creation to the last write", seconds, SECONDS_MAX);
    verdict.at_most("share of a processor while idle", idle, IDLE_SHARE_MAX);
    verdict.close(
        "presplit",
        json!({ "partitions": partitions, "items": items, "seconds": seconds, "idle": idle }),
    );
}

/// The greatest share of one processor that a node takes while nobody asks it anything.
async fn idle_share(nodes: &mut Regions) -> f64 {
    let seconds = amount(60, 5);
    // What the load left over is done by then.
    tokio::time::sleep(Duration::from_secs(amount(10, 2))).await;
    let ticks = |nodes: &mut Regions| -> Vec<u64> {
        (0..nodes.count()).map(|node| nodes.server(node).cpu_ms()).collect()
    };
    let before = ticks(nodes);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let after = ticks(nodes);
    let most_ms = after.iter().zip(before).map(|(after, before)| after - before).max().unwrap_or(0);
    rounded(most_ms as f64 / 1000.0 / seconds as f64)
}
