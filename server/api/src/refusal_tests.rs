//! Every field that a request can get wrong, and that the refusal names it.

use std::collections::BTreeMap;

use item::Error;
use item::expression::Cache;
use item::operation::Command;
use proto::v1::attribute_value::Value;
use proto::v1::*;

use crate::status;

fn text(value: &str) -> AttributeValue {
    AttributeValue { value: Some(Value::S(value.to_owned())) }
}

fn map(name: &str, value: AttributeValue) -> BTreeMap<String, AttributeValue> {
    [(name.to_owned(), value)].into_iter().collect()
}

fn key() -> BTreeMap<String, AttributeValue> {
    map("id", text("1"))
}

fn names(name: &str) -> BTreeMap<String, String> {
    [("#n".to_owned(), name.to_owned())].into_iter().collect()
}

fn table() -> String {
    "movies".to_owned()
}

#[track_caller]
fn refuses(result: Result<Command, Error>, field: &str) {
    let error = result.expect_err("a refusal");
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert_eq!(status::of(&error).detail.field, field, "{error}");
}

#[track_caller]
fn put_refuses(change: impl FnOnce(&mut PutItemRequest), field: &str) {
    let mut request = PutItemRequest { table_name: table(), item: key(), ..Default::default() };
    let mut cache = Cache::new();
    assert!(crate::put_item::decode(request.clone(), &mut cache).is_ok());
    change(&mut request);
    refuses(crate::put_item::decode(request, &mut cache), field);
}

#[test]
fn put_item_names_what_it_refuses() {
    put_refuses(|put| put.table_name.clear(), "TableName");
    put_refuses(|put| put.table_name = "a b c".to_owned(), "TableName");
    put_refuses(|put| put.item.clear(), "Item");
    put_refuses(|put| put.item = map("n", AttributeValue { value: None }), "n");
    put_refuses(|put| put.item = map("n", AttributeValue { value: Some(Value::N("x".into())) }), "n");
    put_refuses(|put| put.item = map("big", text(&"x".repeat(400 * 1024))), "Item");
    put_refuses(|put| put.item = map("", text("x")), "Item");
    put_refuses(|put| put.return_values = ReturnValues::AllNew.into(), "ReturnValues");
    put_refuses(|put| put.return_values = -1, "ReturnValues");
    let on_failure = "ReturnValuesOnConditionCheckFailure";
    put_refuses(|put| put.return_values_on_condition_check_failure = 9, on_failure);
    put_refuses(|put| put.request_id = vec![0; 15], "RequestId");
    put_refuses(|put| put.request_id = vec![0; 17], "RequestId");
    put_refuses(|put| put.condition_expression = Some(String::new()), "ConditionExpression");
    put_refuses(|put| put.condition_expression = Some("a = :missing".into()), "ConditionExpression");
    put_refuses(|put| put.expression_attribute_names = names("id"), "ExpressionAttributeNames");
    put_refuses(|put| put.expression_attribute_values = map(":v", text("x")), "ExpressionAttributeValues");
    put_refuses(|put| put.expression_attribute_values = map(":v", AttributeValue { value: None }), ":v");
    let unused = |put: &mut PutItemRequest| {
        put.condition_expression = Some("attribute_exists(id)".into());
        put.expression_attribute_names = names("id");
    };
    put_refuses(unused, "ExpressionAttributeNames");
}

#[track_caller]
fn update_refuses(change: impl FnOnce(&mut UpdateItemRequest), field: &str) {
    let mut request = UpdateItemRequest { table_name: table(), key: key(), ..Default::default() };
    let mut cache = Cache::new();
    assert!(crate::update_item::decode(request.clone(), &mut cache).is_ok());
    change(&mut request);
    refuses(crate::update_item::decode(request, &mut cache), field);
}

#[test]
fn update_item_names_what_it_refuses() {
    update_refuses(|update| update.table_name.clear(), "TableName");
    update_refuses(|update| update.key.clear(), "Key");
    update_refuses(|update| update.update_expression = Some("SET a".into()), "UpdateExpression");
    update_refuses(|update| update.condition_expression = Some("(".into()), "ConditionExpression");
    update_refuses(|update| update.return_values = 6, "ReturnValues");
    update_refuses(|update| update.return_values_on_condition_check_failure = -3, ON_FAILURE);
    update_refuses(|update| update.request_id = vec![1], "RequestId");
    update_refuses(|update| update.expression_attribute_names = names("a"), "ExpressionAttributeNames");
}

