//! Two hundred thousand rows, keyed by their own number.

use blackbox::regions::{NAMES, Regions};
use blackbox::report;
use blackbox::settings::Build;

use crate::import::{count, equal, import};

const ROWS: u64 = 200_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_is_the_same_everywhere() {
    let regions = Regions::start(Build::Shipped, &[]).await;
    let (ran, took) = import(&regions, "flights", "row:N", "flights-200k.json").await;
    assert_eq!(ran.status, 0, "{ran:?}");
    let equal_ms = equal(&regions, "flights", &[0, 1, 2]).await;
    for (region, name) in NAMES.iter().enumerate() {
        assert_eq!(count(&regions, region, "flights").await, ROWS, "{name}");
    }
    let figures = serde_json::json!({
        "rows_per_second": (ROWS as f64 / took.as_secs_f64()) as u64,
        "equal_after_ms": equal_ms,
    });
    report::figures("flights", figures);
}
