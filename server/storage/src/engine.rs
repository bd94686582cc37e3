//! One disk: an ordered key space plus the logs of many raft groups.
//!
//! Two implementations run the same golden scripts (`P23`): `memory` here and the real one in `disk`. The key
//! space has no log of its own: what is written and not flushed is lost in a crash, and raft replays it.

use std::ops::{Bound, ControlFlow};

use types::GroupId;

use crate::{Batch, Error, LogBatch, LogEntry};

/// Which way a scan runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Ascending keys.
    Forward,
    /// Descending keys.
    Backward,
}

/// What a scan calls for each key and value; `Break` ends the scan.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// Reads of the key space, from an engine or a snapshot of one.
pub trait Read {
    /// Shows the value of a key where it lies, and gives what the viewer makes of it: most want only a part.
    fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error>;

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.look(key, |value| value.map(<[u8]>::to_vec))
    }

    /// Visits the keys between two bounds in order.
    fn scan(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error>;
}

/// Visits the keys of a range in order until the visitor has enough (`false`) or fails.
pub fn each(
    read: &impl Read,
    bounds: &crate::keys::Bounds,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut failed = None;
    let (from, to) = (Bound::Included(&bounds.0[..]), Bound::Excluded(&bounds.1[..]));
    read.scan(from, to, Direction::Forward, &mut |key, value| match visit(key, value) {
        Ok(true) => ControlFlow::Continue(()),
        Ok(false) => ControlFlow::Break(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// A disk, as a cloneable handle: the shard, raft and the sync thread hold one each.
///
/// Any error is fatal for whoever gets it: the process stops, and no second attempt is made.
pub trait Engine: Read + Clone + Send + 'static {
    /// A view that later writes do not change.
    type Snapshot: Read + Send + 'static;

    /// Takes a view.
    fn snapshot(&self) -> Self::Snapshot;

    /// Writes a batch atomically; it is visible at once and durable after the next `flush`.
    fn write(&self, batch: Batch) -> Result<(), Error>;

    /// Makes everything written so far durable, all key kinds at once, and returns when it is.
    fn flush(&self) -> Result<(), Error>;

    /// Appends to the logs in order, atomically per batch; durable after the next `sync`. Entries at or above
    /// the first index of an append replace what a group had there.
    fn append(&self, batch: LogBatch) -> Result<(), Error>;

    /// Makes everything appended so far durable. The only slow call; made from the sync thread.
    fn sync(&self) -> Result<(), Error>;

    /// The entries of a group from `from` up to, not including, `to`; stops early once `max_bytes` are
    /// reached, but gives at least one. Asking for entries that are not there is an error.
    fn entries(&self, group: GroupId, from: u64, to: u64, max_bytes: u64) -> Result<Vec<LogEntry>, Error>;

    /// The first and last index in a group's log; `None` when it is empty.
    fn log_range(&self, group: GroupId) -> Result<Option<(u64, u64)>, Error>;

    /// A small value kept beside a group's log (raft's hard state, configuration, truncation point).
    fn state(&self, group: GroupId, name: StateName) -> Result<Option<Vec<u8>>, Error>;

    /// The groups that have a state or a log, in order.
    fn groups(&self) -> Result<Vec<GroupId>, Error>;

    /// Whether `write` may soon have to wait for the disk: so much of what was written waits for a flush, or
    /// for what a flush left to be merged. Cheap enough to ask many times a second.
    fn is_pressed(&self) -> Result<bool, Error>;

    /// About how many bytes of the key space lie in a range, as far as they were flushed: without reading
    /// what lies there.
    fn bytes(&self, bounds: &crate::keys::Bounds) -> Result<u64, Error>;

    /// How much room there is, where it is limited. Cheap enough to ask every second.
    fn room(&self) -> Result<Option<Room>, Error>;

    /// Bytes appended since the last flush; after a start, bytes of log found. A restart must replay about so
    /// much, unless it is flushed first.
    fn log_bytes(&self) -> u64;
}

/// The room of the file system that a disk is on: others may use it as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Room {
    /// All that it could hold, in bytes.
    pub total_bytes: u64,
    /// What may still be written, in bytes.
    pub free_bytes: u64,
    /// What is to stay free for deletes, flushes and merges, in bytes: with less, the disk is nearly full.
    /// With 0 it never is.
    pub reserve_bytes: u64,
}

/// The small values that a group keeps in the log store. The numbers are stored: never reuse one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum StateName {
    /// Term, vote and commit index.
    HardState = 1,
    /// The members.
    Configuration = 2,
    /// Index and term up to which the log was compacted.
    Truncated = 3,
    /// The ceiling of hybrid time (`P7`), under group 0.
    ClockCeiling = 4,
    /// Whose disk it is, under group 0.
    Identity = 5,
    /// The raft id of the replica whose log it is.
    Replica = 6,
    /// What the data that the log begins behind stand at: it precedes the group's own state, which is put in
    /// place afterwards, and after a crash from here (`P6`).
    Restored = 7,
    /// The data beside this log are void, and its members are these; empty once they are not (`P6`).
    Void = 8,
    /// The first and the last hash of data that became void: others here may have the rest of what the
    /// catalog once gave them.
    VoidRange = 9,
}