const ON_FAILURE: &str = "ReturnValuesOnConditionCheckFailure";

#[test]
fn delete_item_names_what_it_refuses() {
    let good = DeleteItemRequest { table_name: table(), key: key(), ..Default::default() };
    let decode = |request| crate::delete_item::decode(request, &mut Cache::new());
    assert!(decode(good.clone()).is_ok());
    refuses(decode(DeleteItemRequest { table_name: String::new(), ..good.clone() }), "TableName");
    refuses(decode(DeleteItemRequest { key: BTreeMap::new(), ..good.clone() }), "Key");
    let return_values = ReturnValues::UpdatedOld.into();
    refuses(decode(DeleteItemRequest { return_values, ..good.clone() }), "ReturnValues");
    refuses(decode(DeleteItemRequest { request_id: vec![0; 3], ..good.clone() }), "RequestId");
    let condition_expression = Some("a = a".to_owned());
    refuses(decode(DeleteItemRequest { condition_expression, ..good }), "ConditionExpression");
}

#[test]
fn get_item_names_what_it_refuses() {
    let good = GetItemRequest { table_name: table(), key: key(), ..Default::default() };
    let decode = |request| crate::get_item::decode(request, &mut Cache::new());
    assert!(decode(good.clone()).is_ok());
    refuses(decode(GetItemRequest { table_name: "x".into(), ..good.clone() }), "TableName");
    refuses(decode(GetItemRequest { key: BTreeMap::new(), ..good.clone() }), "Key");
    let projection_expression = Some("a,,b".to_owned());
    refuses(decode(GetItemRequest { projection_expression, ..good.clone() }), "ProjectionExpression");
    let expression_attribute_names = names("a");
    refuses(decode(GetItemRequest { expression_attribute_names, ..good }), "ExpressionAttributeNames");
}

#[track_caller]
fn query_refuses(change: impl FnOnce(&mut QueryRequest), field: &str) {
    let mut request = QueryRequest {
        table_name: table(),
        key_condition_expression: Some("id = :id".into()),
        expression_attribute_values: map(":id", text("1")),
        ..Default::default()
    };
    assert!(crate::query::decode(request.clone(), &mut Cache::new()).is_ok());
    change(&mut request);
    refuses(crate::query::decode(request, &mut Cache::new()), field);
}

#[test]
fn query_names_what_it_refuses() {
    query_refuses(|query| query.table_name.clear(), "TableName");
    query_refuses(|query| query.key_condition_expression = None, "KeyConditionExpression");
    query_refuses(
        |query| query.key_condition_expression = Some("id <> :id".into()),
        "KeyConditionExpression",
    );
    query_refuses(|query| query.filter_expression = Some("x =".into()), "FilterExpression");
    query_refuses(|query| query.projection_expression = Some("x.".into()), "ProjectionExpression");
    query_refuses(|query| query.limit = Some(0), "Limit");
    query_refuses(|query| query.select = 4, "Select");
    query_refuses(|query| query.select = Select::SpecificAttributes.into(), "ProjectionExpression");
    let conflict = |query: &mut QueryRequest| {
        query.select = Select::Count.into();
        query.projection_expression = Some("x".into());
    };
    query_refuses(conflict, "Select");
    let after = map("id", AttributeValue { value: Some(Value::Null(false)) });
    query_refuses(|query| query.exclusive_start_key = after, "id");
}

#[test]
fn scan_names_what_it_refuses() {
    let good = ScanRequest { table_name: table(), ..Default::default() };
    let decode = |request| crate::scan::decode(request, &mut Cache::new());
    assert!(decode(ScanRequest { segment: Some(1), total_segments: Some(2), ..good.clone() }).is_ok());
    refuses(decode(ScanRequest { table_name: String::new(), ..good.clone() }), "TableName");
    refuses(decode(ScanRequest { limit: Some(0), ..good.clone() }), "Limit");
    refuses(decode(ScanRequest { segment: Some(0), ..good.clone() }), "TotalSegments");
    refuses(decode(ScanRequest { total_segments: Some(2), ..good.clone() }), "Segment");
    for (segment, total, field) in
        [(2, 2, "Segment"), (0, 0, "TotalSegments"), (0, 1_000_001, "TotalSegments")]
    {
        let (segment, total_segments) = (Some(segment), Some(total));
        refuses(decode(ScanRequest { segment, total_segments, ..good.clone() }), field);
    }
}

