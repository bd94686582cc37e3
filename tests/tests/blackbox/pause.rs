//! A region that is cut off: the others serve on, the pause outlives a restart, and it catches up by itself.

use blackbox::command_line::meridian;
use blackbox::regions::{NAMES, Regions};
use blackbox::report;
use blackbox::settings::Build;

use crate::import::{count, create, equal, import_only};

const CUT_OFF: usize = 2;

async fn links_to_cut_off(regions: &Regions, verb: &str) {
    for from in [0, 1] {
        let ran = meridian(&regions.endpoint(from), &["region", verb, NAMES[from], NAMES[CUT_OFF]]).await;
        assert_eq!(ran.status, 0, "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_was_cut_off_catches_up() {
    let mut regions = Regions::start(Build::Shipped, &[]).await;
    create(&regions, "movies", "Title:S,row:N").await;
    links_to_cut_off(&regions, "pause").await;
    import_only(&regions, "movies", "movies.json").await;
    let equal_ms = equal(&regions, "movies", &[0, 1]).await;

    // The pause is kept on disk.
    regions.stop(0).await;
    regions.restart(0).await.expect("a region that ended well starts");
    assert_eq!(count(&regions, 1, "movies").await, 3191, "the others serve on");
    assert_eq!(count(&regions, CUT_OFF, "movies").await, 0, "nothing passes a paused link");

    links_to_cut_off(&regions, "resume").await;
    let caught_up_ms = equal(&regions, "movies", &[0, 1, CUT_OFF]).await;
    assert_eq!(count(&regions, CUT_OFF, "movies").await, 3191);
    let figures = serde_json::json!({ "equal_after_ms": equal_ms, "caught_up_after_ms": caught_up_ms });
    report::figures("pause", figures);
}
