//! What requests come to when nothing is wrong with them, and the shapes of answers.

use std::collections::BTreeMap;

use item::error::Error;
use item::expression::Cache;
use item::operation::{BatchWriteEntry, Command, KeysAndOptions, Operation, ReturnValues};
use item::outcome::{Answer, BatchGot, Outcome, Page};
use item::{AttributeValue, Item};
use proto::convert::item_into;
use proto::v1;
use types::command::{
    ClusterAnswer, ClusterCommand, KeyVersion, NodeState, NodeStatus, PartDigest, PartitionLoad,
    PartitionRoute, PartitionStatus, SeatState, TableAnswer, TableCommand, TableRoutes, TableStatus,
};
use types::{
    GroupId, HashRange, HybridTime, KeyAttribute, KeyHash, KeySchema, KeyType, NodeId, RegionId, RegionName,
    TableDescriptor, TableId, TableName, TableState,
};

fn item(id: &str) -> Item {
    [("id".to_owned(), AttributeValue::S(id.to_owned()))].into_iter().collect()
}

fn movies() -> TableName {
    TableName::new("movies").unwrap()
}

#[test]
fn a_put_is_decoded_whole() {
    let request = v1::PutItemRequest {
        table_name: "movies".into(),
        item: item_into(item("1")),
        condition_expression: Some("attribute_not_exists(#n)".into()),
        expression_attribute_names: [("#n".to_owned(), "id".to_owned())].into_iter().collect(),
        return_values: v1::ReturnValues::AllOld.into(),
        return_values_on_condition_check_failure: 2,
        request_id: vec![7; 16],
        ..Default::default()
    };
    let Ok(Command::Item(Operation::Put(put))) = crate::put_item::decode(request, &mut Cache::new()) else {
        panic!("a put");
    };
    assert_eq!((put.table, put.item), (movies(), item("1")));
    assert_eq!(put.options.return_values, ReturnValues::AllOld);
    assert!(put.options.return_on_failure);
    assert_eq!(put.options.request.map(|id| id.0), Some([7; 16]));
    assert!(put.options.condition.is_some_and(|condition| !condition.evaluate(&item("1"))));
}

#[test]
fn a_query_ascends_unless_told_otherwise() {
    let request = v1::QueryRequest {
        table_name: "movies".into(),
        key_condition_expression: Some("id = :id".into()),
        expression_attribute_values: item_into(
            [(":id".to_owned(), AttributeValue::S("1".into()))].into_iter().collect(),
        ),
        limit: Some(5),
        select: v1::Select::Count.into(),
        ..Default::default()
    };
    let decode = |request| match crate::query::decode(request, &mut Cache::new()) {
        Ok(Command::Item(Operation::Query(query))) => query,
        other => panic!("a query, not {other:?}"),
    };
    let query = decode(request.clone());
    assert!(query.forward && query.page.count_only);
    assert_eq!(query.page.limit, Some(5));
    assert!(!decode(v1::QueryRequest { scan_index_forward: Some(false), ..request }).forward);
}

#[test]
fn a_table_is_created_where_it_is_asked_when_no_region_is_named() {
    let request = v1::CreateTableRequest {
        table_name: "movies".into(),
        key_schema: vec![v1::KeySchemaElement { attribute_name: "id".into(), key_type: 1 }],
        attribute_definitions: vec![v1::AttributeDefinition {
            attribute_name: "id".into(),
            attribute_type: 1,
        }],
        ..Default::default()
    };
    let Ok(Command::Table(command)) = crate::create_table::decode(request) else { panic!("a table command") };
    let partition = KeyAttribute { name: "id".into(), key_type: KeyType::S };
    let key = KeySchema { partition, sort: None };
    assert_eq!(command, TableCommand::Create { name: movies(), key, regions: vec![], partitions: 1 });
}

#[test]
fn a_failed_condition_carries_its_item_in_the_response() {
    let failed = Err(Error::ConditionFailed { item: Some(Box::new(item("1"))) });
    let response = crate::put_item::encode(failed).unwrap();
    let stored = response.condition_check_failed.unwrap().item.unwrap();
    assert_eq!(stored.attributes, item_into(item("1")));
    let plain = Err(Error::ConditionFailed { item: None });
    assert_eq!(crate::delete_item::encode(plain), Err(Error::ConditionFailed { item: None }));
}

#[test]
fn writes_return_what_was_asked_for() {
    let written = || Ok(Answer::Item(Outcome::Written(Some(item("1")))));
    assert_eq!(
        crate::put_item::encode(written()).unwrap().attributes.unwrap().attributes,
        item_into(item("1"))
    );
    assert!(crate::update_item::encode(written()).unwrap().attributes.is_some());
    let nothing = Ok(Answer::Item(Outcome::Written(None)));
    assert_eq!(crate::update_item::encode(nothing).unwrap(), v1::UpdateItemResponse::default());
}