#[test]
fn batch_get_item_names_what_it_refuses() {
    let wanted = |keys: Vec<Item>| KeysAndAttributes { table_name: table(), keys, ..Default::default() };
    let item = |id: usize| Item { attributes: map("id", text(&id.to_string())) };
    let decode = |request_items| {
        crate::batch_get_item::decode(BatchGetItemRequest { request_items }, &mut Cache::new())
    };
    assert!(decode(vec![wanted((0..100).map(item).collect())]).is_ok());
    refuses(decode(vec![]), "RequestItems");
    refuses(decode(vec![wanted((0..101).map(item).collect())]), "RequestItems");
    refuses(decode(vec![wanted(vec![item(1)]), wanted(vec![item(2)])]), "RequestItems");
    refuses(decode(vec![wanted(vec![item(1), item(1)])]), "Keys");
    refuses(decode(vec![wanted(vec![Item::default()])]), "Keys");
    let other = KeysAndAttributes { table_name: "other".into(), ..Default::default() };
    refuses(decode(vec![wanted(vec![item(1)]), other]), "Keys");
    let projection_expression = Some(String::new());
    let projected = KeysAndAttributes { projection_expression, ..wanted(vec![item(1)]) };
    refuses(decode(vec![projected]), "ProjectionExpression");
}

#[test]
fn batch_write_item_names_what_it_refuses() {
    let put =
        |id: usize| WriteRequest { put_item: map("id", text(&id.to_string())), delete_key: BTreeMap::new() };
    let writes = |requests: Vec<WriteRequest>| TableWrites { table_name: table(), requests };
    let decode = |request_items| crate::batch_write_item::decode(BatchWriteItemRequest { request_items });
    assert!(decode(vec![writes((0..25).map(put).collect())]).is_ok());
    refuses(decode(vec![]), "RequestItems");
    refuses(decode(vec![writes((0..26).map(put).collect())]), "RequestItems");
    refuses(decode(vec![writes(vec![put(1)]), writes(vec![put(2)])]), "RequestItems");
    refuses(decode(vec![writes(vec![put(1), put(1)])]), "RequestItems");
    refuses(decode(vec![writes(vec![WriteRequest::default()])]), "PutRequest or DeleteRequest");
    refuses(decode(vec![writes(vec![WriteRequest { put_item: key(), delete_key: key() }])]), "PutRequest");
    let empty = TableWrites { table_name: "other".into(), requests: vec![] };
    refuses(decode(vec![writes(vec![put(1)]), empty]), "PutRequest or DeleteRequest");
}

fn element(name: &str, key_type: KeyType) -> KeySchemaElement {
    KeySchemaElement { attribute_name: name.to_owned(), key_type: key_type.into() }
}

fn definition(name: &str, attribute_type: ScalarAttributeType) -> AttributeDefinition {
    AttributeDefinition { attribute_name: name.to_owned(), attribute_type: attribute_type.into() }
}

#[track_caller]
fn create_refuses(change: impl FnOnce(&mut CreateTableRequest), field: &str) {
    let mut request = CreateTableRequest {
        table_name: table(),
        key_schema: vec![element("k", KeyType::Hash), element("s", KeyType::Range)],
        attribute_definitions: vec![
            definition("k", ScalarAttributeType::S),
            definition("s", ScalarAttributeType::N),
        ],
        regions: vec!["us-east-1".into(), "eu-west-1".into()],
        partitions: Some(4096),
    };
    assert!(crate::create_table::decode(request.clone()).is_ok());
    change(&mut request);
    refuses(crate::create_table::decode(request), field);
}

#[test]
fn create_table_names_what_it_refuses() {
    create_refuses(|create| create.table_name = "é".repeat(9), "TableName");
    create_refuses(|create| create.partitions = Some(0), "Partitions");
    create_refuses(|create| create.partitions = Some(4097), "Partitions");
    create_refuses(|create| create.regions = vec!["US".into()], "Region");
    create_refuses(|create| create.regions = vec!["a".into(), "a".into()], "Regions");
    create_refuses(|create| create.regions = (0..17).map(|n| format!("r{n}")).collect(), "Regions");
    create_refuses(|create| create.key_schema.clear(), "KeySchema");
    create_refuses(|create| create.key_schema.reverse(), "KeySchema");
    create_refuses(|create| create.key_schema[0].key_type = 7, "KeySchema");
    create_refuses(|create| create.key_schema[1].attribute_name = "k".into(), "KeySchema");
    create_refuses(|create| create.key_schema[0].attribute_name.clear(), "KeySchema.AttributeName");
    let long = "x".repeat(256);
    create_refuses(|create| create.key_schema[0].attribute_name = long, "KeySchema.AttributeName");
    create_refuses(|create| create.attribute_definitions.truncate(1), "AttributeDefinitions");
    let more = definition("x", ScalarAttributeType::S);
    create_refuses(|create| create.attribute_definitions.push(more), "AttributeDefinitions");
    create_refuses(|create| create.attribute_definitions[0].attribute_type = 0, "AttributeType");
}

