//! Tables as responses show them.

use item::Error;
use item::outcome::Answer;
use proto::v1;
use types::command::{TableAnswer, TableStatus};
use types::{KeyAttribute, KeyType, TableState};

/// Shapes an answer that is a table.
pub(crate) fn encode(result: Result<Answer, Error>) -> Result<v1::TableDescription, Error> {
    match result? {
        Answer::Table(TableAnswer::Table(status)) => Ok(description(status)),
        other => unreachable!("this command is answered by Table, not by {other:?}"),
    }
}

fn description(status: TableStatus) -> v1::TableDescription {
    let table = status.descriptor;
    let replica = |name: &types::RegionName| v1::ReplicaDescription { region_name: name.as_str().to_owned() };
    let mut key_schema = vec![element(&table.key.partition, v1::KeyType::Hash)];
    key_schema.extend(table.key.sort.as_ref().map(|sort| element(sort, v1::KeyType::Range)));
    v1::TableDescription {
        table_name: table.name.as_str().to_owned(),
        table_id: table.id.to_string(),
        table_status: table_status(table.state).into(),
        key_schema,
        attribute_definitions: table.key.attributes().map(definition).collect(),
        creation_time_ms: status.created_ms,
        replicas: table.regions.iter().map(replica).collect(),
        partitions: table.partitions,
    }
}

fn table_status(state: TableState) -> v1::TableStatus {
    match state {
        TableState::Creating => v1::TableStatus::Creating,
        TableState::Active => v1::TableStatus::Active,
        TableState::Deleting => v1::TableStatus::Deleting,
    }
}

fn element(attribute: &KeyAttribute, key_type: v1::KeyType) -> v1::KeySchemaElement {
    v1::KeySchemaElement { attribute_name: attribute.name.clone(), key_type: key_type.into() }
}

pub(crate) fn definition(attribute: &KeyAttribute) -> v1::AttributeDefinition {
    let attribute_type = match attribute.key_type {
        KeyType::S => v1::ScalarAttributeType::S,
        KeyType::N => v1::ScalarAttributeType::N,
        KeyType::B => v1::ScalarAttributeType::B,
    };
    v1::AttributeDefinition { attribute_name: attribute.name.clone(), attribute_type: attribute_type.into() }
}
