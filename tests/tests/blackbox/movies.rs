//! A real catalogue, as messy as it comes: rows without a usable key are refused by number, the rest goes in.

use blackbox::regions::{NAMES, Regions};
use blackbox::report;
use blackbox::settings::Build;

use crate::import::{count, equal, import};

/// `data/movies.json` of vega-datasets 3.2.1: 3,201 rows, of which 10 have a number or null for a `Title`.
const TAKEN: u64 = 3191;
const REFUSED: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_messy_catalogue_is_the_same_everywhere() {
    let regions = Regions::start(Build::Shipped, &[]).await;
    let (ran, took) = import(&regions, "movies", "Title:S,row:N", "movies.json").await;
    assert_eq!(ran.status, 1, "rows were refused, so the command says so: {ran:?}");
    let equal_ms = equal(&regions, "movies", &[0, 1, 2]).await;
    for (region, name) in NAMES.iter().enumerate() {
        assert_eq!(count(&regions, region, "movies").await, TAKEN, "{name}");
    }
    assert_eq!(ran.complained.lines().filter(|line| line.contains("Title")).count(), REFUSED, "{ran:?}");
    let figures = serde_json::json!({ "import_ms": took.as_millis() as u64, "equal_after_ms": equal_ms });
    report::figures("movies", figures);
}