#[test]
fn an_empty_projection_of_an_item_is_not_an_absent_item() {
    let of = |item| crate::get_item::encode(Ok(Answer::Item(Outcome::Item(item)))).unwrap().item;
    assert_eq!(of(None), None);
    assert_eq!(of(Some(Item::new())), Some(v1::Item::default()));
}

#[test]
fn pages_tell_where_to_continue() {
    let page = Page { items: vec![item("1")], count: 1, scanned: 3, last: Some(item("1")), rest: None };
    let response = crate::scan::encode(Ok(Answer::Item(Outcome::Page(page)))).unwrap();
    assert_eq!((response.count, response.scanned_count, response.items.len()), (1, 3, 1));
    assert_eq!(response.last_evaluated_key, item_into(item("1")));
}

#[test]
fn what_a_batch_left_over_can_be_sent_again() {
    let request = v1::KeysAndAttributes {
        table_name: "movies".into(),
        keys: vec![v1::Item { attributes: item_into(item("1")) }],
        consistent_read: true,
        projection_expression: Some("#n, title".into()),
        expression_attribute_names: [("#n".to_owned(), "name".to_owned())].into_iter().collect(),
    };
    let request = v1::BatchGetItemRequest { request_items: vec![request] };
    let decoded = crate::batch_get_item::decode(request.clone(), &mut Cache::new());
    let Ok(Command::Item(Operation::BatchGet(batch))) = decoded else { panic!("a batch") };
    let unprocessed: BTreeMap<TableName, KeysAndOptions> = batch.tables;
    let got = BatchGot { items: BTreeMap::new(), unprocessed };
    let response = crate::batch_get_item::encode(Ok(Answer::Item(Outcome::Got(got)))).unwrap();
    assert_eq!(response.unprocessed_keys, request.request_items);
}

#[test]
fn unprocessed_writes_keep_their_kind() {
    let entries = vec![BatchWriteEntry::Put(item("1")), BatchWriteEntry::Delete(item("2"))];
    let left = [(movies(), entries)].into_iter().collect();
    let response = crate::batch_write_item::encode(Ok(Answer::Item(Outcome::Wrote(left)))).unwrap();
    let again = v1::BatchWriteItemRequest { request_items: response.unprocessed_items.clone() };
    let Ok(Command::Item(Operation::BatchWrite(batch))) = crate::batch_write_item::decode(again) else {
        panic!("a batch");
    };
    assert_eq!(batch.tables[&movies()][1], BatchWriteEntry::Delete(item("2")));
    assert!(response.unprocessed_items[0].requests[0].delete_key.is_empty());
}

#[test]
fn tables_are_described_as_dynamodb_does() {
    let sort = KeyAttribute { name: "row".into(), key_type: KeyType::N };
    let partition = KeyAttribute { name: "Title".into(), key_type: KeyType::S };
    let descriptor = TableDescriptor {
        id: TableId { created: HybridTime::from_millis(5), origin: RegionId(9) },
        name: movies(),
        key: KeySchema { partition, sort: Some(sort) },
        regions: vec![RegionName::new("us-east-1").unwrap()],
        partitions: 4,
        state: TableState::Active,
    };
    let status = TableStatus { descriptor, created_ms: 5 };
    let answer = Ok(Answer::Table(TableAnswer::Table(status)));
    let table = crate::describe_table::encode(answer).unwrap().table.unwrap();
    assert_eq!(table.table_status(), v1::TableStatus::Active);
    assert_eq!(table.table_id, "000000000005000000000009");
    assert_eq!(table.key_schema[1].key_type(), v1::KeyType::Range);
    assert_eq!(table.attribute_definitions[1].attribute_type(), v1::ScalarAttributeType::N);
    assert_eq!((table.partitions, table.replicas.len()), (4, 1));
}

#[test]
fn routes_name_the_addresses_that_links_know_and_else_the_catalogs() {
    let known = PartitionRoute { first: KeyHash(0), node: Some(NodeId(2)), leads: true };
    let unknown = PartitionRoute { first: KeyHash(u64::MAX), node: None, leads: false };
    let routes = TableRoutes {
        table: TableId { created: HybridTime::from_millis(5), origin: RegionId(9) },
        partition_key: KeyAttribute { name: "Title".into(), key_type: KeyType::N },
        partitions: vec![known, unknown],
        nodes: [(1, "old:1"), (2, "two:2"), (3, "")].map(|(node, at)| (NodeId(node), at.to_owned())).into(),
    };
    let answering = crate::describe_routes::Answering {
        region: RegionName::new("us-east-1").unwrap(),
        node: NodeId(1),
        addresses: [(NodeId(1), "new:1".to_owned())].into(),
    };
    let answer = Ok(Answer::Table(TableAnswer::Routes(routes)));
    let response = crate::describe_routes::encode(answer, &answering).unwrap();
    assert_eq!((response.region_name.as_str(), response.node), ("us-east-1", 1));
    assert_eq!(response.table_id, "000000000005000000000009");
    assert_eq!(response.partition_key.unwrap().attribute_type(), v1::ScalarAttributeType::N);
    let at = |first_hash, node, leads| v1::PartitionRoute { first_hash, node, leads };
    assert_eq!(response.partitions, [at(0, 2, true), at(u64::MAX, 0, false)]);
    let addresses: Vec<_> = response.nodes.iter().map(|node| node.address.as_str()).collect();
    assert_eq!(addresses, ["new:1", "two:2", ""]);
}

