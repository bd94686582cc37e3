//! Keeps one thread from reading the entries of two logs.
//!
//! raft-engine keeps the last block it read in a thread-local cache, known by its place in the files alone.
//! Two logs that begin alike have blocks at equal places, and a thread that reads both would be given one's
//! for the other's. A shard's thread reads one log, and pays nothing; whoever reads a second one does it on a
//! thread of its own.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// The log that this thread reads; 0 before the first.
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// Reads one log.
pub struct Reader {
    log: u64,
}

impl Reader {
    /// A reader of a log that has no other.
    pub fn new() -> Self {
        static LOGS: AtomicU64 = AtomicU64::new(0);
        Reader { log: 1 + LOGS.fetch_add(1, Ordering::Relaxed) }
    }

    /// Runs something that may read entries.
    pub fn read<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        if READS.get() == 0 {
            READS.set(self.log);
        }
        if READS.get() == self.log {
            return act();
        }
        let done = std::thread::scope(|scope| scope.spawn(act).join());
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_reads_the_first_log_itself_and_others_elsewhere() {
        thread::spawn(|| {
            let (first, second) = (Reader::new(), Reader::new());
            let here = thread::current().id();
            let reads_on = |reader: &Reader| reader.read(|| thread::current().id());
            assert_eq!(reads_on(&first), here);
            assert_ne!(reads_on(&second), here);
            assert_eq!(reads_on(&first), here);
        })
        .join()
        .unwrap();
    }
}
