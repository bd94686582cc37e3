//! `CreateTable`.

use item::Error;
use item::error::Invalid;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{
    AttributeDefinition, CreateTableRequest, CreateTableResponse, KeySchemaElement, KeyType as KeyRole,
    ScalarAttributeType,
};
use types::command::TableCommand;
use types::limits::{KEY_NAME_BYTES_MAX, PARTITIONS_MAX, REGIONS_MAX};
use types::{KeyAttribute, KeySchema, KeyType, RegionName};

use crate::{field, table};

const KEY_SCHEMA: &str = "one HASH attribute, and then at most one RANGE attribute";

/// Checks a request.
pub fn decode(request: CreateTableRequest) -> Result<Command, Error> {
    let name = field::table_name(request.table_name)?;
    let key = key_schema(&request.key_schema, &request.attribute_definitions)?;
    let regions = regions(request.regions)?;
    let partitions = request.partitions.unwrap_or(1);
    field::bounded("Partitions", partitions.into(), 1, PARTITIONS_MAX.into())?;
    Ok(Command::Table(TableCommand::Create { name, key, regions, partitions }))
}

fn regions(names: Vec<String>) -> Result<Vec<RegionName>, Error> {
    field::bounded("Regions", names.len() as u64, 0, REGIONS_MAX as u64)?;
    let mut regions = names.into_iter().map(field::region_name).collect::<Result<Vec<_>, _>>()?;
    let count = regions.len();
    regions.sort();
    regions.dedup();
    if regions.len() < count {
        return Err(Invalid::Duplicate { field: "Regions" }.into());
    }
    Ok(regions)
}

fn key_schema(
    elements: &[KeySchemaElement],
    definitions: &[AttributeDefinition],
) -> Result<KeySchema, Error> {
    let roles: Vec<KeyRole> = elements.iter().map(KeySchemaElement::key_type).collect();
    if roles != [KeyRole::Hash] && roles != [KeyRole::Hash, KeyRole::Range] {
        return Err(Invalid::Choice { field: "KeySchema", allowed: KEY_SCHEMA }.into());
    }
    let mut attributes = Vec::with_capacity(elements.len());
    for element in elements {
        attributes.push(key_attribute(&element.attribute_name, definitions)?);
    }
    let sort = if attributes.len() > 1 { attributes.pop() } else { None };
    let partition = attributes.pop().ok_or(Invalid::Missing { field: "KeySchema" })?;
    if sort.as_ref().is_some_and(|sort| sort.name == partition.name) {
        return Err(Invalid::Duplicate { field: "KeySchema" }.into());
    }
    // Only key attributes have a type of their own (DynamoDB refuses definitions of others).
    if definitions.len() != elements.len() {
        return Err(Invalid::Conflict { field: "AttributeDefinitions", other: "KeySchema" }.into());
    }
    Ok(KeySchema { partition, sort })
}

fn key_attribute(name: &str, definitions: &[AttributeDefinition]) -> Result<KeyAttribute, Error> {
    field::bounded("KeySchema.AttributeName", name.len() as u64, 1, KEY_NAME_BYTES_MAX as u64)?;
    let definition = definitions.iter().find(|definition| definition.attribute_name == name);
    let definition = definition.ok_or(Invalid::Missing { field: "AttributeDefinitions" })?;
    let key_type = match definition.attribute_type() {
        ScalarAttributeType::S => KeyType::S,
        ScalarAttributeType::N => KeyType::N,
        ScalarAttributeType::B => KeyType::B,
        ScalarAttributeType::Unspecified => {
            return Err(Invalid::Choice { field: "AttributeType", allowed: "S, N or B" }.into());
        }
    };
    Ok(KeyAttribute { name: name.to_owned(), key_type })
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<CreateTableResponse, Error> {
    Ok(CreateTableResponse { table: Some(table::encode(result)?) })
}
