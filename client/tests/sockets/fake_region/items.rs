//! The fake region's items.

use std::collections::BTreeMap;

use item::Key;
use proto::convert::{item_from, item_into};
use proto::v1::{AttributeValue, Item, ScanRequest, ScanResponse, Select, WriteRequest};
use tonic::Status;

use super::{State, Stored, Table, invalid, not_found};

/// Items in one page, few enough that small tables have several.
const PAGE_ITEMS: usize = 7;
/// An attribute that the fake refuses, as a stand-in for whatever a real region may refuse.
const POISON: &str = "poison";

type Attributes = BTreeMap<String, AttributeValue>;

impl State {
    /// Counts a write, and fails it if a failure is due: before it is carried out, or after.
    pub fn write<T>(&mut self, write: impl FnOnce(&mut State) -> Result<T, Status>) -> Result<T, Status> {
        self.writes += 1;
        self.written.notify_one();
        match self.failures.pop_front() {
            Some(failure) if self.fails_late => write(self).and(Err(failure)),
            Some(failure) => Err(failure),
            None => write(self),
        }
    }

    pub fn table(&mut self, name: &str) -> Result<&mut Table, Status> {
        self.tables.get_mut(name).ok_or_else(not_found)
    }

    pub fn put(&mut self, table: &str, item: Attributes) -> Result<(), Status> {
        self.clock += 1;
        let time = self.clock;
        if item.contains_key(POISON) {
            return Err(invalid(POISON));
        }
        let table = self.table(table)?;
        let key = key(table, &item)?;
        // Through `item` and back, as a real region does: numbers lose their zeros.
        let attributes = item_into(item_from(item).map_err(|_| invalid("Item"))?);
        table.items.insert(key, Stored { item: Item { attributes }, time });
        Ok(())
    }

    pub fn get(&mut self, table: &str, key_attributes: &Attributes) -> Result<Option<Item>, Status> {
        let table = self.table(table)?;
        let key = key(table, key_attributes)?;
        Ok(table.items.get(&key).map(|stored| stored.item.clone()))
    }

    pub fn delete(&mut self, table: &str, key_attributes: &Attributes) -> Result<Option<Item>, Status> {
        let table = self.table(table)?;
        let key = key(table, key_attributes)?;
        Ok(table.items.remove(&key).map(|stored| stored.item))
    }

    /// Puts a batch as a whole or not at all, but for what is to be left unprocessed.
    pub fn batch(&mut self, table: &str, mut writes: Vec<WriteRequest>) -> Result<Vec<WriteRequest>, Status> {
        let found = self.table(table)?;
        let mut keys =
            writes.iter().map(|write| key(found, &write.put_item)).collect::<Result<Vec<_>, _>>()?;
        keys.sort();
        keys.dedup();
        let poisoned = writes.iter().any(|write| write.put_item.contains_key(POISON));
        if poisoned || keys.len() < writes.len() || writes.len() > 25 {
            return Err(invalid("RequestItems"));
        }
        let unprocessed = writes.split_off(writes.len() - self.unprocessed.min(writes.len()));
        self.unprocessed = 0;
        for write in writes {
            self.put(table, write.put_item)?;
        }
        Ok(unprocessed)
    }

    pub fn scan(&mut self, request: &ScanRequest) -> Result<ScanResponse, Status> {
        let (segment, total) = (request.segment.unwrap_or(0), request.total_segments.unwrap_or(1));
        let table = self.table(&request.table_name)?;
        let after = match request.exclusive_start_key.is_empty() {
            true => None,
            false => Some(key(table, &request.exclusive_start_key)?),
        };
        let of_segment = |key: &&Key| key.hash.0 % u64::from(total) == u64::from(segment);
        let keys = table
            .items
            .keys()
            .filter(of_segment)
            .filter(|key| after.as_ref().is_none_or(|after| *key > after));
        let keys: Vec<&Key> = keys.take(PAGE_ITEMS.min(request.limit.unwrap_or(u32::MAX) as usize)).collect();
        let last = keys.last().filter(|_| keys.len() == PAGE_ITEMS || request.limit.is_some());
        let key_of = |key: &Key| {
            let names = table.key.attributes().map(|attribute| attribute.name.clone());
            let attributes = &table.items[key].item.attributes;
            names.filter_map(|name| Some((name.clone(), attributes.get(&name)?.clone()))).collect()
        };
        let count = keys.len() as u64;
        let items = keys.iter().map(|key| table.items[*key].item.clone());
        Ok(ScanResponse {
            items: if request.select() == Select::Count { Vec::new() } else { items.collect() },
            count,
            scanned_count: count,
            last_evaluated_key: last.map(|key| key_of(key)).unwrap_or_default(),
            rest_node: None,
            rest_hash: None,
        })
    }
}

pub fn key(table: &Table, attributes: &Attributes) -> Result<Key, Status> {
    let item = item_from(attributes.clone()).map_err(|_| invalid("Item"))?;
    Key::of_item(&table.key, &item).map_err(|_| invalid("Key"))
}
