//! The sync thread: makes durable what turns appended, one sync for all turns that were handed over
//! meanwhile.
//!
//! It decides nothing (`P22`). Turns are reported back in the order in which they came, and only after a sync
//! that began once they had been appended.

use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use shard::TurnId;
use storage::Engine;

use crate::handle::Post;
use crate::stop::Failure;

/// Syncs until no more turns can come. A failed sync is not tried again, and its turns are never reported.
pub fn run(
    engine: &impl Engine,
    turns: &Receiver<TurnId>,
    posts: &SyncSender<Post>,
    seconds: &metrics::Histogram,
) -> Result<(), Failure> {
    while let Ok(first) = turns.recv() {
        let together: Vec<TurnId> = std::iter::once(first).chain(turns.try_iter()).collect();
        let took = once(engine, "sync", seconds)?;
        for turn in together {
            if posts.send(Post::Synced { turn, took }).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Syncs once, on the thread of this name, and says how long it took.
pub fn once(
    engine: &impl Engine,
    thread: &'static str,
    seconds: &metrics::Histogram,
) -> Result<Duration, Failure> {
    let begun = Instant::now();
    engine.sync().map_err(|source| Failure::Storage { thread, source })?;
    let took = begun.elapsed();
    seconds.record(took);
    Ok(took)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use storage::memory::Memory;

    use super::*;
    use crate::gated::{Gate, Gated};

    /// The turns reported so far.
    fn reported(posts: &Receiver<Post>) -> Vec<u64> {
        let turn = |post| match post {
            Post::Synced { turn, .. } => turn.0,
            _ => panic!("a sync thread reports turns"),
        };
        posts.try_iter().map(turn).collect()
    }

    #[test]
    fn turns_handed_over_together_share_a_sync_and_keep_their_order() {
        let (engine, syncs) = Gated::new(Memory::new());
        let (sender, turns) = sync_channel(8);
        let (posts, receiver) = sync_channel(8);
        engine.set(Gate::Closed);
        sender.send(TurnId(1)).unwrap();
        let thread = {
            let engine = engine.clone();
            std::thread::spawn(move || run(&engine, &turns, &posts, &metrics::Histogram::noop()))
        };
        syncs.recv().unwrap();
        (2..6).for_each(|turn| sender.send(TurnId(turn)).unwrap());
        assert_eq!(reported(&receiver), Vec::<u64>::new());
        engine.set(Gate::Open);
        drop(sender);
        thread.join().unwrap().unwrap();
        assert_eq!(reported(&receiver), [1, 2, 3, 4, 5]);
        assert_eq!(engine.syncs(), 2);
    }

    #[test]
    fn a_failed_sync_reports_no_turn_and_is_not_tried_again() {
        let (engine, _) = Gated::new(Memory::new());
        let (sender, turns) = sync_channel(8);
        let (posts, receiver) = sync_channel(8);
        engine.set(Gate::Failing);
        (1..4).for_each(|turn| sender.send(TurnId(turn)).unwrap());
        let failure = run(&engine, &turns, &posts, &metrics::Histogram::noop()).unwrap_err();
        assert!(matches!(failure, Failure::Storage { thread: "sync", .. }));
        assert_eq!(reported(&receiver), Vec::<u64>::new());
        assert_eq!(engine.syncs(), 1);
    }
}
