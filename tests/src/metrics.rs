//! What a server tells Prometheus: its counters, and what became of them between two moments.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::watchdog::{SOON, within};

/// Every figure by name; figures that differ only in their labels are added up.
#[derive(Clone, PartialEq, Debug)]
pub struct Metrics {
    by_name: BTreeMap<String, f64>,
}

/// The writes and syncs of a stretch of time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Syncs {
    /// How many times a disk was synced.
    pub count: f64,
    /// How long one took, in milliseconds, on average.
    pub mean_ms: f64,
    /// How many writes one made durable, on average.
    pub writes_each: f64,
}

impl Metrics {
    fn parse(page: &str) -> Metrics {
        let mut by_name = BTreeMap::new();
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let name = series.split('{').next().unwrap_or(series);
            if let Ok(value) = value.parse::<f64>() {
                *by_name.entry(name.to_owned()).or_default() += value;
            }
        }
        Metrics { by_name }
    }

    fn grown(&self, before: &Metrics, name: &str) -> f64 {
        let of = |metrics: &Metrics| metrics.by_name.get(name).copied().unwrap_or_default();
        of(self) - of(before)
    }

    /// The syncs since an earlier moment.
    pub fn syncs_since(&self, before: &Metrics) -> Syncs {
        let count = self.grown(before, "meridian_sync_seconds_count");
        assert!(count > 0.0, "nothing was synced");
        Syncs {
            count,
            mean_ms: self.grown(before, "meridian_sync_seconds_sum") * 1000.0 / count,
            writes_each: self.grown(before, "meridian_writes_acknowledged_total") / count,
        }
    }
}

/// Asks the metrics port of a server.
pub async fn scrape(port: u16) -> Metrics {
    let page = within(SOON, "metrics", async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
        let mut page = String::new();
        stream.read_to_string(&mut page).await?;
        Ok::<_, std::io::Error>(page)
    });
    Metrics::parse(&page.await.expect("the server tells its metrics"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# TYPE meridian_sync_seconds histogram\n\
        meridian_sync_seconds_sum{shard=\"0\"} 1.5\nmeridian_sync_seconds_count{shard=\"0\"} 10\n";
    const AFTER: &str = "meridian_sync_seconds_sum{shard=\"0\"} 1.5\n\
        meridian_sync_seconds_sum{shard=\"1\"} 0.04\n\
        meridian_sync_seconds_count{shard=\"0\"} 10\nmeridian_sync_seconds_count{shard=\"1\"} 20\n\
        meridian_writes_acknowledged_total 60\n";

    #[test]
    fn syncs_are_those_between_two_pages() {
        let syncs = Metrics::parse(AFTER).syncs_since(&Metrics::parse(BEFORE));
        assert_eq!((syncs.count, syncs.writes_each), (20.0, 3.0));
        assert!((syncs.mean_ms - 2.0).abs() < 1e-9, "{syncs:?}");
    }

    #[test]
    #[should_panic(expected = "nothing was synced")]
    fn a_stretch_without_syncs_has_no_mean() {
        Metrics::parse(BEFORE).syncs_since(&Metrics::parse(BEFORE));
    }
}
