//! Imports of real files through the command line, and what the regions then hold.

use std::time::{Duration, Instant};

use blackbox::command_line::{Ran, meridian, verify};
use blackbox::regions::{NAMES, Regions};
use blackbox::settings;

/// How soon after an import's end, or a link's return, the regions must be equal.
pub const EQUAL_WITHIN: Duration = Duration::from_secs(5);

/// Creates a table in all three regions and imports a file of vega-datasets into the first one.
pub async fn import(regions: &Regions, table: &str, key: &str, file: &str) -> (Ran, Duration) {
    create(regions, table, key).await;
    import_only(regions, table, file).await
}

/// Creates a table in all three regions.
pub async fn create(regions: &Regions, table: &str, key: &str) {
    let words = ["table", "create", table, "--key", key, "--regions", &NAMES.join(",")];
    let created = meridian(&regions.endpoint(0), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
}

/// Imports a file of vega-datasets into the first region, rows numbered in `row`.
pub async fn import_only(regions: &Regions, table: &str, file: &str) -> (Ran, Duration) {
    let path = settings::dataset(file);
    let path = path.to_str().expect("the cache's path is UTF-8");
    let start = Instant::now();
    let ran = meridian(&regions.endpoint(0), &["item", "import", table, path, "--row-number", "row"]).await;
    (ran, start.elapsed())
}

/// How many items a region's copy of a table holds.
pub async fn count(regions: &Regions, region: usize, table: &str) -> u64 {
    let scanned = meridian(&regions.endpoint(region), &["item", "scan", table, "--count"]).await.json();
    scanned["Count"].as_u64().unwrap_or_else(|| panic!("no count: {scanned}"))
}

/// Waits until regions hold equal tables; in milliseconds, judged when times are.
pub async fn equal(regions: &Regions, table: &str, compared: &[usize]) -> u64 {
    let endpoints: Vec<String> = compared.iter().map(|region| regions.endpoint(*region)).collect();
    let start = Instant::now();
    verify(table, &endpoints).await.expect("the regions become equal");
    let took = start.elapsed();
    assert!(!settings::judges_times() || took <= EQUAL_WITHIN, "equal after {took:?} only");
    took.as_millis() as u64
}
