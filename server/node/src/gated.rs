//! For tests: an engine in memory whose syncs wait at a gate, or fail.

use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};

use storage::engine::{StateName, Visit};
use storage::memory::{Memory, Snapshot};
use storage::{Batch, Direction, Engine, Error, LogBatch, LogEntry, Read, Room};
use types::GroupId;

/// What a sync meets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Open,
    Closed,
    Failing,
}

/// The engine.
#[derive(Clone)]
pub struct Gated {
    pub memory: Memory,
    gate: Arc<(Mutex<Gate>, Condvar)>,
    begun: Sender<()>,
    syncs: Arc<AtomicUsize>,
}

impl Gated {
    /// An engine with its gate open, and what tells of each sync that meets it closed or failing.
    pub fn new(memory: Memory) -> (Self, Receiver<()>) {
        let (begun, syncs) = channel();
        let gate = Arc::new((Mutex::new(Gate::Open), Condvar::new()));
        (Gated { memory, gate, begun, syncs: Arc::default() }, syncs)
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> usize {
        self.syncs.load(Ordering::Acquire)
    }

    pub fn set(&self, gate: Gate) {
        *self.gate.0.lock().unwrap() = gate;
        self.gate.1.notify_all();
    }
}

impl Read for Gated {
    fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        self.memory.look(key, look)
    }

    fn scan(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        self.memory.scan(from, to, direction, visit)
    }
}

impl Engine for Gated {
    type Snapshot = Snapshot;

    fn snapshot(&self) -> Snapshot {
        self.memory.snapshot()
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        self.memory.write(batch)
    }

    fn flush(&self) -> Result<(), Error> {
        self.memory.flush()
    }

    fn append(&self, batch: LogBatch) -> Result<(), Error> {
        self.memory.append(batch)
    }

    fn sync(&self) -> Result<(), Error> {
        let position = self.memory.appended();
        self.syncs.fetch_add(1, Ordering::AcqRel);
        let (gate, changed) = &*self.gate;
        let mut state = gate.lock().unwrap();
        if *state != Gate::Open {
            let _ = self.begun.send(());
        }
        while *state == Gate::Closed {
            state = changed.wait(state).unwrap();
        }
        if *state == Gate::Failing {
            return Err(Error::Failed { operation: "sync", kind: std::io::ErrorKind::StorageFull });
        }
        self.memory.sync_to(position);
        Ok(())
    }

    fn entries(&self, group: GroupId, from: u64, to: u64, max_bytes: u64) -> Result<Vec<LogEntry>, Error> {
        self.memory.entries(group, from, to, max_bytes)
    }

    fn log_range(&self, group: GroupId) -> Result<Option<(u64, u64)>, Error> {
        self.memory.log_range(group)
    }

    fn state(&self, group: GroupId, name: StateName) -> Result<Option<Vec<u8>>, Error> {
        self.memory.state(group, name)
    }

    fn groups(&self) -> Result<Vec<GroupId>, Error> {
        self.memory.groups()
    }

    fn is_pressed(&self) -> Result<bool, Error> {
        self.memory.is_pressed()
    }

    fn bytes(&self, bounds: &storage::keys::Bounds) -> Result<u64, Error> {
        self.memory.bytes(bounds)
    }

    fn room(&self) -> Result<Option<Room>, Error> {
        self.memory.room()
    }

    fn log_bytes(&self) -> u64 {
        self.memory.log_bytes()
    }
}
