//! Requests of the public API: no bytes make decoding, checking or binding one panic, a refusal fits the
//! trailers that carry it, the cache of expressions changes no answer, and what was accepted can be carried
//! out.
#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;

use api::*;
use fuzz::Request;
use item::error::Kind;
use item::expression::{Cache, Condition, Projection};
use item::operation::{Command, Operation, PageOptions, WriteOptions};
use item::outcome::{Answer, BatchGot, Outcome};
use item::{Error, Item, Key};
use libfuzzer_sys::fuzz_target;
use prost::Message;
use proto::v1::{BatchGetItemRequest, BatchWriteItemRequest};
use types::limits::TRAILER_BYTES_MAX;

/// Names of the fields around the one at fault, which prost puts before its error: no more than it descends.
const MALFORMED_BYTES_MAX: usize = 4096;

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    match Request::of(*choice) {
        Request::PutItem => check(bytes, put_item::decode),
        Request::GetItem => check(bytes, get_item::decode),
        Request::UpdateItem => check(bytes, update_item::decode),
        Request::DeleteItem => check(bytes, delete_item::decode),
        Request::Query => check(bytes, query::decode),
        Request::Scan => check(bytes, scan::decode),
        Request::BatchGetItem => check(bytes, batch_get_item::decode),
        Request::BatchWriteItem => check(bytes, plain(batch_write_item::decode)),
        Request::CreateTable => check(bytes, plain(create_table::decode)),
        Request::DescribeTable => check(bytes, plain(describe_table::decode)),
        Request::ListTables => check(bytes, plain(list_tables::decode)),
        Request::DeleteTable => check(bytes, plain(delete_table::decode)),
        Request::DigestTable => check(bytes, plain(digest_table::decode)),
        Request::ListVersions => check(bytes, plain(list_versions::decode)),
        Request::PauseRegion => check(bytes, plain(pause_region::decode)),
        Request::ResumeRegion => check(bytes, plain(resume_region::decode)),
        Request::DescribeRegion => check(bytes, plain(describe_region::decode)),
        Request::JoinNode => check(bytes, plain(join_node::decode)),
        Request::ListNodes => check(bytes, plain(list_nodes::decode)),
        Request::DrainNode => check(bytes, plain(drain_node::decode)),
        Request::ResumeNode => check(bytes, plain(resume_node::decode)),
        Request::RemoveNode => check(bytes, plain(remove_node::decode)),
        Request::ListPartitions => check(bytes, plain(list_partitions::decode)),
        Request::MovePartition => check(bytes, plain(move_partition::decode)),
        Request::SplitPartition => check(bytes, plain(split_partition::decode)),
        Request::DescribeRoutes => check(bytes, plain(describe_routes::decode)),
    }
});

/// Gives a request without expressions the shape of one with.
fn plain<M>(
    decode: impl Fn(M) -> Result<Command, Error>,
) -> impl Fn(M, &mut Cache) -> Result<Command, Error> {
    move |message, _| decode(message)
}

fn check<M>(bytes: &[u8], decode: impl Fn(M, &mut Cache) -> Result<Command, Error>)
where
    M: Message + Default + Clone + PartialEq + Debug,
{
    let message = match M::decode(bytes) {
        Ok(message) => message,
        Err(error) => return assert!(error.to_string().len() <= MALFORMED_BYTES_MAX, "{error}"),
    };
    assert_eq!(M::decode(message.encode_to_vec().as_slice()).as_ref(), Ok(&message));
    let mut cache = Cache::new();
    let decoded = decode(message.clone(), &mut cache);
    let again = decode(message, &mut cache);
    assert_eq!(decoded.as_ref().err(), again.as_ref().err(), "the cache changed the answer");
    match decoded {
        Ok(command) => carry_out(command),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Client);
            let status = status::of(&error);
            // gRPC escapes a message's byte as three, and spells details in base64.
            let trailers = 3 * status.detail.message.len() + status.details().len() * 4 / 3;
            assert!(
                trailers <= TRAILER_BYTES_MAX,
                "a refusal of {trailers} bytes: {:?}",
                status.detail.field
            );
        }
    }
}

/// Does with the sample item what a partition would do.
fn carry_out(command: Command) {
    let Command::Item(operation) = command else { return };
    let schema = fuzz::schema();
    match operation {
        Operation::Get(get) => project(get.projection),
        Operation::Put(put) => {
            let _ = Key::of_item(&schema, &put.item);
            evaluate(&put.options);
        }
        Operation::Delete(delete) => evaluate(&delete.options),
        Operation::Update(update) => {
            evaluate(&update.options);
            let Some(change) = update.update else { return };
            let _ = change.check(&schema);
            for mut changed in [fuzz::item(), update.key] {
                let _ = change.apply(&mut changed);
                drop(change.updated_attributes(&changed));
            }
        }
        Operation::Query(query) => {
            let _ = query.condition.check(&schema);
            read(query.page);
        }
        Operation::Scan(scan) => read(scan.page),
        Operation::BatchGet(batch) => {
            let left = BatchGot { items: BTreeMap::new(), unprocessed: batch.tables };
            let answer = batch_get_item::encode(Ok(Answer::Item(Outcome::Got(left))));
            let request_items = answer.expect("an answer").unprocessed_keys;
            let request = BatchGetItemRequest { request_items };
            assert!(batch_get_item::decode(request, &mut Cache::new()).is_ok(), "what is left is refused");
        }
        Operation::BatchWrite(batch) => {
            let answer = batch_write_item::encode(Ok(Answer::Item(Outcome::Wrote(batch.tables))));
            let request_items = answer.expect("an answer").unprocessed_items;
            let request = BatchWriteItemRequest { request_items };
            assert!(batch_write_item::decode(request).is_ok(), "what is left is refused");
        }
    }
}

fn evaluate(options: &WriteOptions) {
    let on = |condition: &Condition, item: &Item| condition.evaluate(item);
    let condition = options.condition.as_ref();
    let _ = condition.map(|condition| on(condition, &fuzz::item()) | on(condition, &Item::new()));
}

fn project(projection: Option<Projection>) {
    let _ = projection.map(|projection| projection.apply(&fuzz::item()));
}

fn read(page: PageOptions) {
    let _ = page.filter.map(|filter| (filter.check_filter(&fuzz::schema()), filter.evaluate(&fuzz::item())));
    let _ = page.after.map(|after| Key::of_key(&fuzz::schema(), &after));
    project(page.projection);
}
