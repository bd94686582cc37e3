//! What is asked of a world, and what was found.

use item::operation::{Delete, Get, Operation, Put, WriteOptions};
use item::{AttributeValue, Item, Outcome};
use types::TableName;

pub fn item(key: &str, value: &str) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Item::from([("k".to_owned(), text(key)), ("v".to_owned(), text(value))])
}

fn key(key: &str) -> Item {
    Item::from([("k".to_owned(), AttributeValue::S(key.to_owned()))])
}

pub fn name(table: &str) -> TableName {
    TableName::new(table).expect("a name")
}

pub fn put(table: &str, key: &str, value: &str) -> Operation {
    Operation::Put(Put { table: name(table), item: item(key, value), options: WriteOptions::default() })
}

pub fn delete(table: &str, of: &str) -> Operation {
    Operation::Delete(Delete { table: name(table), key: key(of), options: WriteOptions::default() })
}

/// What a read found.
pub fn value(outcome: Outcome) -> Option<Item> {
    match outcome {
        Outcome::Item(item) => item,
        Outcome::Stored(item) => item.map(|item| item.item()),
        other => panic!("{other:?}"),
    }
}

/// A read that any replica may answer.
pub fn eventually(table: &str, of: &str) -> Operation {
    let Operation::Get(strongly) = get(table, of) else { unreachable!("a get is a get") };
    Operation::Get(Get { consistent: false, ..strongly })
}

pub fn get(table: &str, of: &str) -> Operation {
    Operation::Get(Get { table: name(table), key: key(of), consistent: true, projection: None })
}
