//! Requests that are well-formed messages and still wrong: each is refused, by a type that names the field
//! and the limit, and the server lives.

use std::collections::BTreeMap;

use blackbox::command_line::meridian;
use blackbox::regions::Regions;
use blackbox::report;
use blackbox::settings::Build;
use blackbox::wire::{self, Item, Wire, item, number, text};
use proto::v1::attribute_value::Value;
use proto::v1::{
    AttributeValue, BatchWriteItemRequest, CreateTableRequest, ErrorKind, GetItemRequest, List,
    PutItemRequest, QueryRequest, ScanRequest, StringSet, TableWrites, UpdateItemRequest, WriteRequest,
};
use tonic::Status;

const TABLE: &str = "strict";

/// A bad request: what is wrong with it, what became of it, and what the refusal must say.
struct Case {
    wrong: &'static str,
    result: Result<(), Status>,
    says: &'static [&'static str],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_refused_by_field_and_limit() {
    let mut regions = Regions::start(Build::Shipped, &[]).await;
    let endpoint = regions.endpoint(0);
    let created = meridian(&endpoint, &["table", "create", TABLE, "--key", "id:S,at:N"]).await;
    assert_eq!(created.status, 0, "{created:?}");
    let mut wire = wire::connect(&endpoint).await.expect("a region that runs takes connections");
    let mut cases = bad_items(&mut wire).await;
    cases.extend(bad_expressions(&mut wire).await);
    cases.extend(bad_calls(&mut wire).await);
    let faults: Vec<String> = cases.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    regions.server(0).assert_alive();
    let good = put(&mut wire, key()).await;
    assert!(good.is_ok(), "after all this a good request is refused: {good:?}");
    report::figures("bad_input", serde_json::json!({ "refused": cases.len() }));
}

/// What is wrong with a refusal, if anything.
fn fault(case: &Case) -> Option<String> {
    let Err(status) = &case.result else { return Some(format!("{}: accepted", case.wrong)) };
    let Some(detail) = wire::detail(status) else {
        return Some(format!("{}: no detail: {status:?}", case.wrong));
    };
    let typed = detail.kind() == ErrorKind::Client && detail.name.ends_with("Exception");
    let told = format!("{} {} {}", detail.name, detail.field, detail.message);
    let silent = case.says.iter().find(|word| !told.contains(**word));
    if typed && silent.is_none() {
        None
    } else {
        Some(format!("{}: {detail:?}, without {silent:?}", case.wrong))
    }
}

fn key() -> Item {
    item([("id", text("a")), ("at", number("1"))])
}

fn with(name: &str, value: AttributeValue) -> Item {
    let mut item = key();
    item.insert(name.to_owned(), value);
    item
}

fn nested(levels: usize) -> AttributeValue {
    (0..levels)
        .fold(text("deep"), |inner, _| AttributeValue { value: Some(Value::L(List { values: vec![inner] })) })
}

async fn put(wire: &mut Wire, item: Item) -> Result<(), Status> {
    let put = PutItemRequest { table_name: TABLE.to_owned(), item, ..PutItemRequest::default() };
    wire.put_item(wire::timed(put)).await.map(|_| ())
}

async fn bad_items(wire: &mut Wire) -> Vec<Case> {
    let mut no_sort_key = key();
    no_sort_key.remove("at");
    let empty_set = AttributeValue { value: Some(Value::Ss(StringSet { values: vec![] })) };
    let twice = AttributeValue { value: Some(Value::Ss(StringSet { values: vec!["a".into(), "a".into()] })) };
    let items: [(&str, Item, &[&str]); 15] = [
        ("a key of the wrong type", with("id", number("1")), &["id"]),
        ("no sort key", no_sort_key, &["at"]),
        ("an empty key", with("id", text("")), &["id"]),
        ("a key of 2,049 bytes", with("id", text("k".repeat(2049))), &["id", "2048"]),
        ("an item over 400 KB", with("body", text("b".repeat(400 * 1024))), &["409600"]),
        ("33 levels of lists", with("body", nested(33)), &["32"]),
        ("90 levels of lists", with("body", nested(90)), &["32"]),
        ("a number of 39 digits", with("n", number("1".repeat(39))), &["n", "38"]),
        ("a number too large", with("n", number("1e126")), &["n", "125"]),
        ("a number too small", with("n", number("1e-131")), &["n", "-130"]),
        ("no number", with("n", number("twelve")), &["n"]),
        ("a number of a megabyte", with("n", number("0".repeat(1 << 20))), &["n"]),
        ("an empty set", with("s", empty_set), &["s"]),
        ("a set with duplicates", with("s", twice), &["s"]),
        ("a value of no type", with("v", AttributeValue { value: None }), &["v"]),
    ];
    let mut cases = Vec::new();
    for (wrong, item, says) in items {
        cases.push(Case { wrong, result: put(wire, item).await, says });
    }
    cases
}

