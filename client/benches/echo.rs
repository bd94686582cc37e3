//! A bare gRPC echo: what tonic itself does on this machine, with nothing of ours around it but the messages.
//!
//! `meridian bench echo --unary --in-flight 256 --connections 2` is to come within 10 % of it.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use proto::codec::Codec;
use proto::v1::meridian_client::MeridianClient;
use proto::v1::{PingRequest, PingResponse};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

const PAYLOAD_BYTES: usize = 300;
const IN_FLIGHT: u64 = 256;
const CONNECTIONS: u64 = 2;

/// Gives every payload back, whatever is called.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "meridian.v1.Meridian";
}

impl UnaryService<PingRequest> for Echo {
    type Response = PingResponse;
    type Future = BoxFuture<'static, Result<Response<PingResponse>, Status>>;

    fn call(&mut self, request: Request<PingRequest>) -> Self::Future {
        let payload = request.into_inner().payload;
        Box::pin(async { Ok(Response::new(PingResponse { payload, ..PingResponse::default() })) })
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(Grpc::new(Codec::default()).unary(Echo, request).await) })
    }
}

/// Starts a server on threads of its own and gives its address.
fn serve() -> String {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        runtime.block_on(async {
            let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
            let address = incoming.local_addr().expect("it is bound");
            sender.send(format!("http://{address}")).expect("the benchmark waits for it");
            Server::builder().add_service(Echo).serve_with_incoming(incoming).await
        })
    });
    receiver.recv().expect("the server starts")
}

/// Makes so many calls over one connection, and says how long that took.
fn call(address: &str, calls: u64) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("sockets can be polled").block_on(async {
        let endpoint = Endpoint::from_shared(address.to_owned()).expect("an endpoint").tcp_nodelay(true);
        let client = MeridianClient::new(endpoint.connect().await.expect("the server answers"));
        let begun = Instant::now();
        let worker = |share: u64| {
            let mut client = client.clone();
            async move {
                for _ in 0..share {
                    let request = PingRequest { payload: vec![0; PAYLOAD_BYTES] };
                    client.ping(request).await.expect("the server answers");
                }
            }
        };
        let workers = IN_FLIGHT / CONNECTIONS;
        let shares = (0..workers).map(|number| worker((calls + number) / workers));
        shares.collect::<FuturesUnordered<_>>().collect::<()>().await;
        begun.elapsed()
    })
}

fn echo(criterion: &mut Criterion) {
    let address = serve();
    let mut group = criterion.benchmark_group("bare tonic");
    group.throughput(Throughput::Elements(1));
    group.bench_function("unary echo", |bencher| {
        bencher.iter_custom(|calls| {
            let each = calls.div_ceil(CONNECTIONS);
            let call = || call(&address, each);
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(call)).collect();
                let took = threads.into_iter().map(|thread| thread.join().expect("it does not panic"));
                took.max().unwrap_or_default()
            })
        });
    });
}

criterion_group!(benches, echo);
criterion_main!(benches);
