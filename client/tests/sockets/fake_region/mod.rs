//! A region that lives in memory and misbehaves when told to: the other end of the client's sockets.
//!
//! It keeps whole items by key and knows no expressions; what a real server decides is tested elsewhere.

mod items;
mod nodes;
mod service;
pub mod session;
mod tables;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use item::Key;
use proto::detail;
use proto::v1::meridian_server::MeridianServer;
use proto::v1::{
    AttributeValue, DescribeRoutesResponse, ErrorDetail, ErrorKind, Item, NodeDescription, TableDescription,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

/// A stored item and the time of its version.
#[derive(Clone)]
pub struct Stored {
    pub item: Item,
    pub time: u64,
}

/// A table and its items.
pub struct Table {
    pub description: TableDescription,
    pub key: types::KeySchema,
    pub items: BTreeMap<Key, Stored>,
}

/// What a region holds, and how it is to misbehave.
#[derive(Default)]
pub struct State {
    pub name: String,
    pub tables: BTreeMap<String, Table>,
    pub paused: Vec<String>,
    /// The nodes that joined.
    pub nodes: Vec<NodeDescription>,
    /// The moves that were asked for: partition, from, to.
    pub moves: Vec<(u64, u64, u64)>,
    /// The splits that were asked for: partition, first hash of the upper half.
    pub splits: Vec<(u64, Option<u64>)>,
    /// Statuses with which the next writes fail.
    pub failures: VecDeque<Status>,
    /// Whether a failing write is carried out all the same.
    pub fails_late: bool,
    /// The request ids of the single writes that came.
    pub request_ids: Vec<Vec<u8>>,
    /// How many writes came, batches included.
    pub writes: usize,
    /// Told of every write that comes.
    pub written: Arc<Notify>,
    /// How many items `BatchWriteItem` leaves unprocessed the next time.
    pub unprocessed: usize,
    /// An item that arrives in `movies` between the second digest and the third.
    pub arriving: Option<BTreeMap<String, AttributeValue>>,
    /// How many digests were asked for.
    pub digests: usize,
    /// What is said of who leads what; without it, that nobody knows the call.
    pub routes: Option<DescribeRoutesResponse>,
    /// How often that was asked.
    pub routes_asked: usize,
    /// How many gets came.
    pub gets: usize,
    /// The node that a session's answers say they are from.
    pub answered_by: u64,
    /// How a session ends at the next frame.
    pub session_ends: Option<session::Ending>,
    /// The time of the next version.
    pub clock: u64,
}

/// A region at work; it ends with the value, and so do its connections.
pub struct FakeRegion {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
    /// Its own, since the tasks of connections outlive the one that accepts them.
    runtime: Option<Runtime>,
}

impl FakeRegion {
    /// Listens on a free port.
    pub async fn start(name: &str) -> FakeRegion {
        let state = Arc::new(Mutex::new(State { name: name.to_owned(), ..State::default() }));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _entered = runtime.enter();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap().with_nodelay(Some(true));
        let endpoint = format!("http://{}", incoming.local_addr().unwrap());
        let service = MeridianServer::new(service::Service { state: state.clone() });
        let server = Server::builder().add_service(service).serve_with_incoming(incoming);
        runtime.spawn(async move { server.await.unwrap() });
        FakeRegion { endpoint, state, runtime: Some(runtime) }
    }

    /// The state, to look at or to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The endpoint of a region that is down: a port that was free a moment ago.
pub fn down() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

impl Drop for FakeRegion {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// A status with the detail that a region sends.
pub fn status(code: Code, name: &str, kind: ErrorKind, field: &str) -> Status {
    let detail = ErrorDetail {
        name: name.to_owned(),
        message: format!("{name} of the fake"),
        kind: kind.into(),
        field: field.to_owned(),
        retry_after_ms: 1,
        node: 0,
    };
    Status::with_details(code, detail.message.clone(), detail::encode(code as i32, &detail).into())
}

/// What a throttled region says.
pub fn throttled() -> Status {
    status(Code::ResourceExhausted, "ThrottlingException", ErrorKind::Retryable, "")
}

/// What a region says of a write whose fate it does not know.
pub fn unknown() -> Status {
    status(Code::Unknown, "InternalServerError", ErrorKind::Unknown, "")
}

/// What a region says of a request that is wrong.
pub fn invalid(field: &str) -> Status {
    status(Code::InvalidArgument, "ValidationException", ErrorKind::Client, field)
}

/// What a region says of a table that it does not have.
pub fn not_found() -> Status {
    status(Code::NotFound, "ResourceNotFoundException", ErrorKind::Client, "TableName")
}
