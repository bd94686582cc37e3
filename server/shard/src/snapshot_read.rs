//! Reads too long for a turn, on a snapshot taken in it.
//!
//! What a snapshot shows is committed, so the reply may leave as soon as it is made.

use item::Outcome;
use item::operation::{Query, Scan};
use item::outcome::{Answer, Page};
use partition::page::Effort;
use partition::{digest, query, scan, versions};
use storage::{Error, Read};
use types::command::TableAnswer;
use types::{HashRange, KeySchema, TableId};

use crate::{Envelope, Reply};

/// A read that runs outside the turn.
#[derive(Debug)]
pub struct SnapshotRead<S> {
    pub(crate) number: u64,
    pub(crate) snapshot: S,
    pub(crate) table: TableId,
    pub(crate) what: What,
}

/// What to read of a table.
#[derive(Debug)]
pub(crate) enum What {
    /// A page of a query.
    Query(Box<Paged<query::Plan, Query>>),
    /// A page of a scan.
    Scan(Box<Paged<scan::Plan, Scan>>),
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

/// A request for a page, checked against its table.
#[derive(Debug)]
pub(crate) struct Paged<P, R> {
    pub key: KeySchema,
    pub plan: P,
    pub request: R,
}

impl<S: Read> SnapshotRead<S> {
    /// Whether it compares tables, which may read as much as they hold; otherwise it ends after a page.
    pub fn compares(&self) -> bool {
        matches!(self.what, What::Digest { .. } | What::Versions(_))
    }

    /// Runs the read. An error is fatal.
    pub fn run(self) -> Result<Envelope, Error> {
        let SnapshotRead { number, snapshot, table, what } = self;
        let answer = match what {
            What::Query(paged) => {
                let Paged { key, plan, request } = &*paged;
                page(query::read(&snapshot, table, key, plan, request, Effort::Page)?)
            }
            What::Scan(paged) => {
                let Paged { key, plan, request } = &*paged;
                page(scan::read(&snapshot, table, key, plan, request, Effort::Page)?)
            }
            What::Digest { range, parts, positions } => {
                let parts = digest::read(&snapshot, table, range, parts)?;
                Answer::Table(TableAnswer::Digest { table, parts, positions })
            }
            What::Versions(plan) => {
                let (keys, more) = versions::read(&snapshot, table, &plan)?;
                Answer::Table(TableAnswer::Versions { keys, more })
            }
        };
        Ok(Envelope::Reply(Box::new(Reply::new(number, Ok(answer)))))
    }
}

fn page(page: Option<Page>) -> Answer {
    Answer::Item(Outcome::Page(page.expect("a page's effort is enough for a page")))
}
