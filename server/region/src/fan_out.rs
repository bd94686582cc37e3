//! A batch spread over partitions: what is waited for, and the answer once nothing is.
//!
//! A part that was not done is handed back as unprocessed; where no part was done, and all for want of room,
//! the batch is told so, as DynamoDB tells one whose parts are all throttled. A client error fails the whole
//! batch, and so does a part of which nobody knows whether it was done: handed back, it would be tried again
//! behind what others have written meanwhile (`P3`).

use std::collections::BTreeMap;

use item::operation::BatchWriteEntry;
use item::{Error, Kind, Outcome};
use types::TableName;

/// A `BatchWriteItem` under way.
#[derive(Clone, Debug)]
pub struct BatchWriteFan {
    waiting: usize,
    unprocessed: BTreeMap<TableName, Vec<BatchWriteEntry>>,
    /// Why every part so far was handed back, as long as all were for want of room.
    full: Option<Error>,
    /// Whether any part came to another end.
    otherwise: bool,
    failed: Option<Error>,
}

impl BatchWriteFan {
    /// Waits for this many parts.
    pub fn new(parts: usize) -> Self {
        let unprocessed = BTreeMap::new();
        BatchWriteFan { waiting: parts, unprocessed, full: None, otherwise: false, failed: None }
    }

    /// One part came to an end. Gives the answer with the last one.
    pub fn part(
        &mut self,
        table: &TableName,
        entry: BatchWriteEntry,
        result: Result<(), Error>,
    ) -> Option<Result<Outcome, Error>> {
        match &result {
            Err(error @ Error::StorageFull { .. }) => self.full = Some(error.clone()),
            _ => self.otherwise = true,
        }
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::Retryable => {
                self.unprocessed.entry(table.clone()).or_default().push(entry);
            }
            // A client error says more than an unknown outcome, and the first of several as much as any.
            Err(error) if self.failed.is_none() || error.kind() == Kind::Client => self.failed = Some(error),
            Err(_) => {}
        }
        self.waiting -= 1;
        let full = self.full.take_if(|_| self.waiting == 0 && !self.otherwise);
        (self.waiting == 0).then(|| match self.failed.take().or(full) {
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
        assert!(fan.part(&table, entry(), Err(Error::NotLeader)).is_none());
        match fan.part(&table, entry(), Ok(())) {
            Some(Ok(Outcome::Wrote(unprocessed))) => assert_eq!(unprocessed[&table].len(), 1),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_batch_of_which_nothing_had_room_says_so() {
        let table = TableName::new("movies").expect("a table's name");
        let entry = || BatchWriteEntry::Put(Item::new());
        let full = Error::StorageFull { node: types::NodeId(1), free_bytes: 1, needed_bytes: 2 };
        let mut fan = BatchWriteFan::new(2);
        assert!(fan.part(&table, entry(), Err(full.clone())).is_none());
        let answer = fan.part(&table, entry(), Err(full.clone()));
        assert!(matches!(&answer, Some(Err(error)) if *error == full), "{answer:?}");
        let mut fan = BatchWriteFan::new(2);
        assert!(fan.part(&table, entry(), Err(full.clone())).is_none());
        match fan.part(&table, entry(), Ok(())) {
            Some(Ok(Outcome::Wrote(unprocessed))) => assert_eq!(unprocessed[&table].len(), 1),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_part_of_unknown_outcome_is_not_called_unprocessed() {
        let table = TableName::new("movies").expect("a table's name");
        let entry = || BatchWriteEntry::Put(Item::new());
        let mut fan = BatchWriteFan::new(3);
        assert!(fan.part(&table, entry(), Err(Error::OutcomeUnknown)).is_none());
        assert!(fan.part(&table, entry(), Ok(())).is_none());
        let answer = fan.part(&table, entry(), Err(Error::NotLeader));
        assert!(matches!(answer, Some(Err(Error::OutcomeUnknown))), "{answer:?}");
    }
}
