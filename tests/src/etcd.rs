//! A single etcd, which syncs every write, driven through gRPC, which is its own API.
//!
//! Its benchmark tool is not packaged, so the load is made here: bare calls over tonic, as etcd's clients
//! make them. The messages are the parts of `etcdserverpb` that a put and a get need; protobuf skips the
//! rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prost::Message;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::ports;
use crate::program::Program;
use crate::watchdog::{SOON, until, within};

/// What must be installed.
pub const PROGRAMS: [&str; 1] = ["etcd"];
/// It keeps every version, so that a few minutes of puts are much.
const QUOTA_BYTES: u64 = 8 * 1024 * 1024 * 1024;

#[derive(Clone, PartialEq, Message)]
struct PutRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct PutResponse {}

#[derive(Clone, PartialEq, Message)]
struct RangeRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RangeResponse {
    #[prost(message, repeated, tag = "2")]
    found: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(bytes = "vec", tag = "5")]
    value: Vec<u8>,
}

/// A running etcd.
#[derive(Debug)]
pub struct Etcd {
    program: Program,
    port: u16,
}

/// What it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Puts of random keys.
    Put,
    /// Gets of random keys, linearizable as is usual.
    Get,
    /// Puts of every key once, however long it takes.
    Fill,
}

/// How it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// What.
    pub operation: Operation,
    /// For how long.
    pub length: Duration,
    /// How many calls are under way at once.
    pub in_flight: usize,
    /// Over how many connections.
    pub connections: usize,
    /// How long a value is.
    pub value_bytes: usize,
    /// How many keys there are.
    pub keys: usize,
}

impl Etcd {
    /// Starts it, and waits until it answers.
    pub async fn start() -> Etcd {
        let (port, peers) = (ports::free(), ports::free());
        let program = Program::start("etcd", |folder| {
            let (here, peers) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peers}"));
            vec![
                format!("--data-dir={}", folder.join("data").display()),
                format!("--listen-client-urls={here}"),
                format!("--advertise-client-urls={here}"),
                format!("--listen-peer-urls={peers}"),
                format!("--initial-advertise-peer-urls={peers}"),
                format!("--initial-cluster=default={peers}"),
                format!("--quota-backend-bytes={QUOTA_BYTES}"),
                "--log-level=error".to_owned(),
            ]
        });
        let etcd = Etcd { program, port };
        until(SOON, "an answer of etcd", || async {
            let mut wire = etcd.connect().await.map_err(|error| error.to_string())?;
            get(&mut wire, 0).await.map(|_| ()).map_err(|status| status.to_string())
        })
        .await;
        etcd
    }

    async fn connect(&self) -> Result<Grpc<Channel>, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", self.port))?;
        Ok(Grpc::new(endpoint.tcp_nodelay(true).connect().await?))
    }

    /// How many operations it answers in a second. Fails the test if it refuses one.
    pub async fn bench(&self, load: Load) -> f64 {
        let mut wires = Vec::new();
        for _ in 0..load.connections {
            wires.push(self.connect().await.expect("etcd takes connections"));
        }
        let next = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let mut workers = JoinSet::new();
        for worker in 0..load.in_flight {
            workers.spawn(work(wires[worker % load.connections].clone(), load, begun, Arc::clone(&next)));
        }
        let mut answered = 0;
        while let Some(worker) = within(load.length + SOON, "etcd's answers", workers.join_next()).await {
            answered += worker.expect("a worker fails only where the test does");
        }
        answered as f64 / begun.elapsed().as_secs_f64()
    }

    /// Ends it.
    pub async fn end(self) {
        self.program.end().await;
    }
}

/// One call after the other; gives how many were answered.
async fn work(mut wire: Grpc<Channel>, load: Load, begun: Instant, next: Arc<AtomicU64>) -> u64 {
    let keys = load.keys as u64;
    let mut answered = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let over = match load.operation {
            Operation::Fill => number >= keys,
            Operation::Put | Operation::Get => begun.elapsed() >= load.length,
        };
        if over {
            return answered;
        }
        let result = match load.operation {
            Operation::Fill => put(&mut wire, number, load.value_bytes).await,
            Operation::Put => put(&mut wire, scattered(number) % keys, load.value_bytes).await,
            Operation::Get => get(&mut wire, scattered(number) % keys).await.map(|found| {
                assert_eq!(found.map(|value| value.len()), Some(load.value_bytes), "a value of etcd's");
            }),
        };
        result.expect("etcd does as it is asked");
        answered += 1;
    }
}

/// Numbers that follow each other, far apart: a step of Weyl's sequence, folded.
fn scattered(number: u64) -> u64 {
    let product = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ (product >> 32)
}

/// Of 16 bytes.
fn key(number: u64) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

async fn put(wire: &mut Grpc<Channel>, number: u64, value_bytes: usize) -> Result<(), Status> {
    let request = PutRequest { key: key(number), value: vec![b'x'; value_bytes] };
    call::<_, PutResponse>(wire, "/etcdserverpb.KV/Put", request).await.map(|_| ())
}

async fn get(wire: &mut Grpc<Channel>, number: u64) -> Result<Option<Vec<u8>>, Status> {
    let request = RangeRequest { key: key(number) };
    let answer: RangeResponse = call(wire, "/etcdserverpb.KV/Range", request).await?;
    Ok(answer.found.into_iter().next().map(|found| found.value))
}

async fn call<Q, A>(wire: &mut Grpc<Channel>, path: &'static str, request: Q) -> Result<A, Status>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    wire.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let codec = ProstCodec::<Q, A>::default();
    Ok(wire.unary(Request::new(request), PathAndQuery::from_static(path), codec).await?.into_inner())
}
