//! A session over a shard in memory: answers, refusals, limits, ends.

use std::collections::BTreeMap;

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::stream::BoxStream;
use proto::v1::attribute_value::Value;
use proto::v1::{AttributeValue, ErrorKind, GetItemRequest, GetItemResponse, PingResponse, PutItemRequest};
use storage::memory::Memory;
use tokio::sync::oneshot;

use super::*;
use crate::driver::{self, Running};
use crate::gated::{Gate, Gated};
use crate::metrics::Timings;

type Frames = UnboundedSender<Result<SessionRequest, Status>>;

struct World {
    running: Running,
    engine: Gated,
    /// Kept, since the engine tells it of each sync.
    _syncs: std::sync::mpsc::Receiver<()>,
    frames: Option<Frames>,
    answers: BoxStream<'static, Result<SessionResponse, Status>>,
    end: Option<oneshot::Sender<()>>,
}

impl World {
    async fn start() -> World {
        let (engine, syncs) = Gated::new(Memory::new());
        let region = RegionName::new("us-east-1").unwrap();
        let clock = Clock::start();
        let settings = shard::Settings::alone(region.clone(), 7);
        let on_failure: crate::stop::OnFailure = Arc::new(|_, _| {});
        let (timings, queues) = (Timings::noop(), tokio::sync::watch::channel(Default::default()).1);
        let parts = driver::Parts {
            settings,
            clock,
            queues,
            request_bytes_max: limits::INBOX_BYTES_MAX,
            answer_bytes_max: limits::INBOX_BYTES_MAX,
            sync_alone_max: Duration::ZERO,
            timings,
            on_failure,
        };
        let running = driver::start(engine.clone(), parts).unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let parts = Parts {
            region: region.clone(),
            is_node: true,
            shard: running.handle.clone(),
            clock,
            metrics: Arc::new(Metrics::new(&region).unwrap()),
            stop: ended.map(|_| ()).boxed(),
            forward: Arc::default(),
        };
        let (frames, received) = unbounded();
        let answers = Session::new(parts, received).boxed();
        let mut world =
            World { running, engine, _syncs: syncs, frames: Some(frames), answers, end: Some(end) };
        world.create_table().await;
        world
    }

    /// Makes the table, and waits until it can be read and written.
    async fn create_table(&mut self) {
        let request = proto::v1::CreateTableRequest {
            table_name: "movies".to_owned(),
            key_schema: vec![proto::v1::KeySchemaElement {
                attribute_name: "id".to_owned(),
                key_type: proto::v1::KeyType::Hash.into(),
            }],
            attribute_definitions: vec![proto::v1::AttributeDefinition {
                attribute_name: "id".to_owned(),
                attribute_type: proto::v1::ScalarAttributeType::S.into(),
            }],
            ..Default::default()
        };
        let command = api::create_table::decode(request).unwrap();
        self.running.handle.ask(command, u64::MAX, 0).unwrap().await.unwrap().answered.unwrap();
        // Each read waits for the turn it is answered in, so this is no busy loop.
        while self.one(get(0, "a")).await.error.is_some() {}
    }

    fn send(&self, calls: Vec<SessionCall>, cancelled: Vec<u32>) {
        let frames = self.frames.as_ref().unwrap();
        frames.unbounded_send(Ok(SessionRequest { calls, cancelled })).unwrap();
    }

    async fn one(&mut self, call: SessionCall) -> SessionAnswer {
        self.send(vec![call], vec![]);
        self.answers(1).await.remove(0)
    }

    /// So many answers, by their ids.
    async fn answers(&mut self, count: usize) -> Vec<SessionAnswer> {
        let mut answers = Vec::new();
        while answers.len() < count {
            answers.extend(self.answers.next().await.unwrap().unwrap().answers);
        }
        answers.sort_by_key(|answer| answer.id);
        answers
    }
}

fn call(id: u32, operation: SessionOperation, request: &impl Message) -> SessionCall {
    let (operation, request) = (operation.into(), request.encode_to_vec().into());
    SessionCall { id, operation, timeout_ms: 0, request, passed_on: false }
}

fn item(id: &str) -> BTreeMap<String, AttributeValue> {
    [("id".to_owned(), AttributeValue { value: Some(Value::S(id.to_owned())) })].into()
}

fn get(id: u32, key: &str) -> SessionCall {
    let request =
        GetItemRequest { table_name: "movies".to_owned(), key: item(key), ..GetItemRequest::default() };
    call(id, SessionOperation::GetItem, &request)
}

fn put(id: u32, key: &str) -> SessionCall {
    let request =
        PutItemRequest { table_name: "movies".to_owned(), item: item(key), ..PutItemRequest::default() };
    call(id, SessionOperation::PutItem, &request)
}

fn ping(id: u32, bytes: usize) -> SessionCall {
    call(id, SessionOperation::Ping, &PingRequest { payload: vec![1; bytes] })
}

