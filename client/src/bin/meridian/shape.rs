//! Messages as JSON in the shapes of DynamoDB's responses, and JSON arguments as messages.

use std::collections::BTreeMap;

use item::Item;
use item::json::{InvalidJson, dynamodb, plain};
use proto::convert::{item_from, item_into};
use proto::v1;
use serde_json::{Map, Value, json};

use crate::arguments::Spelling;
use crate::failure::Failure;

/// The attributes of a message.
pub(crate) type Attributes = BTreeMap<String, v1::AttributeValue>;

/// An item or key given as an argument.
pub(crate) fn read_item(
    argument: &'static str,
    text: &str,
    spelling: Spelling,
) -> Result<Attributes, Failure> {
    let read = if spelling.plain { plain::read_item } else { dynamodb::read_item };
    let item = item::json::parse(text.as_bytes()).and_then(read);
    item.map(item_into).map_err(|cause| Failure::Json { argument, cause })
}

/// `--names`.
pub(crate) fn read_names(text: Option<&str>) -> Result<BTreeMap<String, String>, Failure> {
    let Some(text) = text else { return Ok(BTreeMap::new()) };
    let failure = |cause| Failure::Json { argument: "--names", cause };
    let item = item::json::parse(text.as_bytes()).and_then(plain::read_item).map_err(failure)?;
    let name = |(token, value)| match value {
        item::AttributeValue::S(name) => Ok((token, name)),
        _ => Err(failure(InvalidJson {
            path: token,
            cause: item::json::Cause::Expected { expected: "a string" },
        })),
    };
    item.into_iter().map(name).collect()
}

/// `--values`.
pub(crate) fn read_values(text: Option<&str>, spelling: Spelling) -> Result<Attributes, Failure> {
    text.map_or(Ok(Attributes::new()), |text| read_item("--values", text, spelling))
}

/// An item of an answer as JSON.
pub(crate) fn item(attributes: Attributes, spelling: Spelling) -> Result<Value, Failure> {
    let item: Item = item_from(attributes).map_err(|cause| Failure::Answer { cause })?;
    Ok(if spelling.plain { plain::write_item(&item) } else { dynamodb::write_item(&item) })
}

/// DynamoDB's `TableDescription`.
pub(crate) fn table(table: &v1::TableDescription) -> Value {
    let replica = |replica: &v1::ReplicaDescription| json!({"RegionName": replica.region_name});
    json!({
        "TableName": table.table_name,
        "TableId": table.table_id,
        "TableStatus": table_status(table),
        "KeySchema": table.key_schema.iter().map(element).collect::<Vec<_>>(),
        "AttributeDefinitions": table.attribute_definitions.iter().map(definition).collect::<Vec<_>>(),
        "CreationDateTime": table.creation_time_ms as f64 / 1000.0,
        "Replicas": table.replicas.iter().map(replica).collect::<Vec<_>>(),
        "Partitions": table.partitions,
    })
}

fn element(element: &v1::KeySchemaElement) -> Value {
    let key_type = word(element.key_type().as_str_name(), "KEY_TYPE_");
    json!({"AttributeName": element.attribute_name, "KeyType": key_type})
}

fn definition(definition: &v1::AttributeDefinition) -> Value {
    let attribute_type = word(definition.attribute_type().as_str_name(), "SCALAR_ATTRIBUTE_TYPE_");
    json!({"AttributeName": definition.attribute_name, "AttributeType": attribute_type})
}

/// `CREATING`, `ACTIVE` or `DELETING`.
pub(crate) fn table_status(table: &v1::TableDescription) -> &'static str {
    word(table.table_status().as_str_name(), "TABLE_STATUS_")
}

/// What a region knows of itself and its peers.
pub(crate) fn region(region: &v1::RegionDescription) -> Value {
    json!({
        "RegionName": region.region_name,
        "Tables": region.tables,
        "Partitions": region.partitions,
        "LedgerEntries": region.ledger_entries,
        "Peers": region.peers.iter().map(peer).collect::<Vec<_>>(),
        "Nodes": region.nodes.iter().map(overview).collect::<Vec<_>>(),
        "Summary": region.summary.as_ref().map(summary),
    })
}

