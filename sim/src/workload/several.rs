//! Operations on several keys at once, drawn by weight: batches, queries, scans.
//!
//! In the history each is a write or a read of every key that it is about. So the checkers judge it as they
//! judge operations on one key, and need not know that it was one.

use std::collections::{BTreeMap, BTreeSet};

use item::expression::{KeyCondition, Substitutions};
use item::operation::{
    BatchGet, BatchWrite, BatchWriteEntry, KeysAndOptions, Operation, PageOptions, Query, Scan, WriteOptions,
};
use types::HashRange;

use crate::history::{Guard, Intent, Issued, KeyId};

use super::{Waiting, Workload};

impl Workload {
    /// Draws an operation on several keys.
    pub(super) fn choose_several(&mut self, client: usize) -> Waiting {
        let (parts, operation) = match self.chance.weighted(&[400, 250, 200, 150]) {
            0 => self.batch_write(),
            1 => self.batch_get(),
            2 => self.query(),
            _ => self.scan(),
        };
        Waiting { client, parts, operation, retries: 0 }
    }

    fn some_keys(&mut self) -> BTreeSet<KeyId> {
        let count = self.chance.between(2, 6);
        (0..count).map(|_| self.key()).collect()
    }

    fn batch_write(&mut self) -> (Vec<Issued>, Operation) {
        let (mut parts, mut entries) = (Vec::new(), Vec::new());
        for key in self.some_keys() {
            let marker = self.marker();
            let (intent, entry) = match self.chance.permille(700) {
                true => {
                    let put = self.put(key, marker, WriteOptions::default());
                    (Intent::Put, BatchWriteEntry::Put(put.item))
                }
                false => (Intent::Delete, BatchWriteEntry::Delete(self.keys[key].clone())),
            };
            parts.push(Issued { number: 0, key, intent, guard: Guard::Always, marker, request: None });
            entries.push(entry);
        }
        let tables = BTreeMap::from([(self.table.clone(), entries)]);
        (parts, Operation::BatchWrite(BatchWrite { tables }))
    }

    fn batch_get(&mut self) -> (Vec<Issued>, Operation) {
        let keys = self.some_keys();
        let attributes = keys.iter().map(|key| self.keys[*key].clone()).collect();
        let wanted = KeysAndOptions { keys: attributes, consistent: true, projection: None };
        let tables = BTreeMap::from([(self.table.clone(), wanted)]);
        (keys.into_iter().map(read).collect(), Operation::BatchGet(BatchGet { tables }))
    }

    /// All items of a partition key, or those from one sort key on, either way.
    fn query(&mut self) -> (Vec<Issued>, Operation) {
        let key = self.key();
        let mut substitutions = Substitutions::default();
        let mut add = |letter: &str, name: &String| {
            substitutions.names.insert(format!("#{letter}"), name.clone());
            substitutions.values.insert(format!(":{letter}"), self.keys[key][name].clone());
        };
        add("p", &self.schema.partition.name);
        let from = self.schema.sort.as_ref().filter(|_| self.chance.permille(500));
        let text = match from {
            Some(sort) => {
                add("s", &sort.name);
                "#p = :p AND #s >= :s"
            }
            None => "#p = :p",
        };
        let condition = KeyCondition::parse(text, &substitutions).expect("the condition is valid");
        let (name, least) = (&self.schema.partition.name, from.map(|_| &self.places[key]));
        let mut keys = self.in_order(|other| {
            self.keys[other][name] == self.keys[key][name]
                && least.is_none_or(|least| self.places[other] >= *least)
        });
        let forward = self.chance.permille(500);
        if !forward {
            keys.reverse();
        }
        let (table, page) = (self.table.clone(), self.page());
        let query = Query { table, condition, forward, page };
        (keys.into_iter().map(read).collect(), Operation::Query(query))
    }

    /// The whole table, or a part of it that holds a key.
    fn scan(&mut self) -> (Vec<Issued>, Operation) {
        let segments = self.chance.between(1, 4) as u32;
        let key = self.key();
        let hash = self.places[key].hash;
        let parts = (0..segments).map(|index| (index, HashRange::part(index, segments)));
        let (index, range) =
            parts.into_iter().find(|(_, range)| range.contains(hash)).expect("parts leave no hash out");
        let keys = self.in_order(|key| range.contains(self.places[key].hash));
        let segment = (segments > 1).then_some((index, segments));
        let scan = Scan { table: self.table.clone(), segment, from: None, page: self.page() };
        (keys.into_iter().map(read).collect(), Operation::Scan(scan))
    }

    /// The keys for which something holds, in the order of the key space.
    fn in_order(&self, holds: impl Fn(KeyId) -> bool) -> Vec<KeyId> {
        let mut keys: Vec<KeyId> = (0..self.keys.len()).filter(|key| holds(*key)).collect();
        keys.sort_by_key(|key| &self.places[*key]);
        keys
    }

    fn page(&mut self) -> PageOptions {
        let limit = self.chance.permille(400).then(|| self.chance.between(1, 5) as usize);
        PageOptions { limit, consistent: true, ..PageOptions::default() }
    }
}

/// A read has no name: whoever gets no answer asks for something else.
fn read(key: KeyId) -> Issued {
    Issued { number: 0, key, intent: Intent::Get, guard: Guard::Always, marker: 0, request: None }
}
