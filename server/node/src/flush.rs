//! The flush thread: makes the key space durable, which may take seconds, while turns go on.

use std::sync::mpsc::{Receiver, SyncSender};

use storage::Engine;

use crate::handle::Post;
use crate::stop::Failure;

/// Flushes each time it is wanted, until nobody can want it any more.
pub fn run(engine: &impl Engine, wanted: &Receiver<()>, posts: &SyncSender<Post>) -> Result<(), Failure> {
    while wanted.recv().is_ok() {
        engine.flush().map_err(|source| Failure::Storage { thread: "flush", source })?;
        if posts.send(Post::Flushed).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