/// A node, with what it told of itself; what it did not tell is null.
fn overview(overview: &v1::NodeOverview) -> Value {
    let mut shown = overview.description.as_ref().map_or(json!({}), node);
    let figures = overview.figures.as_ref();
    let disk = figures.and_then(|figures| figures.disk.as_ref());
    shown["Leads"] = json!(figures.map(|figures| figures.leads));
    shown["Resting"] = json!(figures.map(|figures| figures.resting));
    shown["LogBytes"] = json!(figures.map(|figures| figures.log_bytes));
    shown["DiskBytes"] = json!(disk.map(|disk| disk.total_bytes));
    shown["DiskFreeBytes"] = json!(disk.map(|disk| disk.free_bytes));
    shown["DiskNeededBytes"] = json!(disk.map(|disk| disk.needed_bytes));
    shown["DiskNearlyFull"] = json!(disk.map(|disk| disk.nearly_full));
    shown
}

fn summary(summary: &v1::RegionSummary) -> Value {
    json!({
        "Partitions": summary.partitions,
        "UnderReplicated": summary.under_replicated,
        "WithoutLeader": summary.without_leader,
        "Resting": summary.resting,
        "Moving": summary.moving,
        "Splitting": summary.splitting,
        "Hottest": summary.hottest.iter().map(hot_partition).collect::<Vec<_>>(),
    })
}

fn hot_partition(hot: &v1::HotPartition) -> Value {
    json!({
        "TableName": hot.table_name,
        "Partition": hot.partition,
        "Leader": hot.node,
        "OperationsPerSecond": hot.operations_per_second,
        "OneKey": hot.one_key,
    })
}

fn peer(peer: &v1::PeerDescription) -> Value {
    json!({
        "RegionName": peer.region_name,
        "Connected": peer.connected,
        "Paused": peer.paused,
        "PendingChanges": peer.pending_changes,
        "PendingBytes": peer.pending_bytes,
        "LagMilliseconds": peer.lag_ms,
    })
}

/// What a region knows of one of its nodes.
pub(crate) fn node(node: &v1::NodeDescription) -> Value {
    json!({
        "Node": node.node,
        "Address": node.address,
        "State": word(node.state().as_str_name(), "NODE_STATE_"),
        "Lives": node.lives,
        "Replicas": node.replicas,
        "First": node.first,
        "Moving": node.moving,
    })
}

/// What a region knows of a partition. Hashes are text, since few readers of JSON keep 64 bits of a number.
pub(crate) fn partition(partition: &v1::PartitionDescription) -> Value {
    json!({
        "Partition": partition.partition,
        "FirstHash": format!("{:016x}", partition.first_hash),
        "LastHash": format!("{:016x}", partition.last_hash),
        "Seats": partition.seats.iter().map(seat).collect::<Vec<_>>(),
        "Leader": partition.leader,
        "Splitting": partition.splitting,
        "OperationsPerSecond": partition.operations_per_second,
        "OneKey": partition.one_key,
    })
}

fn seat(seat: &v1::SeatDescription) -> Value {
    json!({"Node": seat.node, "State": word(seat.state().as_str_name(), "SEAT_STATE_")})
}

/// The members of an object as headings and cells of a table, `Name` and `Value`.
pub(crate) fn rows(object: &Map<String, Value>) -> Vec<Vec<String>> {
    object.iter().map(|(name, value)| vec![name.clone(), crate::output::cell(value)]).collect()
}

