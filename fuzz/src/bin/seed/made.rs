//! Inputs that are encoded here: the sample item in all of its forms, keys, numbers, requests and responses.

use std::collections::BTreeMap;
use std::error::Error;

use fuzz::Request;
use item::json::{dynamodb, plain};
use item::{AttributeValue, Item, Key, Number, codec};
use prost::Message;
use proto::v1::{self, *};
use proto::{convert, detail};
use types::KeyType;

use crate::Seeds;

type Result = std::result::Result<(), Box<dyn Error>>;

/// Numbers at the edges of their range, and pairs whose sums carry, round or run over.
const NUMBERS: [&str; 8] = [
    "0",
    "-1.5",
    "9.9999999999999999999999999999999999999E+125 1E88",
    "1E-130 -1E-130",
    "12345678901234567890123456789012345678 0.1",
    "000100.00100 -99",
    "-1E125 1",
    "0.00000000000000000000000000000000000001 1e38",
];

/// The sample item, and each of its attributes alone, in every form that an item has.
pub fn items(seeds: &mut Seeds) -> Result {
    let whole = fuzz::item();
    let alone = whole.clone().into_iter().map(|attribute| Item::from([attribute]));
    for item in alone.chain([whole.clone()]) {
        seeds.add("item", &codec::encode(&item))?;
        seeds.add("item", dynamodb::write_item(&item).to_string().as_bytes())?;
        seeds.add("item", plain::write_item(&item).to_string().as_bytes())?;
    }
    Ok(())
}

/// A key of every schema.
pub fn keys(seeds: &mut Seeds) -> Result {
    for choice in 0..18 {
        let schema = fuzz::key_schema(choice);
        let attributes = schema.attributes().map(|attribute| {
            let value = match attribute.key_type {
                KeyType::S => AttributeValue::S("a\0b".to_owned()),
                KeyType::N => AttributeValue::N("-1.5".parse::<Number>()?),
                KeyType::B => AttributeValue::B(vec![0, 0xff]),
            };
            Ok((attribute.name.clone(), value))
        });
        let key: Item = attributes.collect::<std::result::Result<_, Box<dyn Error>>>()?;
        let bytes = Key::of_key(&schema, &key)?.bytes;
        seeds.add("key", &[&[choice], bytes.as_slice()].concat())?;
    }
    Ok(())
}

/// Numbers as text and in the order-preserving encoding.
pub fn numbers(seeds: &mut Seeds) -> Result {
    for text in NUMBERS {
        seeds.add("number", text.as_bytes())?;
        let mut ordered = Vec::new();
        for number in text.split(' ') {
            number.parse::<Number>()?.encode_ordered(&mut ordered);
        }
        seeds.add("number", &ordered)?;
    }
    Ok(())
}

/// An error's detail, and answers that carry the sample item.
pub fn responses(seeds: &mut Seeds) -> Result {
    let told = ErrorDetail {
        name: "ThrottlingException".to_owned(),
        message: "overloaded".to_owned(),
        kind: ErrorKind::Retryable.into(),
        field: "Item".to_owned(),
        retry_after_ms: 20,
        node: 3,
    };
    let attributes = || convert::item_into(fuzz::item());
    let item = || v1::Item { attributes: attributes() };
    let table = TableItems { table_name: "movies".to_owned(), items: vec![item()] };
    let (items, last_evaluated_key) = (vec![item(), item()], attributes());
    let page = ScanResponse { items, last_evaluated_key, count: 2, scanned_count: 3, ..Default::default() };
    let keys = vec![KeyVersion { key: Some(item()), time: 7, digest: 8 }];
    seeds.add("response", &detail::encode(8, &told))?;
    seeds.add("response", &GetItemResponse { item: Some(item()) }.encode_to_vec())?;
    seeds.add("response", &page.encode_to_vec())?;
    let found = BatchGetItemResponse { responses: vec![table], unprocessed_keys: vec![] };
    seeds.add("response", &found.encode_to_vec())?;
    seeds.add("response", &ListVersionsResponse { keys, more: true }.encode_to_vec())
}

/// A request with an expression of the kind that it has, which mentions what is given here and nothing else.
pub fn request_with(request: Request, text: &str, seeds: &mut Seeds) -> Result {
    let table_name = "movies".to_owned();
    let expression = Some(text.to_owned());
    let attributes = || convert::item_into(fuzz::item());
    let expression_attribute_names = names(text);
    let expression_attribute_values = values(text);
    let message = match request {
        Request::PutItem => PutItemRequest {
            table_name,
            item: attributes(),
            condition_expression: expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values: ReturnValues::AllOld.into(),
            request_id: vec![7; 16],
            ..Default::default()
        }
        .encode_to_vec(),
        Request::UpdateItem => UpdateItemRequest {
            table_name,
            key: attributes(),
            update_expression: expression,
            expression_attribute_names,
            expression_attribute_values,
            ..Default::default()
        }
        .encode_to_vec(),
        Request::GetItem => GetItemRequest {
            table_name,
            key: attributes(),
            consistent_read: true,
            projection_expression: expression,
            expression_attribute_names,
        }
        .encode_to_vec(),
        Request::Query => QueryRequest {
            table_name,
            key_condition_expression: expression,
            expression_attribute_names,
            expression_attribute_values,
            exclusive_start_key: attributes(),
            limit: Some(9),
            ..Default::default()
        }
        .encode_to_vec(),
        _ => ScanRequest {
            table_name,
            filter_expression: expression,
            expression_attribute_names,
            expression_attribute_values,
            segment: Some(0),
            total_segments: Some(2),
            ..Default::default()
        }
        .encode_to_vec(),
    };
    add(request, &message, seeds)
}

