//! The public gRPC API, bare: one call is one attempt, and every answer is seen as the server gave it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proto::detail;
use proto::v1::attribute_value::Value;
use proto::v1::meridian_client::MeridianClient;
use proto::v1::{AttributeValue, DeleteItemRequest, ErrorDetail, ErrorKind, GetItemRequest, PutItemRequest};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::history::State;
use crate::watchdog::SOON;

/// The stubs over one connection.
pub type Wire = MeridianClient<Channel>;

/// Attributes by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// How long one call may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// What became of a write.
#[derive(Clone, PartialEq, Debug)]
pub enum Fate {
    /// It is there.
    Acknowledged,
    /// It was not done.
    NotDone,
    /// It may have been done. The connection may be gone.
    Unknown,
}

/// Connects to an endpoint.
pub async fn connect(endpoint: &str) -> Result<Wire, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(endpoint.to_owned())?.timeout(DEADLINE);
    let limit = 32 * 1024 * 1024;
    let wire = MeridianClient::new(endpoint.connect().await?);
    Ok(wire.max_decoding_message_size(limit).max_encoding_message_size(limit))
}

/// A string value.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue { value: Some(Value::S(value.into())) }
}

/// A number value, of any text.
pub fn number(value: impl Into<String>) -> AttributeValue {
    AttributeValue { value: Some(Value::N(value.into())) }
}

/// Attributes from pairs.
pub fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Brings a key, whose attribute is `id`, into a state: puts a tag beside some padding, or deletes the item.
pub async fn write(wire: &mut Wire, table: &str, key: &str, state: &State, padding: usize) -> Fate {
    let key = ("id", text(key));
    let table_name = table.to_owned();
    let result = match state {
        Some(tag) => {
            let item = item([key, ("tag", text(tag)), ("padding", text("x".repeat(padding)))]);
            let put = PutItemRequest { table_name, item, ..PutItemRequest::default() };
            wire.put_item(timed(put)).await.map(|_| ())
        }
        None => {
            let delete = DeleteItemRequest { table_name, key: item([key]), ..DeleteItemRequest::default() };
            wire.delete_item(timed(delete)).await.map(|_| ())
        }
    };
    match result {
        Ok(()) => Fate::Acknowledged,
        Err(status) => fate(&status),
    }
}

/// Reads a key's state at the leader.
pub async fn read(wire: &mut Wire, table: &str, key: &str) -> Result<State, Status> {
    let get = GetItemRequest {
        table_name: table.to_owned(),
        key: item([("id", text(key))]),
        consistent_read: true,
        ..GetItemRequest::default()
    };
    let answer = wire.get_item(timed(get)).await?.into_inner();
    let tag = answer.item.and_then(|item| item.attributes.get("tag").cloned());
    Ok(tag.map(|tag| match tag.value {
        Some(Value::S(tag)) => tag,
        other => panic!("the tag of {key} is no string: {other:?}"),
    }))
}

/// Reads a key's state once somebody leads its partition.
pub async fn read_soon(wire: &mut Wire, table: &str, key: &str) -> Result<State, Status> {
    let begun = Instant::now();
    loop {
        match read(wire, table, key).await {
            Err(status) if status.code() == Code::Unavailable && begun.elapsed() < SOON => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            answer => return answer,
        }
    }
}

/// A request that the server need not answer after the deadline.
pub fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

/// What the server wrote beside a refusal.
pub fn detail(status: &Status) -> Option<ErrorDetail> {
    detail::decode(status.details())
}

fn fate(status: &Status) -> Fate {
    match detail(status).map(|detail| detail.kind()) {
        Some(ErrorKind::Client) => panic!("a good write was refused: {status:?}"),
        Some(ErrorKind::Retryable) => Fate::NotDone,
        _ => Fate::Unknown,
    }
}
