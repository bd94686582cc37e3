//! Reads and writes are fast: measured against a bare gRPC call on the same machine, at the same time.
//!
//! A ping that comes back as a call of its own is the least that a server behind gRPC can do. The machine's
//! speed cancels out of the comparison, and rounds that alternate let it drift.

use blackbox::alone::Alone;
use blackbox::settings::amount;
use blackbox::verdict::{Verdict, median, rounded};
use serde_json::json;

/// How much faster than a bare call a read must be.
const GET_TIMES_MIN: f64 = 3.0;
/// How much faster than a bare call a durable write must be.
const PUT_TIMES_MIN: f64 = 1.5;
/// On a disk that syncs more slowly than this, writes measure the disk.
const SYNC_MS_MAX: f64 = 3.0;

/// What each round measured.
#[derive(Default)]
struct Rounds {
    unary_echo: Vec<f64>,
    session_echo: Vec<f64>,
    get: Vec<f64>,
    put: Vec<f64>,
    syncs_per_second: Vec<f64>,
    sync_ms: Vec<f64>,
    writes_per_sync: Vec<f64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_and_writes_outrun_a_bare_call() {
    let region = Alone::start("4GiB").await;
    let keys = amount(1_000_000, 2000);
    let table = format!("--keep speed --keys {keys} --partitions 16");
    let load =
        format!("--in-flight 256 --connections 2 --seconds {} --warm-up {}", amount(4, 1), amount(1, 0));
    // The first run with the table loads it.
    region.bench(&format!("get {table} --seconds 1 --warm-up 0")).await.flawless("load");
    let mut rounds = Rounds::default();
    for _ in 0..amount(5, 1) {
        let unary = region.bench(&format!("echo --unary {load}")).await.flawless("unary echo");
        rounds.unary_echo.push(unary.per_second);
        let session = region.bench(&format!("echo {load}")).await.flawless("session echo");
        rounds.session_echo.push(session.per_second);
        let get = region.bench(&format!("get {table} {load}")).await.flawless("get");
        rounds.get.push(get.per_second);
        let before = region.metrics().await;
        let put = region.bench(&format!("put {table} {load}")).await.flawless("put");
        let syncs = region.metrics().await.syncs_since(&before);
        rounds.put.push(put.per_second);
        rounds.syncs_per_second.push(put.per_second / syncs.writes_each);
        rounds.sync_ms.push(syncs.mean_ms);
        rounds.writes_per_sync.push(syncs.writes_each);
    }
    rounds.judge();
}

impl Rounds {
    fn judge(self) {
        let unary_echo = median(self.unary_echo);
        let (get, put, sync_ms) = (median(self.get), median(self.put), median(self.sync_ms));
        let mut verdict = Verdict::default();
        verdict.at_least("gets by unary echoes", get / unary_echo, GET_TIMES_MIN);
        if sync_ms > SYNC_MS_MAX {
            verdict.void(format!("puts: a sync takes {} ms, over {SYNC_MS_MAX}", rounded(sync_ms)));
        } else {
            verdict.at_least("puts by unary echoes", put / unary_echo, PUT_TIMES_MIN);
        }
        let figures = json!({
            "unary_echo_per_second": rounded(unary_echo),
            "session_echo_per_second": rounded(median(self.session_echo)),
            "get_per_second": rounded(get),
            "put_per_second": rounded(put),
            "get_by_unary_echo": rounded(get / unary_echo),
            "put_by_unary_echo": rounded(put / unary_echo),
            "syncs_per_second": rounded(median(self.syncs_per_second)),
            "sync_ms_mean": rounded(sync_ms),
            "writes_per_sync": rounded(median(self.writes_per_sync)),
        });
        verdict.close("speed", figures);
    }
}
