//! Load in all regions at once, by writers that remember what was acknowledged.
//!
//! Each writer has keys of its own, and the first writer of each region also writes keys that all regions
//! share: there last-writer-wins has work to do. A writer whose region goes away ends; the others go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::history::{Book, Known};
use crate::regions::Regions;
use crate::watchdog::{SOON, within};
use crate::wire::{self, Fate};

/// Writers in each region: enough that a sync usually carries more than one write.
const WRITERS: usize = 8;
/// Keys of each writer's own.
const OWN_KEYS: usize = 6;
/// Keys that every region writes.
const SHARED_KEYS: usize = 12;
/// The largest padding of an item, so that logs and batches vary in size.
const PADDING_MAX: usize = 3000;

/// Writers at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    writers: JoinSet<Writer>,
}

#[derive(Debug)]
struct Writer {
    region: usize,
    round: usize,
    number: usize,
    known: Vec<(String, Known)>,
    acknowledged: u64,
    doubted: u64,
}

impl Load {
    /// Starts writers in every region, going on from what `book` knows. Rounds tell their tags apart.
    pub fn start(regions: &Regions, table: &str, book: &Book, round: usize, chance: &mut Chance) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for region in 0..regions.count() {
            for number in 0..WRITERS {
                let own = (0..OWN_KEYS).map(|key| format!("own-{region}-{number}-{key}"));
                let shared = (0..SHARED_KEYS).filter(|_| number == 0).map(|key| format!("shared-{key}"));
                let known = own.chain(shared).map(|key| (key.clone(), book.known(&key, region))).collect();
                let writer = Writer { region, round, number, known, acknowledged: 0, doubted: 0 };
                let endpoint = regions.endpoint(region);
                let (table, stop, chance) = (table.to_owned(), Arc::clone(&stop), chance.split());
                writers.spawn(writer.work(endpoint, table, stop, chance));
            }
        }
        Load { stop, writers }
    }

    /// Lets every writer finish its write, and notes in `book` what they know.
    pub async fn finish(mut self, book: &mut Book) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(writer) = within(SOON, "end of the load", self.writers.join_next()).await {
            let writer = writer.expect("a writer fails only where the test does");
            book.acknowledged += writer.acknowledged;
            book.doubted += writer.doubted;
            for (key, known) in writer.known {
                book.keep(&key, writer.region, known);
            }
        }
    }
}

impl Writer {
    async fn work(
        mut self,
        endpoint: String,
        table: String,
        stop: Arc<AtomicBool>,
        mut chance: Chance,
    ) -> Writer {
        let Ok(mut wire) = wire::connect(&endpoint).await else { return self };
        let mut sequence = 0;
        while !stop.load(Ordering::Relaxed) {
            sequence += 1;
            let tag = format!("{}/{}/{}/{sequence}", self.region, self.round, self.number);
            let state = if chance.below(8) == 0 { None } else { Some(tag) };
            let at = chance.below(self.known.len());
            let (key, known) = &mut self.known[at];
            match wire::write(&mut wire, &table, key, &state, chance.below(PADDING_MAX)).await {
                Fate::Acknowledged => {
                    known.acknowledge(state);
                    self.acknowledged += 1;
                }
                Fate::NotDone => tokio::task::yield_now().await,
                Fate::Unknown => {
                    known.doubt(state);
                    self.doubted += 1;
                    break;
                }
            }
        }
        self
    }
}

/// Reads every key that only `region` writes, there, and every key in all regions once they agree; says what
/// cannot be explained.
pub async fn violations(regions: &Regions, table: &str, book: &Book, region: Option<usize>) -> Vec<String> {
    let mut found = Vec::new();
    for at in (0..regions.count()).filter(|at| region.is_none_or(|region| region == *at)) {
        let connected = within(SOON, "connection", wire::connect(&regions.endpoint(at))).await;
        let mut wire = connected.expect("a region that runs takes connections");
        for (key, owner) in book.keys() {
            if region.is_some() && owner != region {
                continue;
            }
            match wire::read_soon(&mut wire, table, key).await {
                Ok(state) => {
                    found.extend(book.judge(key, &state).map(|what| format!("{}: {what}", regions.name(at))))
                }
                Err(status) => found.push(format!("{}: {key} cannot be read: {status:?}", regions.name(at))),
            }
        }
    }
    found
}