#[tokio::test]
async fn the_calls_of_a_frame_are_all_answered() {
    let mut world = World::start().await;
    world.send((1..100).map(|id| put(id, &format!("k{id}"))).collect(), vec![]);
    assert!(world.answers(99).await.iter().all(|answer| answer.error.is_none()));
    world.send((1..101).map(|id| get(id, &format!("k{id}"))).collect(), vec![]);
    for answer in world.answers(100).await {
        let found = GetItemResponse::decode(answer.response).unwrap().item;
        let expected = (answer.id < 100).then(|| item(&format!("k{}", answer.id)));
        assert_eq!(found.map(|item| item.attributes), expected);
    }
    world.running.stop();
}

#[tokio::test]
async fn each_call_is_refused_by_itself() {
    let mut world = World::start().await;
    let malformed = SessionCall { request: prost::bytes::Bytes::from_static(b"\xff"), ..put(2, "k") };
    let unknown = SessionCall { operation: 77, ..put(3, "k") };
    let nameless = call(4, SessionOperation::GetItem, &GetItemRequest::default());
    world.send(vec![ping(1, 3), malformed, unknown, nameless, ping(5, limits::PING_BYTES_MAX + 1)], vec![]);
    let answers = world.answers(5).await;
    let payload = PingResponse::decode(answers[0].response.clone()).unwrap().payload;
    assert_eq!(payload, [1, 1, 1]);
    let refused = |index: usize| {
        let error: &ErrorDetail = answers[index].error.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::Client);
        (error.name.as_str(), error.field.as_str())
    };
    assert_eq!(refused(1), ("SerializationException", ""));
    assert_eq!(refused(2), ("ValidationException", "Operation"));
    assert_eq!(refused(3), ("ValidationException", "TableName"));
    assert_eq!(refused(4), ("ValidationException", "Payload"));
    world.running.stop();
}

#[tokio::test]
async fn a_frame_that_breaks_the_rules_ends_the_session() {
    let too_many = (0..=limits::SESSION_FRAME_CALLS_MAX as u32).map(|id| ping(id, 1)).collect();
    for (calls, field) in [(too_many, "Calls"), (vec![put(7, "a"), put(7, "b")], "Id")] {
        let mut world = World::start().await;
        world.send(calls, vec![]);
        let status = world.answers.next().await.unwrap().unwrap_err();
        assert_eq!(proto::detail::decode(status.details()).unwrap().field, field);
        world.running.stop();
    }
}

#[tokio::test]
async fn a_session_ends_cleanly_once_everything_is_answered() {
    let mut world = World::start().await;
    world.engine.set(Gate::Closed);
    world.send(vec![put(1, "a")], vec![]);
    // The frame has been read when the stream has nothing to say.
    assert!(futures::poll!(world.answers.next()).is_pending());
    drop(world.end.take());
    assert!(futures::poll!(world.answers.next()).is_pending());
    world.send(vec![put(2, "b")], vec![]);
    world.engine.set(Gate::Open);
    let answers = world.answers(1).await;
    assert_eq!(answers[0].id, 1);
    assert!(world.answers.next().await.is_none(), "what came later was not begun");
    world.running.stop();
}

#[tokio::test]
async fn a_cancelled_call_is_not_answered() {
    let mut world = World::start().await;
    world.engine.set(Gate::Closed);
    world.send((1..=4).map(|id| put(id, &format!("k{id}"))).collect(), vec![]);
    assert!(futures::poll!(world.answers.next()).is_pending());
    world.send(vec![ping(5, 1)], vec![2, 3]);
    assert_eq!(world.answers(1).await[0].id, 5);
    world.engine.set(Gate::Open);
    let ids: Vec<u32> = world.answers(2).await.iter().map(|answer| answer.id).collect();
    assert_eq!(ids, [1, 4]);
    drop(world.frames.take());
    assert!(world.answers.next().await.is_none());
    world.running.stop();
}

#[tokio::test]
async fn a_client_that_takes_no_answers_cannot_ask_for_more() {
    let mut world = World::start().await;
    let frames = limits::SESSION_CALLS_MAX / limits::SESSION_FRAME_CALLS_MAX + 2;
    world.engine.set(Gate::Closed);
    for frame in 0..frames {
        let first = (frame * limits::SESSION_FRAME_CALLS_MAX) as u32;
        let calls = (0..limits::SESSION_FRAME_CALLS_MAX as u32).map(|id| put(first + id, "k")).collect();
        world.send(calls, vec![]);
    }
    assert!(futures::poll!(world.answers.next()).is_pending());
    assert!(world.running.handle.in_flight() <= limits::SESSION_CALLS_MAX);
    world.engine.set(Gate::Open);
    let all = frames * limits::SESSION_FRAME_CALLS_MAX;
    assert!(world.answers(all).await.iter().all(|answer| answer.error.is_none()));
    world.running.stop();
}
