//! `bench`: what it does to a region, what it reports, and that it leaves nothing behind.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::command_line::{Ran, meridian, meridian_at};
use crate::fake_region::{FakeRegion, down, throttled};

/// Runs a workload over few items for a second.
async fn bench(region: &FakeRegion, arguments: &[&str]) -> Ran {
    let short = ["--seconds", "1", "--warm-up", "0", "--keys", "60", "--in-flight", "4"];
    meridian(region, &[&["bench"], arguments, &short].concat()).await
}

#[track_caller]
fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a count: {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn puts_are_counted_and_the_table_is_dropped() {
    let region = FakeRegion::start("us-east-1").await;
    let ran = bench(&region, &["put", "--connections", "2"]).await;
    assert_eq!(ran.status, 0, "{}", ran.complaints);
    let report = ran.json();
    assert!(count(&report["operations"]) > 0, "{report}");
    assert!(
        report["ops_per_second"].as_f64() > Some(0.0) && report["latency_us"]["p99"].as_f64() > Some(0.0)
    );
    assert_eq!(count(&report["errors"]["total"]), 0, "{report}");
    let state = region.state();
    assert_eq!(count(&report["operations"]), state.writes as u64);
    assert!(state.tables.is_empty());
    assert!(state.request_ids.iter().all(Vec::is_empty));
    assert_eq!((ran.out.lines().count(), ran.complaints.as_str()), (1, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_need_no_table() {
    let region = FakeRegion::start("us-east-1").await;
    let report = bench(&region, &["echo", "--item-size", "1000", "--unary"]).await.json();
    assert!(count(&report["operations"]) > 0, "{report}");
    assert_eq!((count(&report["missing"]), &report["settings"]["table"]), (0, &Value::Null));
    assert_eq!(region.state().writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_workload_finds_what_was_loaded() {
    let region = FakeRegion::start("us-east-1").await;
    for workload in ["get", "update", "query", "a", "b", "c", "d", "e", "f"] {
        let ran = bench(&region, &[workload, "--zipf", "0.99"]).await;
        assert_eq!(ran.status, 0, "{workload}: {}", ran.complaints);
        let report = ran.json();
        assert_eq!(count(&report["errors"]["total"]), 0, "{report}");
        assert!(count(&report["operations"]) > 0 && count(&report["missing"]) == 0, "{report}");
        let kinds = report["by_kind"].as_object().map(|kinds| kinds.values().collect::<Vec<_>>());
        assert_eq!(kinds.is_some(), workload.len() == 1, "{report}");
        let of_kinds = kinds.into_iter().flatten().map(|kind| count(&kind["operations"]));
        assert!(workload.len() > 1 || of_kinds.sum::<u64>() == count(&report["operations"]), "{report}");
    }
    assert!(region.state().tables.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_table_is_loaded_once() {
    let region = FakeRegion::start("us-east-1").await;
    assert_eq!(bench(&region, &["get", "--keep", "shared"]).await.status, 0);
    let loaded = region.state().writes;
    assert_eq!(region.state().tables["shared"].items.len(), 60);
    for option in ["--keep", "--table"] {
        let report = bench(&region, &["c", option, "shared"]).await.json();
        assert_eq!((count(&report["missing"]), &report["settings"]["table"]), (0, &Value::from("shared")));
    }
    assert_eq!(region.state().writes, loaded);

    let more = meridian(&region, &["bench", "get", "--table", "shared", "--keys", "61"]).await;
    assert_eq!(more.status, 2);
    assert!(more.complaints.contains("does not hold so many items"), "{}", more.complaints);
    let other = bench(&region, &["query", "--table", "shared"]).await;
    assert_eq!(other.status, 2);
    assert!(other.complaints.contains("id:S,place:N"), "{}", other.complaints);
    let absent = bench(&region, &["get", "--table", "absent"]).await;
    assert_eq!(absent.status, 1);
    assert!(absent.complaints.contains("ResourceNotFoundException"), "{}", absent.complaints);
    assert!(region.state().tables.contains_key("shared"));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_counted_by_name_and_not_repeated() {
    let region = FakeRegion::start("us-east-1").await;
    region.state().failures.extend([throttled(), throttled(), throttled()]);
    let ran = bench(&region, &["put"]).await;
    let report = ran.json();
    assert_eq!((ran.status, count(&report["errors"]["total"])), (0, 3), "{report}");
    assert_eq!(count(&report["errors"]["by_name"]["ThrottlingException"]), 3);
    assert_eq!(count(&report["operations"]) + 3, region.state().writes as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_any_answer_ends_with_1() {
    let region = FakeRegion::start("us-east-1").await;
    region.state().failures.extend(std::iter::repeat_n(throttled(), 200_000));
    let ran = meridian(&region, &["bench", "put", "--seconds", "1", "--in-flight", "1"]).await;
    assert_eq!((ran.status, count(&ran.json()["operations"])), (1, 0));
    assert!(region.state().tables.is_empty());
    let gone = down();
    assert_eq!(meridian_at(&[&gone], &["bench", "echo", "--seconds", "1"]).await.status, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_fixed_rate_every_start_is_accounted_for() {
    let region = FakeRegion::start("us-east-1").await;
    let report = bench(&region, &["put", "--rate", "200"]).await.json();
    assert_eq!(count(&report["operations"]) + count(&report["unstarted"]), 200, "{report}");
    assert!(count(&report["operations"]) > 0, "{report}");
    assert_eq!(report["rate"], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_drops_its_table() {
    for signal in ["-INT", "-TERM"] {
        let region = FakeRegion::start("us-east-1").await;
        let written = region.state().written.clone();
        let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.args(["--endpoint", &region.endpoint, "bench", "put", "--seconds", "1000"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let running = command.spawn().unwrap();
        written.notified().await;
        assert_eq!(region.state().tables.len(), 1);
        let sent = Command::new("kill").args([signal, &running.id().unwrap().to_string()]).status().await;
        assert!(sent.unwrap().success());
        let output = running.wait_with_output().await.unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        assert!(String::from_utf8(output.stderr).unwrap().contains("interrupted"));
        assert!(region.state().tables.is_empty());
    }
}
