//! Users of the client library who write and read without a pause, and for whom nothing may ever fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proto::v1::{GetItemRequest, PutItemRequest};
use tokio::task::JoinSet;

use crate::regions::Regions;
use crate::wire;

const WORKERS: usize = 12;

/// Users at work, each with a key of its own.
pub struct Workers {
    stop: Arc<AtomicBool>,
    working: JoinSet<Result<u64, client::Error>>,
}

impl Workers {
    /// Sets them going. Each knows all nodes that there are, in another order.
    pub fn start(nodes: &Regions, table: &str) -> Workers {
        let stop = Arc::new(AtomicBool::new(false));
        let mut working = JoinSet::new();
        for at in 0..WORKERS {
            let count = nodes.count();
            let endpoints = (0..count).map(|node| nodes.endpoint((node + at) % count)).collect();
            working.spawn(work(endpoints, table.to_owned(), format!("worker-{at}"), stop.clone()));
        }
        Workers { stop, working }
    }

    /// Stops them; how many calls were done. Fails the test if one failed.
    pub async fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let done: Result<Vec<u64>, _> = self.working.join_all().await.into_iter().collect();
        let done = done.expect("no call failed to the library's user");
        assert!(done.iter().all(|done| *done > 0), "{done:?}");
        2 * done.iter().sum::<u64>()
    }
}

/// Writes and reads through the client library until it is told to stop; how many calls were done.
async fn work(
    endpoints: Vec<String>,
    table: String,
    key: String,
    stop: Arc<AtomicBool>,
) -> Result<u64, client::Error> {
    let settings = client::Settings { one_region: true, ..client::Settings::default() };
    let client = client::Client::new(&endpoints, settings)?;
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        let item = wire::item([("id", wire::text(&key)), ("number", wire::number(done.to_string()))]);
        let table_name = table.clone();
        client.put_item(PutItemRequest { table_name, item: item.clone(), ..Default::default() }).await?;
        let get = GetItemRequest {
            table_name: table.clone(),
            key: wire::item([("id", wire::text(&key))]),
            consistent_read: true,
            ..Default::default()
        };
        let read = client.get_item(get).await?.item.expect("it was written");
        assert_eq!(read.attributes, item, "a strong read shows the last write");
        done += 1;
    }
    Ok(done)
}
