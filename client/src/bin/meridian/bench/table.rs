//! The table of a run: its own, or one that several runs share.
//!
//! A table that a run created is dropped when the run is over, however it ended. One that is to be kept stays
//! only if it was loaded to the end: a half-filled table would pass for a full one the next time.

use std::cell::Cell;

use client::{Client, Error};
use proto::v1::{CreateTableRequest, DeleteTableRequest, DescribeTableRequest, TableDescription};

use super::arguments::Bench;
use super::content::{ID, PLACE};
use crate::failure::Failure;
use crate::table::{create, key::Key};

/// A table, and what is to become of it.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    origin: Origin,
    key: Key,
    partitions: u32,
    to_drop: Cell<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// Made for this run alone.
    Own,
    /// There before.
    Given,
    /// Either, and there afterwards.
    Kept,
}

impl Table {
    /// The table that was asked for.
    pub(super) fn of(arguments: &Bench) -> Table {
        let (name, origin) = match (&arguments.table, &arguments.keep) {
            (Some(name), _) => (name.clone(), Origin::Given),
            (None, Some(name)) => (name.clone(), Origin::Kept),
            (None, None) => (format!("bench-{:016x}", rand::random::<u64>()), Origin::Own),
        };
        let key = match arguments.workload.has_sort_key() {
            true => format!("{ID}:S,{PLACE}:N"),
            false => format!("{ID}:S"),
        };
        let key = key.parse().expect("a key that was spelled here");
        Table { name, origin, key, partitions: arguments.partitions, to_drop: Cell::new(false) }
    }

    /// Finds or creates the table. Says whether it was created, and is empty.
    pub(super) async fn open(&self, client: &Client) -> Result<bool, Failure> {
        if self.origin != Origin::Own {
            let request = DescribeTableRequest { table_name: self.name.clone() };
            match client.describe_table(request).await {
                Ok(table) => return self.check(&table).map(|()| false),
                Err(error) if self.origin == Origin::Kept && is_absent(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Set first: a run that is interrupted does not learn whether the table was created.
        self.to_drop.set(true);
        let request = CreateTableRequest {
            table_name: self.name.clone(),
            key_schema: self.key.schema(),
            attribute_definitions: self.key.definitions(),
            regions: Vec::new(),
            partitions: Some(self.partitions),
        };
        match create::create(client, request).await {
            Ok(_) => Ok(true),
            Err(failure) => {
                self.to_drop.set(may_exist(&failure));
                Err(failure)
            }
        }
    }

    fn check(&self, table: &TableDescription) -> Result<(), Failure> {
        if table.key_schema == self.key.schema() && table.attribute_definitions == self.key.definitions() {
            return Ok(());
        }
        Err(Failure::OtherKey { table: self.name.clone(), key: self.key.to_string() })
    }

    /// Notes that every item was loaded.
    pub(super) fn loaded(&self) {
        if self.origin == Origin::Kept {
            self.to_drop.set(false);
        }
    }

    /// Whether every run with this table finds it loaded.
    pub(super) fn is_kept(&self) -> bool {
        self.origin == Origin::Kept
    }

    /// Drops the table unless it is to stay.
    pub(super) async fn close(&self, client: &Client) -> Result<(), Failure> {
        if !self.to_drop.get() {
            return Ok(());
        }
        match client.delete_table(DeleteTableRequest { table_name: self.name.clone() }).await {
            // It may never have come into being, or be gone by an attempt whose answer was lost.
            Err(error) if !is_absent(&error) => {
                Err(Failure::NotDropped { table: self.name.clone(), cause: error })
            }
            _ => Ok(()),
        }
    }
}

fn is_absent(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.name == "ResourceNotFoundException")
}

/// Whether a table may exist although creating it failed.
fn may_exist(failure: &Failure) -> bool {
    !matches!(failure, Failure::Call(Error::Refused(_) | Error::NotDone { .. }))
}