async fn bad_expressions(wire: &mut Wire) -> Vec<Case> {
    let many = vec!["a=:v"; 200].join(" OR ");
    let conditions: [(&str, &str, &[&str]); 9] = [
        ("no expression", "", &["ConditionExpression"]),
        ("a broken expression", "a = ", &["ConditionExpression"]),
        ("an unknown function", "size_of(a) = :v", &["ConditionExpression"]),
        ("a reserved word", "name = :v", &["ConditionExpression", "name"]),
        ("an undefined value", "a = :w", &["ConditionExpression", ":w"]),
        ("an undefined name", "#n = :v", &["ConditionExpression", "#n"]),
        ("an expression over 4 KB", &format!("a = :v OR {}", "b".repeat(4096)), &["4096"]),
        ("399 operators", &many, &["300"]),
        ("a thousand parentheses", &"(".repeat(1000), &["ConditionExpression"]),
    ];
    let mut cases = Vec::new();
    for (wrong, condition, says) in conditions {
        let put = PutItemRequest {
            table_name: TABLE.to_owned(),
            item: key(),
            condition_expression: Some(condition.to_owned()),
            expression_attribute_values: item([(":v", text("v"))]),
            ..PutItemRequest::default()
        };
        cases.push(Case { wrong, result: wire.put_item(wire::timed(put)).await.map(|_| ()), says });
    }
    for (wrong, update, says) in [
        ("an update of the key", "SET id = :v", &["UpdateExpression", "id"] as &[&str]),
        ("two updates of one path", "SET a = :v, a = :v", &["UpdateExpression"]),
        ("arithmetic on a string", "SET a = :v + :v", &["UpdateExpression"]),
    ] {
        let update = UpdateItemRequest {
            table_name: TABLE.to_owned(),
            key: key(),
            update_expression: Some(update.to_owned()),
            expression_attribute_values: item([(":v", text("v"))]),
            ..UpdateItemRequest::default()
        };
        cases.push(Case { wrong, result: wire.update_item(wire::timed(update)).await.map(|_| ()), says });
    }
    cases
}

async fn bad_calls(wire: &mut Wire) -> Vec<Case> {
    let table_name = || TABLE.to_owned();
    let unknown = GetItemRequest { table_name: "nowhere".into(), key: key(), ..GetItemRequest::default() };
    let long_key =
        GetItemRequest { table_name: table_name(), key: with("x", text("y")), ..Default::default() };
    let short_id = PutItemRequest {
        table_name: table_name(),
        item: key(),
        request_id: vec![1; 5],
        ..PutItemRequest::default()
    };
    let no_condition = QueryRequest { table_name: table_name(), ..QueryRequest::default() };
    let no_limit = ScanRequest { table_name: table_name(), limit: Some(0), ..ScanRequest::default() };
    let no_total = ScanRequest { table_name: table_name(), segment: Some(1), ..ScanRequest::default() };
    let write =
        |n: usize| WriteRequest { put_item: with("id", text(format!("{n}"))), delete_key: BTreeMap::new() };
    let writes = TableWrites { table_name: table_name(), requests: (0..26).map(write).collect() };
    let batch = BatchWriteItemRequest { request_items: vec![writes] };
    let short_name = CreateTableRequest { table_name: "ab".into(), ..CreateTableRequest::default() };
    let no_key = CreateTableRequest { table_name: "keyless".into(), ..CreateTableRequest::default() };
    let case = |wrong, result: Result<(), Status>, says| Case { wrong, result, says };
    vec![
        case(
            "an unknown table",
            wire.get_item(wire::timed(unknown)).await.map(|_| ()),
            &["ResourceNotFoundException", "nowhere"],
        ),
        case("a key with more than the key", wire.get_item(wire::timed(long_key)).await.map(|_| ()), &["x"]),
        case("a request id of 5 bytes", wire.put_item(wire::timed(short_id)).await.map(|_| ()), &["16"]),
        case(
            "a query without a condition",
            wire.query(wire::timed(no_condition)).await.map(|_| ()),
            &["KeyConditionExpression"],
        ),
        case("a limit of 0", wire.scan(wire::timed(no_limit)).await.map(|_| ()), &["Limit"]),
        case("a segment of no total", wire.scan(wire::timed(no_total)).await.map(|_| ()), &["TotalSegments"]),
        case("a batch of 26", wire.batch_write_item(wire::timed(batch)).await.map(|_| ()), &["25"]),
        case("a table's name of 2", wire.create_table(wire::timed(short_name)).await.map(|_| ()), &["3"]),
        case(
            "a table without a key",
            wire.create_table(wire::timed(no_key)).await.map(|_| ()),
            &["KeySchema"],
        ),
    ]
}
