//! Reads too long for a turn, on a snapshot taken in it.
//!
//! What a snapshot shows is committed, so the reply may leave as soon as it is made.

use item::outcome::Answer;
use partition::{digest, versions};
use storage::{Error, Read};
use types::command::TableAnswer;
use types::{HashRange, TableId};

use crate::{Envelope, Reply};

/// A read that runs outside the turn.
#[derive(Debug)]
pub struct SnapshotRead<S> {
    pub(crate) number: u64,
    pub(crate) snapshot: S,
    pub(crate) table: TableId,
    pub(crate) what: What,
}

/// What to read of a range.
#[derive(Debug)]
pub(crate) enum What {
    /// Digests of so many parts, taken at these positions.
    Digest {
        /// Of which hashes.
        range: HashRange,
        /// How many parts.
        parts: u32,
        /// Partition and applied index of each partition that the range touches.
        positions: Vec<(u64, u64)>,
    },
    /// Keys and versions.
    Versions(versions::Plan),
}

impl<S: Read> SnapshotRead<S> {
    /// Runs the read. An error is fatal.
    pub fn run(self) -> Result<Envelope, Error> {
        let answer = match self.what {
            What::Digest { range, parts, positions } => {
                let parts = digest::read(&self.snapshot, self.table, range, parts)?;
                TableAnswer::Digest { table: self.table, parts, positions }
            }
            What::Versions(plan) => {
                let (keys, more) = versions::read(&self.snapshot, self.table, &plan)?;
                TableAnswer::Versions { keys, more }
            }
        };
        Ok(Envelope::Reply(Box::new(Reply::new(self.number, Ok(Answer::Table(answer))))))
    }
}
