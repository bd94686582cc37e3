//! What a client asks for: the table, its keys, and operations on one key drawn by weight.
//!
//! Every write puts a marker of its own into the item, so that whoever reads an item knows which write made
//! it.

use item::expression::{Condition, Substitutions, Update};
use item::operation::{Delete, Get, Operation, Put, ReturnValues, UpdateItem, WriteOptions};
use item::{AttributeValue, Item, Number};
use types::{KeyAttribute, KeySchema, KeyType, RequestId};

use crate::chance::Chance;
use crate::history::{COUNTER, Guard, Intent, Issued, KeyId, MARKER};

use super::{Waiting, Workload};

const FILLING: &str = "d";
/// How many operations are about several keys at once.
const SEVERAL_PERMILLE: u64 = 150;

/// A key of one or of two attributes.
pub fn schema(chance: &mut Chance) -> KeySchema {
    let attribute = |name: &str, key_type| KeyAttribute { name: name.to_string(), key_type };
    let sort = chance.permille(500).then(|| attribute("row", KeyType::N));
    KeySchema { partition: attribute("name", KeyType::S), sort }
}

/// A few keys, spread over the hash space; in a table with sort keys some share a partition key.
pub fn keys(schema: &KeySchema, chance: &mut Chance) -> Vec<Item> {
    let count = chance.between(8, 16);
    let item = |at: u64| match &schema.sort {
        Some(sort) => Item::from([
            (schema.partition.name.clone(), AttributeValue::S(format!("name-{}", at / 2))),
            (sort.name.clone(), number(at % 2)),
        ]),
        None => Item::from([(schema.partition.name.clone(), AttributeValue::S(format!("name-{at}")))]),
    };
    (0..count).map(item).collect()
}

impl Workload {
    /// Draws what a client does next.
    pub(super) fn choose(&mut self, client: usize) -> Waiting {
        if self.chance.permille(SEVERAL_PERMILLE) {
            return self.choose_several(client);
        }
        let (marker, key) = (self.marker(), self.key());
        let kinds = [(Intent::Put, 300), (Intent::Update, 250), (Intent::Delete, 250), (Intent::Get, 200)];
        let intent = kinds[self.chance.weighted(&kinds.map(|(_, weight)| weight))].0;
        let guard = if intent == Intent::Get { Guard::Always } else { self.guard() };
        let options = self.options(intent, guard);
        let request = options.request;
        let operation = match intent {
            Intent::Put => Operation::Put(self.put(key, marker, options)),
            Intent::Update => Operation::Update(self.update(key, marker, options)),
            Intent::Delete => {
                let (table, key) = (self.table.clone(), self.keys[key].clone());
                Operation::Delete(Delete { table, key, options })
            }
            Intent::Get => Operation::Get(self.get(key)),
        };
        let issued = Issued { number: 0, key, intent, guard, marker, request };
        Waiting { client, parts: vec![issued], operation, retries: 0 }
    }

    /// A name for a write.
    pub(super) fn marker(&mut self) -> u64 {
        self.markers += 1;
        self.markers
    }

    /// A key, most often one that the clients care for.
    pub(super) fn key(&mut self) -> KeyId {
        match self.chance.permille(950) {
            true => *self.chance.pick(&self.focus),
            false => self.chance.below(self.keys.len() as u64) as KeyId,
        }
    }

    fn get(&self, key: KeyId) -> Get {
        Get { table: self.table.clone(), key: self.keys[key].clone(), consistent: true, projection: None }
    }

    pub(super) fn put(&mut self, key: KeyId, marker: u64, options: WriteOptions) -> Put {
        let mut item = self.keys[key].clone();
        item.insert(MARKER.to_string(), number(marker));
        item.insert(COUNTER.to_string(), number(0));
        let length = match self.chance.below(50) {
            0 => self.chance.between(1000, 8000),
            _ => self.chance.between(0, 40),
        };
        item.insert(FILLING.to_string(), AttributeValue::S("x".repeat(length as usize)));
        Put { table: self.table.clone(), item, options }
    }

    fn update(&mut self, key: KeyId, marker: u64, mut options: WriteOptions) -> UpdateItem {
        let text = match self.chance.permille(500) {
            true => "SET w = :marker, n = if_not_exists(n, :zero) + :one",
            false => "SET w = :marker ADD n :one",
        };
        let mut substitutions = Substitutions::default();
        substitutions.values.insert(":marker".to_string(), number(marker));
        substitutions.values.insert(":one".to_string(), number(1));
        if text.contains(":zero") {
            substitutions.values.insert(":zero".to_string(), number(0));
        }
        let update = Update::parse(text, &substitutions).expect("the expression is valid");
        if self.chance.permille(200) {
            options.return_values = ReturnValues::AllNew;
        }
        UpdateItem { table: self.table.clone(), key: self.keys[key].clone(), update: Some(update), options }
    }

    fn guard(&mut self) -> Guard {
        match self.chance.below(8) {
            0 => Guard::Absent,
            1 => Guard::Present,
            2 => Guard::Below(self.chance.below(6)),
            _ => Guard::Always,
        }
    }

    /// Options of a write: the condition, now and then an answer that shows the old item, and a request id,
    /// which alone tells which tombstone a delete made.
    fn options(&mut self, intent: Intent, guard: Guard) -> WriteOptions {
        let condition = match guard {
            Guard::Always => None,
            Guard::Absent => Some(condition("attribute_not_exists(w)", None)),
            Guard::Present => Some(condition("attribute_exists(w)", None)),
            Guard::Below(most) => Some(condition("n < :most", Some(most))),
        };
        let named_permille = match intent {
            Intent::Put | Intent::Update => 500,
            Intent::Delete => 900,
            Intent::Get => 0,
        };
        let return_values = match self.chance.permille(200) {
            true => ReturnValues::AllOld,
            false => ReturnValues::None,
        };
        let request = self.chance.permille(named_permille).then(|| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&self.chance.number().to_be_bytes());
            bytes[8..].copy_from_slice(&self.markers.to_be_bytes());
            RequestId(bytes)
        });
        WriteOptions { condition, return_values, return_on_failure: self.chance.permille(300), request }
    }
}

fn condition(text: &str, most: Option<u64>) -> Condition {
    let mut substitutions = Substitutions::default();
    substitutions.values.extend(most.map(|most| (":most".to_string(), number(most))));
    Condition::parse(text, &substitutions).expect("the expression is valid")
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(Number::parse(&value.to_string()).expect("digits are a number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Stream;

    #[test]
    fn keys_are_few_and_distinct_in_both_kinds_of_table() {
        let mut sorted = [false; 2];
        for seed in 0..20 {
            let mut chance = Chance::new(seed, Stream::Workload);
            let schema = schema(&mut chance);
            sorted[usize::from(schema.sort.is_some())] = true;
            let keys = keys(&schema, &mut chance);
            let mut bytes: Vec<_> =
                keys.iter().map(|key| item::Key::of_key(&schema, key).unwrap().bytes).collect();
            bytes.sort();
            bytes.dedup();
            assert_eq!(bytes.len(), keys.len());
            assert!((8..=16).contains(&keys.len()));
        }
        assert_eq!(sorted, [true, true]);
    }
}
