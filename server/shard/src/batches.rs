//! `BatchWriteItem`: each write on its own, the answer when the last one is applied.

use std::collections::BTreeSet;

use item::operation::{BatchWrite, BatchWriteEntry, Delete, Put, WriteOptions};
use item::{Error as Refusal, Invalid};
use region::BatchWriteFan;
use storage::Engine;
use types::TableName;

use crate::reads::{Told, told};
use crate::waiter::Waiter;
use crate::writes::Write;
use crate::{Error, Shard};

impl<E: Engine> Shard<E> {
    /// Begins a batch. A refused part fails the batch before anything is proposed, as DynamoDB validates
    /// whole requests; what cannot be done at the moment is handed back.
    pub(crate) fn batch_write(&mut self, number: u64, request: BatchWrite) -> Told<()> {
        for (name, entries) in &request.tables {
            told!(self.check_entries(name, entries));
        }
        let parts = request.tables.values().map(Vec::len).sum();
        if parts == 0 {
            return Ok(Err(Invalid::Missing { field: "RequestItems" }.into()));
        }
        self.fans.insert(number, BatchWriteFan::new(parts));
        for (name, entries) in request.tables {
            for entry in entries {
                self.begin_part(number, &name, entry)?;
            }
        }
        Ok(Ok(()))
    }

    fn check_entries(&self, name: &TableName, entries: &[BatchWriteEntry]) -> Result<(), Refusal> {
        let table = self.table(name)?;
        let home = self.any_home(table)?;
        let mut keys = BTreeSet::new();
        for entry in entries {
            let key = match write(name, entry.clone()) {
                Write::Put(put) => partition::put::check(home, &put)?,
                Write::Delete(delete) => partition::delete::check(home, &delete)?,
                Write::Update(_) => unreachable!("a batch holds no updates"),
            };
            if !keys.insert(key.bytes) {
                return Err(Invalid::Duplicate { field: "RequestItems" }.into());
            }
        }
        Ok(())
    }

    fn begin_part(&mut self, number: u64, name: &TableName, entry: BatchWriteEntry) -> Result<(), Error> {
        let (table, kept) = (name.clone(), entry.clone());
        let begun = self.write(name, write(name, entry.clone()), |result| Waiter::Part {
            number,
            table,
            entry: kept,
            result: result.map(|_| ()),
        })?;
        if let Err(refusal) = begun {
            self.part(number, name, entry, Err(refusal));
        }
        Ok(())
    }

    /// One write of a batch came to an end.
    pub(crate) fn part(
        &mut self,
        number: u64,
        table: &TableName,
        entry: BatchWriteEntry,
        result: Result<(), Refusal>,
    ) {
        if result.is_ok() {
            self.figures.acknowledged_writes += 1;
        }
        let Some(fan) = self.fans.get_mut(&number) else { return };
        if let Some(answer) = fan.part(table, entry, result) {
            self.fans.remove(&number);
            self.reply_item(number, answer);
        }
    }
}

fn write(table: &TableName, entry: BatchWriteEntry) -> Write {
    let (table, options) = (table.clone(), WriteOptions::default());
    match entry {
        BatchWriteEntry::Put(item) => Write::Put(Put { table, item, options }),
        BatchWriteEntry::Delete(key) => Write::Delete(Delete { table, key, options }),
    }
}
