//! A bare gRPC call: the least that any server behind tonic does, and so the measure of ours.
//!
//! Client and server are tonic and the project's codec, with no limits, no metrics and no deadlines. What
//! `meridian bench echo --unary --in-flight 256 --connections 2` does per second compares with the elements
//! per second here: two threads share the calls under way, each with a runtime and a connection of its own.
//! Both ends are one process with the system's allocator, where a region is its own process with jemalloc.

#![allow(clippy::unwrap_used, reason = "in a benchmark, a panic is a failure with its place")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use proto::codec::Codec;
use proto::v1::{PingRequest, PingResponse};
use tokio::runtime::{Builder, Runtime};
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

const IN_FLIGHT: u64 = 256;
const CONNECTIONS: u64 = 2;
/// What `meridian bench` sends unless told otherwise.
const PAYLOAD_BYTES: usize = 300;
/// Calls of one iteration: some for each that is under way, so that beginning and end weigh little.
const CALLS: u64 = 8 * IN_FLIGHT;
const METHOD: &str = "/meridian.bench.Echo/Echo";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let server = Runtime::new().unwrap();
    let endpoint = serve(&server);
    let lanes: Vec<Lane> = (0..CONNECTIONS).map(|_| Lane::connect(&endpoint)).collect();
    let mut group = criterion.benchmark_group("bare echo");
    group.throughput(Throughput::Elements(CALLS)).sampling_mode(SamplingMode::Flat).sample_size(20);
    group.bench_function("256 in flight over 2 connections", |bencher| {
        bencher.iter_custom(|iterations| run(&lanes, iterations * CALLS));
    });
    group.finish();
    criterion.final_summary();
}

/// Listens on a free port until the runtime ends.
fn serve(runtime: &Runtime) -> Endpoint {
    let _within = runtime.enter();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap().with_nodelay(Some(true));
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    runtime.spawn(Server::builder().add_service(Echo).serve_with_incoming(incoming));
    Endpoint::from_shared(endpoint).unwrap().tcp_nodelay(true)
}

/// How long so many calls take, shared among the lanes.
fn run(lanes: &[Lane], calls: u64) -> Duration {
    let begun = Instant::now();
    thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(|| lane.run(calls / CONNECTIONS));
        }
    });
    begun.elapsed()
}

/// One client thread's runtime and connection.
struct Lane {
    runtime: Runtime,
    channel: Channel,
}

impl Lane {
    fn connect(endpoint: &Endpoint) -> Lane {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Lane { runtime, channel }
    }

    /// Makes so many calls, on the thread that calls it.
    fn run(&self, calls: u64) {
        let workers = IN_FLIGHT / CONNECTIONS;
        self.runtime.block_on(async {
            let workers = (0..workers).map(|_| self.work(calls / workers)).collect::<FuturesUnordered<_>>();
            workers.collect::<()>().await;
        });
    }

    /// One call after the other.
    async fn work(&self, calls: u64) {
        for _ in 0..calls {
            let mut client = tonic::client::Grpc::new(self.channel.clone());
            client.ready().await.unwrap();
            let request = Request::new(PingRequest { payload: vec![0; PAYLOAD_BYTES] });
            let codec = Codec::<PingRequest, PingResponse>::default();
            let answer = client.unary(request, PathAndQuery::from_static(METHOD), codec).await.unwrap();
            assert_eq!(answer.into_inner().payload.len(), PAYLOAD_BYTES);
        }
    }
}

/// Gives the payload back.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "meridian.bench.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let codec = Codec::<PingResponse, PingRequest>::default();
        Box::pin(async { Ok(tonic::server::Grpc::new(codec).unary(Echo, request).await) })
    }
}

impl UnaryService<PingRequest> for Echo {
    type Response = PingResponse;
    type Future = Ready<Result<Response<PingResponse>, Status>>;

    fn call(&mut self, request: Request<PingRequest>) -> Self::Future {
        let payload = request.into_inner().payload;
        ready(Ok(Response::new(PingResponse { payload, ..PingResponse::default() })))
    }
}