fn word(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Spelling = Spelling { plain: true };
    const DYNAMODB: Spelling = Spelling { plain: false };

    #[test]
    fn arguments_are_read_in_both_spellings() {
        let plain = read_item("ITEM", r#"{"a": 1.50, "b": null}"#, PLAIN).unwrap();
        let dynamodb = read_item("ITEM", r#"{"a": {"N": "1.5"}, "b": {"NULL": true}}"#, DYNAMODB).unwrap();
        assert_eq!(plain, dynamodb);
        assert_eq!(item(plain.clone(), DYNAMODB).unwrap(), json!({"a": {"N": "1.5"}, "b": {"NULL": true}}));
        assert_eq!(item(plain, PLAIN).unwrap().to_string(), r#"{"a":1.5,"b":null}"#);
    }

    #[test]
    fn wrong_arguments_are_wrong_usage_and_named() {
        for result in [
            read_item("KEY", "{", DYNAMODB).err(),
            read_item("KEY", "[]", PLAIN).err(),
            read_item("KEY", r#"{"a": 1}"#, DYNAMODB).err(),
            read_names(Some(r##"{"#n": 1}"##)).err(),
            read_values(Some("nonsense"), DYNAMODB).err(),
        ] {
            let failure = result.expect("a failure");
            assert_eq!(failure.exit_status(), 2, "{failure}");
            assert!(
                failure.to_string().starts_with("KEY") || failure.to_string().starts_with("--"),
                "{failure}"
            );
        }
    }

    #[test]
    fn a_table_has_the_shape_that_dynamodb_gives_it() {
        let description = v1::TableDescription {
            table_name: "movies".into(),
            table_id: "00".into(),
            table_status: v1::TableStatus::Active.into(),
            key_schema: vec![v1::KeySchemaElement { attribute_name: "Title".into(), key_type: 1 }],
            attribute_definitions: vec![v1::AttributeDefinition {
                attribute_name: "Title".into(),
                attribute_type: 1,
            }],
            creation_time_ms: 1500,
            replicas: vec![v1::ReplicaDescription { region_name: "us-east-1".into() }],
            partitions: 4,
        };
        assert_eq!(
            table(&description),
            json!({
                "TableName": "movies", "TableId": "00", "TableStatus": "ACTIVE",
                "KeySchema": [{"AttributeName": "Title", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "Title", "AttributeType": "S"}],
                "CreationDateTime": 1.5, "Replicas": [{"RegionName": "us-east-1"}], "Partitions": 4,
            })
        );
    }

    #[test]
    fn an_unknown_lag_is_null() {
        let peer =
            v1::PeerDescription { region_name: "eu-west-1".into(), lag_ms: None, ..Default::default() };
        let description = v1::RegionDescription { peers: vec![peer], ..Default::default() };
        assert_eq!(region(&description)["Peers"][0]["LagMilliseconds"], Value::Null);
    }

    #[test]
    fn what_a_node_did_not_tell_is_null() {
        let description = v1::NodeDescription { node: 3, address: "h:3".into(), ..Default::default() };
        let silent = v1::NodeOverview { description: Some(description), figures: None };
        let disk = v1::DiskFigures { total_bytes: 9, free_bytes: 2, needed_bytes: 3, nearly_full: true };
        let figures = v1::NodeFigures { leads: 4, resting: 1, log_bytes: 7, disk: Some(disk) };
        let told = v1::NodeOverview { figures: Some(figures), ..silent.clone() };
        let silent = overview(&silent);
        assert_eq!((&silent["Node"], &silent["Leads"]), (&json!(3), &Value::Null));
        assert_eq!(silent["DiskFreeBytes"], Value::Null);
        let told = overview(&told);
        assert_eq!((&told["Leads"], &told["LogBytes"]), (&json!(4), &json!(7)));
        assert_eq!((&told["DiskFreeBytes"], &told["DiskNearlyFull"]), (&json!(2), &json!(true)));
    }

    #[test]
    fn the_sum_of_a_region_is_shown_with_its_hottest_partitions() {
        let hot = v1::HotPartition {
            table_name: "movies".into(),
            partition: 16,
            node: 2,
            operations_per_second: 900,
            one_key: true,
        };
        let sum = v1::RegionSummary { partitions: 4, hottest: vec![hot], ..Default::default() };
        let description = v1::RegionDescription { summary: Some(sum), ..Default::default() };
        assert_eq!(
            region(&description)["Summary"],
            json!({
                "Partitions": 4, "UnderReplicated": 0, "WithoutLeader": null, "Resting": 0, "Moving": 0,
                "Splitting": 0, "Hottest": [{
                    "TableName": "movies", "Partition": 16, "Leader": 2, "OperationsPerSecond": 900,
                    "OneKey": true,
                }],
            })
        );
    }
}