/// The requests that have no expression, or need none.
pub fn other_requests(seeds: &mut Seeds) -> Result {
    let table_name = || "movies".to_owned();
    let attributes = || convert::item_into(fuzz::item());
    let range = Some(HashRange { first: 1, last: u64::MAX });
    let delete = DeleteItemRequest { table_name: table_name(), key: attributes(), ..Default::default() };
    add(Request::DeleteItem, &delete.encode_to_vec(), seeds)?;
    let wanted = KeysAndAttributes {
        table_name: table_name(),
        keys: vec![v1::Item { attributes: attributes() }],
        projection_expression: Some("#a, b".to_owned()),
        expression_attribute_names: names("#a"),
        ..Default::default()
    };
    let get = BatchGetItemRequest { request_items: vec![wanted] };
    add(Request::BatchGetItem, &get.encode_to_vec(), seeds)?;
    let requests = vec![
        WriteRequest { put_item: attributes(), ..Default::default() },
        WriteRequest { delete_key: attributes(), ..Default::default() },
    ];
    let write =
        BatchWriteItemRequest { request_items: vec![TableWrites { table_name: table_name(), requests }] };
    add(Request::BatchWriteItem, &write.encode_to_vec(), seeds)?;
    let element = |name: &str, key_type| KeySchemaElement { attribute_name: name.to_owned(), key_type };
    let definition =
        |name: &str, attribute_type| AttributeDefinition { attribute_name: name.to_owned(), attribute_type };
    let create = CreateTableRequest {
        table_name: table_name(),
        key_schema: vec![element("a", 1), element("b", 2)],
        attribute_definitions: vec![definition("a", 1), definition("b", 2)],
        regions: vec!["us-east-1".to_owned(), "eu-west-1".to_owned()],
        partitions: Some(4),
    };
    add(Request::CreateTable, &create.encode_to_vec(), seeds)?;
    // A request that is only a name has the same bytes whatever is asked of the table or region.
    let named = DescribeTableRequest { table_name: table_name() }.encode_to_vec();
    for request in [
        Request::DescribeTable,
        Request::DescribeRoutes,
        Request::DeleteTable,
        Request::PauseRegion,
        Request::ResumeRegion,
    ] {
        add(request, &named, seeds)?;
    }
    let list = ListTablesRequest { exclusive_start_table_name: Some(table_name()), limit: Some(9) };
    add(Request::ListTables, &list.encode_to_vec(), seeds)?;
    let digest = DigestTableRequest { table_name: table_name(), range, parts: Some(16) };
    add(Request::DigestTable, &digest.encode_to_vec(), seeds)?;
    let versions =
        ListVersionsRequest { table_name: table_name(), range, limit: Some(9), ..Default::default() };
    add(Request::ListVersions, &versions.encode_to_vec(), seeds)
}

/// A put that is refused by a name longer than an error may say.
pub fn refused_request(seeds: &mut Seeds) -> Result {
    let item = BTreeMap::from([("name ".repeat(1500), v1::AttributeValue { value: None })]);
    let put = PutItemRequest { table_name: "movies".to_owned(), item, ..Default::default() };
    add(Request::PutItem, &put.encode_to_vec(), seeds)
}

fn add(request: Request, message: &[u8], seeds: &mut Seeds) -> Result {
    seeds.add("request", &[&[request as u8], message].concat())
}

/// Every `#name` that a text mentions.
fn names(text: &str) -> BTreeMap<String, String> {
    tokens(text, '#').map(|token| (token.to_owned(), token[1..].to_owned())).collect()
}

/// Every `:value` that a text mentions: the sample item's, or a number.
fn values(text: &str) -> BTreeMap<String, v1::AttributeValue> {
    let sample = fuzz::substitutions().values;
    let other = AttributeValue::N(Number::from(1u64));
    let value = |token: &str| convert::value_into(sample.get(token).unwrap_or(&other).clone());
    tokens(text, ':').map(|token| (token.to_owned(), value(token))).collect()
}

fn tokens(text: &str, sign: char) -> impl Iterator<Item = &str> {
    let within = move |letter: char| letter.is_alphanumeric() || "_#:".contains(letter);
    text.split(move |letter| !within(letter)).filter(move |word| word.starts_with(sign) && word.len() > 1)
}
