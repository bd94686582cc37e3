//! Nodes that join: whom they ask, how often, and how they begin and end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::codec::Codec;
use proto::v1::{JoinNodeRequest, JoinNodeResponse, NodeMember};
use shard::FirstStart;
use storage::memory::Memory;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use types::{NodeId, limits};

use super::*;
use crate::join_address::JoinAddress;
use crate::service;
use crate::size::Size;

/// A region that answers JoinNode with what it was told to answer, and at last keeps silent.
#[derive(Clone)]
struct Asked {
    answers: Arc<Mutex<VecDeque<Result<JoinNodeResponse, Status>>>>,
    requests: mpsc::UnboundedSender<JoinNodeRequest>,
}

impl NamedService for Asked {
    const NAME: &'static str = "meridian.v1.Meridian";
}

impl Service<http::Request<Body>> for Asked {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let asked = self.clone();
        async move { Ok(Grpc::new(Codec::default()).unary(asked, request).await) }.boxed()
    }
}

impl UnaryService<JoinNodeRequest> for Asked {
    type Response = JoinNodeResponse;
    type Future = BoxFuture<'static, Result<Response<JoinNodeResponse>, Status>>;

    fn call(&mut self, request: Request<JoinNodeRequest>) -> Self::Future {
        let answer = self.answers.lock().unwrap().pop_front();
        let _ = self.requests.send(request.into_inner());
        async move {
            match answer {
                Some(answer) => answer.map(Response::new),
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}

/// The region's address, and what it is asked.
async fn region(
    answers: Vec<Result<JoinNodeResponse, item::Error>>,
) -> (String, mpsc::UnboundedReceiver<JoinNodeRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (requests, asked) = mpsc::unbounded_channel();
    let answers = answers.into_iter().map(|answer| answer.map_err(|error| service::status(&error)));
    let answers = Arc::new(Mutex::new(answers.collect()));
    let server = Server::builder().add_service(Asked { answers, requests });
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    (address, asked)
}

/// A node that joins by way of these addresses.
fn settings(data: &Path, join: &[&str]) -> NodeSettings {
    NodeSettings {
        region: RegionName::new("us-east-1").unwrap(),
        data: data.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        advertise: None,
        metrics_listen: "127.0.0.1:0".parse().unwrap(),
        peers: vec![],
        node: NodeId::ONLY,
        members: vec![],
        join: join.iter().map(|at| JoinAddress((*at).to_owned())).collect(),
        first_start: FirstStart::Unsaid,
        tls: None,
        cluster: "test".to_owned(),
        memory: Size(limits::MEMORY_BYTES_MIN),
        disk_reserve: None,
        log: crate::settings::LogSettings { filter: String::new(), format: Default::default() },
        faults: types::Faults::default(),
    }
}

/// Runs the node until it is told to end.
fn serve(settings: NodeSettings, engine: Memory) -> (oneshot::Sender<()>, JoinHandle<Result<(), Error>>) {
    let (end, ended) = oneshot::channel();
    let running = tokio::spawn(async move {
        let open = move |_: &NodeSettings| Ok(Opened { engine: engine.clone(), maintain: None });
        let plans = vec![Plan::new(settings).unwrap()];
        let until = async move {
            let _ = ended.await;
            Ok(())
        };
        run(plans, &Latencies::default(), open, until, std::io::sink()).await
    });
    (end, running)
}

/// Waits until the disk says whose it is and the token is gone.
async fn settled(data: &Path, engine: &Memory) -> shard::Identity {
    loop {
        if let (Ok(Some(identity)), false) = (shard::Identity::read(engine), data.join("JOIN").exists()) {
            return identity;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_asks_until_it_is_given_its_place_and_never_again() {
    let data = tempfile::tempdir().unwrap();
    // Nobody links to it there, and nobody need.
    let members = vec![NodeMember { node: 3, address: "127.0.0.1:9".to_owned() }];
    let answers = vec![
        Err(item::Error::NotLeader),
        Err(item::Error::OutcomeUnknown),
        Ok(JoinNodeResponse { node: 5, members }),
    ];
    let (address, mut asked) = region(answers).await;
    let engine = Memory::new();
    let (end, running) = serve(settings(data.path(), &["127.0.0.1:9", &address]), engine.clone());
    let identity = settled(data.path(), &engine).await;
    assert_eq!((identity.node, identity.nodes), (NodeId(5), vec![NodeId(3), NodeId(5)]));
    let requests: Vec<_> = std::iter::from_fn(|| asked.try_recv().ok()).collect();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| *request == requests[0]), "the token stays: {requests:?}");
    let JoinNodeRequest { region_name, cluster, token, address: of_node } = &requests[0];
    assert_eq!((region_name.as_str(), cluster.as_str()), ("us-east-1", "test"));
    assert!(*token != 0 && of_node.starts_with("127.0.0.1:"), "{of_node}");
    end.send(()).unwrap();
    running.await.unwrap().unwrap();

    let (end, running) = serve(settings(data.path(), &[&address]), engine);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!running.is_finished());
    assert!(asked.try_recv().is_err(), "its disk knows who it is");
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_wanted_ends_and_says_why() {
    let data = tempfile::tempdir().unwrap();
    let (address, _asked) = region(vec![Err(item::Error::TooManyNodes { limit: 64 })]).await;
    let (_end, running) = serve(settings(data.path(), &[&address]), Memory::new());
    let refused = running.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::Join { .. }));
    assert!(refused.to_string().contains("too many nodes: the limit is 64"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_waits_for_its_place_can_be_stopped_and_asks_under_the_same_token() {
    let data = tempfile::tempdir().unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let (address, mut asked) = region(vec![]).await;
        let (end, running) = serve(settings(data.path(), &[&address]), Memory::new());
        tokens.push(asked.recv().await.unwrap().token);
        end.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
    assert_eq!(tokens[0], tokens[1]);
}