#[test]
fn a_list_of_tables_ends_with_where_to_continue() {
    let names = vec![movies()];
    let of = |more| {
        let answer = Ok(Answer::Table(TableAnswer::Names { names: names.clone(), more }));
        crate::list_tables::encode(answer).unwrap().last_evaluated_table_name
    };
    assert_eq!((of(true).as_deref(), of(false)), (Some("movies"), None));
}

#[test]
fn digests_and_versions_keep_every_bit() {
    let part = PartDigest { range: HashRange::ALL, count: 2, digest: u128::MAX - 1 };
    let id = TableId { created: HybridTime::from_millis(5), origin: RegionId(9) };
    let digest = TableAnswer::Digest { table: id, parts: vec![part], positions: vec![(16, 4)] };
    let response = crate::digest_table::encode(Ok(Answer::Table(digest))).unwrap();
    assert_eq!(response.parts[0].digest, (u128::MAX - 1).to_be_bytes());
    assert_eq!(response.positions, [v1::Position { partition: 16, applied_index: 4 }]);
    let key = item::codec::encode(&item("1"));
    let version = KeyVersion { key, time: HybridTime::from_u64(7), digest: u64::MAX };
    let versions = TableAnswer::Versions { keys: vec![version], more: true };
    let response = crate::list_versions::encode(Ok(Answer::Table(versions))).unwrap();
    let listed = &response.keys[0];
    assert_eq!((listed.time, listed.digest, response.more), (7, u64::MAX, true));
    assert_eq!(listed.key.as_ref().unwrap().attributes, item_into(item("1")));
}

#[test]
fn a_new_node_is_told_its_number_and_the_others() {
    let request =
        v1::JoinNodeRequest { token: u64::MAX, address: "new:7001".into(), ..v1::JoinNodeRequest::default() };
    let Ok(Command::Cluster(command)) = crate::join_node::decode(request) else { panic!("a join") };
    assert_eq!(command, ClusterCommand::Join { token: u64::MAX, address: "new:7001".into() });
    let members = vec![(NodeId(1), "one:7001".to_owned()), (NodeId(2), String::new())];
    let joined = Answer::Cluster(ClusterAnswer::Joined { node: NodeId(4), members });
    let response = crate::join_node::encode(Ok(joined)).unwrap();
    assert_eq!((response.node, response.members.len()), (4, 2));
    assert_eq!(response.members[0], v1::NodeMember { node: 1, address: "one:7001".into() });
}

#[test]
fn nodes_and_partitions_are_shown_whole() {
    let status = NodeStatus {
        node: NodeId(3),
        address: "h:1".into(),
        state: NodeState::Draining,
        lives: true,
        replicas: 5,
        first: 2,
        moving: 1,
    };
    let nodes = crate::drain_node::encode(Ok(Answer::Cluster(ClusterAnswer::Nodes(vec![status])))).unwrap();
    let state = v1::NodeState::Draining.into();
    let expected = v1::NodeDescription {
        node: 3,
        address: "h:1".into(),
        state,
        lives: true,
        replicas: 5,
        first: 2,
        moving: 1,
    };
    assert_eq!(nodes.nodes, [expected]);
    let partition = PartitionStatus {
        partition: GroupId(16),
        range: HashRange::ALL,
        seats: vec![(NodeId(3), SeatState::Leaving), (NodeId(4), SeatState::Joining)],
        leader: None,
        splitting: true,
        load: Some(PartitionLoad { per_second: 1200, middle: None }),
    };
    let answer = Ok(Answer::Cluster(ClusterAnswer::Partitions(vec![partition])));
    let partitions = crate::list_partitions::encode(answer).unwrap().partitions;
    let states: Vec<_> = partitions[0].seats.iter().map(|seat| (seat.node, seat.state())).collect();
    assert_eq!(states, [(3, v1::SeatState::Leaving), (4, v1::SeatState::Joining)]);
    assert_eq!(
        (partitions[0].first_hash, partitions[0].last_hash, partitions[0].leader),
        (0, u64::MAX, None)
    );
    let (splitting, load, one_key) =
        (partitions[0].splitting, partitions[0].operations_per_second, partitions[0].one_key);
    assert_eq!((splitting, load, one_key), (true, Some(1200), true));
}
