//! Threads for reads too long for a turn; each read runs on a snapshot of its own.
//!
//! Pages and comparisons have their own: a page, which a client waits for, never waits for the minutes that
//! it may take to compare a table.
//!
//! Results go back through the driver, which alone knows who waits for what.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use shard::SnapshotRead;
use storage::Read;
use types::limits;

use crate::handle::Post;
use crate::stop::Failure;
use crate::threads::{self, OfRegion};

/// The threads; they end when this is dropped or joined.
pub struct Readers<S> {
    pages: Sender<SnapshotRead<S>>,
    comparisons: Sender<SnapshotRead<S>>,
    threads: Vec<JoinHandle<()>>,
}

impl<S: Read + Send + 'static> Readers<S> {
    /// Starts the threads.
    pub fn start(posts: &SyncSender<Post>, on_failure: &OfRegion) -> Result<Self, Failure> {
        let mut threads = Vec::new();
        let mut queue = |name, count| {
            let (reads, receiver) = channel();
            let receiver = Arc::new(Mutex::new(receiver));
            for _ in 0..count {
                let (receiver, posts) = (receiver.clone(), posts.clone());
                threads.push(threads::spawn(name, on_failure, move || run(&receiver, &posts))?);
            }
            Ok::<_, Failure>(reads)
        };
        let pages = queue("page", limits::PAGE_THREADS)?;
        let comparisons = queue("compare", limits::COMPARISON_THREADS)?;
        Ok(Readers { pages, comparisons, threads })
    }

    /// Hands over a read. No more can wait than requests are under way.
    pub fn begin(&self, read: SnapshotRead<S>) {
        // Threads that ended have reported why.
        let _ = if read.compares() { self.comparisons.send(read) } else { self.pages.send(read) };
    }

    /// Waits until all reads are done and the threads have ended.
    pub fn join(self) {
        drop((self.pages, self.comparisons));
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn run<S: Read>(reads: &Mutex<Receiver<SnapshotRead<S>>>, posts: &SyncSender<Post>) -> Result<(), Failure> {
    loop {
        let next = reads.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(read) = next else { return Ok(()) };
        let reply = read.run().map_err(|source| Failure::Storage { thread: "read", source })?;
        if posts.send(Post::Replied(reply)).is_err() {
            return Ok(());
        }
    }
}
