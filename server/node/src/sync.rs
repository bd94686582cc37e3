//! The sync thread: makes durable what turns appended, one sync for all turns that were handed over meanwhile.
//!
//! It decides nothing (`P22`). Turns are reported back in the order in which they came, and only after a sync that
//! began once they had been appended.

use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

use shard::TurnId;
use storage::Engine;

use crate::driver::Post;
use crate::stop::Failure;

/// Syncs until no more turns can come. A failed sync is not tried again, and its turns are never reported.
pub fn run(
    engine: &impl Engine,
    turns: &Receiver<TurnId>,
    posts: &SyncSender<Post>,
    took: &metrics::Histogram,
) -> Result<(), Failure> {
    while let Ok(first) = turns.recv() {
        let together: Vec<TurnId> = std::iter::once(first).chain(turns.try_iter()).collect();
        let begun = Instant::now();
        engine.sync().map_err(|source| Failure::Storage { thread: "sync", source })?;
        took.record(begun.elapsed());
        for turn in together {
            if posts.send(Post::Synced(turn)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
