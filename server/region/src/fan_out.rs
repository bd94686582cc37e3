//! A batch spread over partitions: what is waited for, and the answer once nothing is.
//!
//! A part that could not be done is handed back as unprocessed; only a client error fails the whole batch.

use std::collections::BTreeMap;

use item::operation::BatchWriteEntry;
use item::{Error, Kind, Outcome};
use types::TableName;

/// A `BatchWriteItem` under way.
#[derive(Clone, Debug)]
pub struct BatchWriteFan {
    waiting: usize,
    unprocessed: BTreeMap<TableName, Vec<BatchWriteEntry>>,
    failed: Option<Error>,
}

impl BatchWriteFan {
    /// Waits for this many parts.
    pub fn new(parts: usize) -> Self {
        BatchWriteFan { waiting: parts, unprocessed: BTreeMap::new(), failed: None }
    }

    /// One part came to an end. Gives the answer with the last one.
    pub fn part(
        &mut self,
        table: &TableName,
        entry: BatchWriteEntry,
        result: Result<(), Error>,
    ) -> Option<Result<Outcome, Error>> {
        match result {
            Ok(()) => {}
            // Putting or deleting the same item again does no harm, so an unknown outcome may be tried again.
            Err(error) if error.kind() != Kind::Client => {
                self.unprocessed.entry(table.clone()).or_default().push(entry);
            }
            Err(error) => self.failed = Some(error),
        }
        self.waiting -= 1;
        (self.waiting == 0).then(|| match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(Outcome::Wrote(std::mem::take(&mut self.unprocessed))),
        })
    }
}

#[cfg(test)]
mod tests {
    use item::Item;

    use super::*;

    #[test]
    fn the_last_part_brings_the_answer() {
        let table = TableName::new("movies").expect("a table's name");
        let entry = || BatchWriteEntry::Put(Item::new());
        let mut fan = BatchWriteFan::new(3);
        assert!(fan.part(&table, entry(), Ok(())).is_none());
        assert!(fan.part(&table, entry(), Err(Error::OutcomeUnknown)).is_none());
        match fan.part(&table, entry(), Ok(())) {
            Some(Ok(Outcome::Wrote(unprocessed))) => assert_eq!(unprocessed[&table].len(), 1),
            other => panic!("{other:?}"),
        }
    }
}
