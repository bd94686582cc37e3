//! The fake region's tables.

use item::Key;
use proto::convert::item_into;
use proto::v1::{
    CreateTableRequest, DigestTableRequest, DigestTableResponse, HashRange, Item, KeyVersion,
    ListVersionsRequest, ListVersionsResponse, PartDigest, PeerDescription, Position, RegionDescription,
    ReplicaDescription, ScalarAttributeType, TableDescription, TableStatus,
};
use tonic::{Code, Status};
use types::{KeyAttribute, KeySchema, KeyType};

use super::items::key;
use super::{State, Table, status};

/// Keys in one list, few enough that lists are cut.
const LISTED: usize = 20;

impl State {
    pub fn create(&mut self, request: CreateTableRequest) -> Result<TableDescription, Status> {
        if self.tables.contains_key(&request.table_name) {
            let kind = proto::v1::ErrorKind::Client;
            return Err(status(Code::FailedPrecondition, "ResourceInUseException", kind, "TableName"));
        }
        let key_type = |number| match ScalarAttributeType::try_from(number) {
            Ok(ScalarAttributeType::N) => KeyType::N,
            Ok(ScalarAttributeType::B) => KeyType::B,
            _ => KeyType::S,
        };
        let mut attributes = request.attribute_definitions.iter().map(|definition| KeyAttribute {
            name: definition.attribute_name.clone(),
            key_type: key_type(definition.attribute_type),
        });
        let key = KeySchema { partition: attributes.next().unwrap(), sort: attributes.next() };
        let regions = if request.regions.is_empty() { vec![self.name.clone()] } else { request.regions };
        let description = TableDescription {
            table_name: request.table_name.clone(),
            table_id: "000000000000000000000001".to_owned(),
            table_status: TableStatus::Creating.into(),
            key_schema: request.key_schema,
            attribute_definitions: request.attribute_definitions,
            creation_time_ms: 1000,
            replicas: regions.into_iter().map(|region_name| ReplicaDescription { region_name }).collect(),
            partitions: request.partitions.unwrap_or(1),
        };
        let table = Table { description: description.clone(), key, items: Default::default() };
        self.tables.insert(request.table_name, table);
        Ok(description)
    }

    /// Describes a table; it is ACTIVE from the second look on.
    pub fn describe(&mut self, name: &str) -> Result<TableDescription, Status> {
        let table = self.table(name)?;
        let description = table.description.clone();
        table.description.table_status = TableStatus::Active.into();
        Ok(description)
    }

    pub fn digest(&mut self, request: &DigestTableRequest) -> Result<DigestTableResponse, Status> {
        self.digests += 1;
        if let Some(item) = self.arriving.take_if(|_| self.digests > 2) {
            self.put("movies", item)?;
        }
        let table = self.table(&request.table_name)?;
        let range = request.range.unwrap_or(HashRange { first: 0, last: u64::MAX });
        let count = u128::from(request.parts.unwrap_or(1));
        let width = u128::from(range.last - range.first) + 1;
        let edge = |index: u128| u128::from(range.first) + width * index / count;
        let parts = (0..count).map(|index| {
            let range = HashRange { first: edge(index) as u64, last: (edge(index + 1) - 1) as u64 };
            let versions = versions(table, range, None);
            let digest =
                versions.iter().fold(0u128, |sum, version| sum.wrapping_add(u128::from(version.digest)));
            let count = versions.len() as u64;
            PartDigest { range: Some(range), count, digest: digest.to_be_bytes().to_vec() }
        });
        Ok(DigestTableResponse {
            table_id: table.description.table_id.clone(),
            parts: parts.collect(),
            positions: vec![Position { partition: 16, applied_index: 5 }],
        })
    }

    pub fn versions(&mut self, request: &ListVersionsRequest) -> Result<ListVersionsResponse, Status> {
        let table = self.table(&request.table_name)?;
        let after = match request.exclusive_start_key.is_empty() {
            true => None,
            false => Some(key(table, &request.exclusive_start_key)?),
        };
        let range = request.range.unwrap_or(HashRange { first: 0, last: u64::MAX });
        let mut keys = versions(table, range, after.as_ref());
        let more = keys.len() > LISTED;
        keys.truncate(LISTED);
        Ok(ListVersionsResponse { keys, more })
    }

    pub fn region(&self) -> RegionDescription {
        let peer = |name: &String| PeerDescription {
            region_name: name.clone(),
            paused: true,
            ..PeerDescription::default()
        };
        RegionDescription {
            region_name: self.name.clone(),
            tables: self.tables.len() as u64,
            partitions: 1,
            ledger_entries: 0,
            peers: self.paused.iter().map(peer).collect(),
            ..RegionDescription::default()
        }
    }
}

fn versions(table: &Table, range: HashRange, after: Option<&Key>) -> Vec<KeyVersion> {
    let inside = table.items.iter().filter(|(key, _)| (range.first..=range.last).contains(&key.hash.0));
    let inside = inside.filter(|(key, _)| after.is_none_or(|after| *key > after));
    let version = |(key, stored): (&Key, &super::Stored)| {
        let key_item = item::key::decode(&table.key, &key.bytes).unwrap();
        let text = format!("{:?}{:?}{}", key.bytes, stored.item.attributes, stored.time);
        KeyVersion {
            key: Some(Item { attributes: item_into(key_item) }),
            time: stored.time,
            digest: types::key_hash(text.as_bytes()).0,
        }
    };
    inside.map(version).collect()
}