#[test]
fn the_other_table_and_region_commands_name_what_they_refuse() {
    refuses(crate::describe_table::decode(DescribeTableRequest::default()), "TableName");
    refuses(crate::delete_table::decode(DeleteTableRequest { table_name: "x".into() }), "TableName");
    refuses(crate::describe_routes::decode(DescribeRoutesRequest { table_name: "?".into() }), "TableName");
    for limit in [0, 101] {
        let request = ListTablesRequest { limit: Some(limit), exclusive_start_table_name: None };
        refuses(crate::list_tables::decode(request), "Limit");
    }
    let exclusive_start_table_name = Some("?".to_owned());
    let request = ListTablesRequest { limit: None, exclusive_start_table_name };
    refuses(crate::list_tables::decode(request), "TableName");
    let digest = DigestTableRequest { table_name: table(), range: None, parts: None };
    assert!(crate::digest_table::decode(digest.clone()).is_ok());
    for parts in [0, 257] {
        refuses(
            crate::digest_table::decode(DigestTableRequest { parts: Some(parts), ..digest.clone() }),
            "Parts",
        );
    }
    let range = Some(HashRange { first: 2, last: 1 });
    refuses(crate::digest_table::decode(DigestTableRequest { range, ..digest }), "Range.Last");
    let versions = ListVersionsRequest { table_name: table(), ..Default::default() };
    for limit in [0, 1001] {
        let request = ListVersionsRequest { limit: Some(limit), ..versions.clone() };
        refuses(crate::list_versions::decode(request), "Limit");
    }
    let exclusive_start_key = map(&"k".repeat(70_000), text("x"));
    refuses(crate::list_versions::decode(ListVersionsRequest { exclusive_start_key, ..versions }), "Item");
    refuses(crate::pause_region::decode(PauseRegionRequest { to: String::new() }), "Region");
    refuses(crate::resume_region::decode(ResumeRegionRequest { to: "A".into() }), "Region");
}

#[test]
fn the_commands_on_nodes_name_what_they_refuse() {
    let join = JoinNodeRequest { token: 7, address: "h:1".into(), ..Default::default() };
    let decode = crate::join_node::decode;
    assert!(decode(join.clone()).is_ok());
    refuses(decode(JoinNodeRequest { token: 0, ..join.clone() }), "Token");
    let long = "x".repeat(types::limits::NODE_ADDRESS_BYTES_MAX + 1);
    for address in [String::new(), long] {
        refuses(decode(JoinNodeRequest { address, ..join.clone() }), "Address");
    }
    refuses(crate::drain_node::decode(DrainNodeRequest { node: 0 }), "Node");
    refuses(crate::resume_node::decode(ResumeNodeRequest { node: 0 }), "Node");
    refuses(crate::remove_node::decode(RemoveNodeRequest { node: 0 }), "Node");
}

#[test]
fn the_commands_on_partitions_name_what_they_refuse() {
    refuses(crate::list_partitions::decode(ListPartitionsRequest::default()), "TableName");
    let decode = crate::move_partition::decode;
    let good = MovePartitionRequest { table_name: table(), partition: 16, from: 1, to: 2 };
    assert!(decode(good.clone()).is_ok());
    refuses(decode(MovePartitionRequest { table_name: String::new(), ..good.clone() }), "TableName");
    refuses(decode(MovePartitionRequest { partition: 15, ..good.clone() }), "Partition");
    refuses(decode(MovePartitionRequest { from: 0, ..good.clone() }), "From");
    refuses(decode(MovePartitionRequest { to: 0, ..good.clone() }), "To");
    refuses(decode(MovePartitionRequest { to: 1, ..good }), "To");
}

#[test]
fn a_split_names_its_table_and_partition() {
    let decode = crate::split_partition::decode;
    let good = SplitPartitionRequest { table_name: table(), partition: 16, at_hash: Some(0) };
    assert!(decode(good.clone()).is_ok());
    refuses(decode(SplitPartitionRequest { table_name: String::new(), ..good.clone() }), "TableName");
    refuses(decode(SplitPartitionRequest { partition: 15, ..good }), "Partition");
}
