//! One region's node put together: the shard's threads, the gRPC server, the links, metrics and health.
//!
//! It is generic over the engine; which one it gets is decided by whoever starts it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proto::link::link_server::LinkServer;
use proto::v1::meridian_server::MeridianServer;
use storage::Engine;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::Server;
use types::{RegionName, limits};

use crate::clock::Clock;
use crate::connections::{Connections, Manners};
use crate::driver::{self, Published, Running};
use crate::forward::Forward;
use crate::handshake::{Identity, Party};
use crate::health::{self, Observed};
use crate::latency::Latencies;
use crate::link_in::Receiver;
use crate::maintain::{self, Maintain};
use crate::metrics::{Metrics, Timings};
use crate::parties::{Common, Parties, Queues, Source};
use crate::place::Place;
use crate::service::Service;
use crate::settings::NodeSettings;
use crate::stop::{Failure, OnFailure, Stop};
use crate::tls::{self, Tls};
use crate::unfinished::Unfinished;

/// Why a node cannot start, or ended on its own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The shard cannot be opened.
    #[error("region {region}: {source}")]
    Shard {
        /// Whose.
        region: RegionName,
        /// What stops it.
        source: Failure,
    },
    /// The metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    /// It cannot speak TLS as the settings say.
    #[error("TLS: {0}")]
    Tls(#[from] tls::Error),
}

/// An engine, and what its disk wants done now and then.
pub struct Opened<E> {
    /// The engine.
    pub engine: E,
    /// What to do from time to time; nothing, for an engine in memory.
    pub maintain: Option<Maintain>,
}

/// A node's sockets, listening.
pub struct Sockets {
    grpc: Connections,
    metrics: Connections,
    /// How it speaks TLS on the first, and to other nodes, if it does.
    pub tls: Option<Tls>,
    /// Where gRPC is served: the port is real, whatever was asked for.
    pub grpc_address: SocketAddr,
    /// Where metrics and health are served.
    pub metrics_address: SocketAddr,
}

/// A running node.
pub struct Node {
    region: RegionName,
    running: Running,
    published: watch::Receiver<Published>,
    server: JoinHandle<()>,
    parties: Parties,
    tasks: Vec<JoinHandle<()>>,
    health: JoinHandle<()>,
}

impl Sockets {
    /// Listens. Wants a runtime around it, as all sockets of tokio do.
    pub fn listen(grpc: SocketAddr, metrics: SocketAddr) -> Result<Self, Error> {
        let (grpc, grpc_address) = listen(grpc, limits::CONNECTIONS_MAX, Manners::Greets)?;
        let (metrics, metrics_address) = listen(metrics, limits::METRICS_CONNECTIONS_MAX, Manners::IsBrief)?;
        Ok(Sockets { grpc, metrics, tls: None, grpc_address, metrics_address })
    }

    /// Has gRPC served under TLS, if the settings say so. A certificate that other nodes would refuse is an
    /// error.
    pub fn secured(self, settings: &NodeSettings) -> Result<Self, Error> {
        let Some(files) = &settings.tls else { return Ok(self) };
        let tls = Tls::read(files)?;
        tls.prove(&settings.region, &advertised(settings, self.grpc_address))?;
        Ok(Sockets { grpc: self.grpc.secured(tls.acceptor()), tls: Some(tls), ..self })
    }
}

fn listen(address: SocketAddr, most: usize, manners: Manners) -> Result<(Connections, SocketAddr), Error> {
    let error = |source| Error::Listen { address, source };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(error)?;
    // A node that starts again takes its port back though connections of its life before linger.
    socket.set_reuseaddr(true).and_then(|()| socket.bind(address)).map_err(error)?;
    let listener = socket.listen(limits::CONNECTIONS_WAITING_MAX).map_err(error)?;
    let real = listener.local_addr().map_err(error)?;
    Ok((Connections::new(listener, most, manners), real))
}

/// Where others reach a node: what the settings say or what it listens on; empty if that is every address
/// that the machine has.
pub fn advertised(settings: &NodeSettings, listening: SocketAddr) -> String {
    match &settings.advertise {
        Some(address) => address.clone(),
        None if listening.ip().is_unspecified() => String::new(),
        None => listening.to_string(),
    }
}

/// Recovers what the engine holds and starts serving in this place of the region. It serves until `stop`; a
/// failure of the disk or the shard goes to `on_failure`.
pub fn start<E>(
    opened: Opened<E>,
    settings: &NodeSettings,
    place: &Place,
    sockets: Sockets,
    latencies: &Latencies,
    stop: &Stop,
    on_failure: OnFailure,
) -> Result<Node, Error>
where
    E: Engine,
    shard::Shard<E>: Send,
{
    let region = settings.region.clone();
    let identity = Identity {
        cluster: settings.cluster.clone(),
        region: region.clone(),
        node: place.node,
        address: advertised(settings, sockets.grpc_address),
    };
    let clock = Clock::start();
    let metrics = Arc::new(Metrics::new(&region)?);
    let (sender, links) = watch::channel(Queues::default());
    let of_shard = of_shard(settings, place, &identity);
    let parts = parts(settings, of_shard, links.clone(), clock, metrics.timings(), on_failure.clone());
    let failed = |source| Error::Shard { region: region.clone(), source };
    let running = driver::start(opened.engine, parts).map_err(failed)?;
    let shard = running.handle.clone();
    let tls = sockets.tls;
    let forward = Arc::new(Forward::new(tls.as_ref().map(|tls| tls.calls(&region))));
    let common = Common {
        identity: identity.clone(),
        regions: regions(settings),
        latencies: latencies.clone(),
        tls,
        shard: shard.clone(),
        forward: forward.clone(),
        stop: stop.clone(),
    };
    let parties = Parties::new(common, sender);
    introduce(&parties, settings, place);
    let mut tasks = vec![tokio::spawn(parties.clone().follow(running.nodes.clone()))];
    if let Some(maintain) = opened.maintain {
        let (region, on_failure, stop) = (region.clone(), on_failure.clone(), stop.clone());
        let on_failure = move |failure| on_failure(&region, failure);
        tasks.push(tokio::spawn(maintain::run(maintain, shard.clone(), on_failure, stop)));
    }
    let service =
        Service::new(identity.clone(), shard.clone(), clock, metrics.clone(), stop.clone(), forward.clone());
    let receiver = Receiver::new(identity, parties.clone(), shard.clone(), stop.clone());
    // Links have their own, so that clients cannot break them.
    let unfinished = [(); 2].map(|()| Unfinished::new(share(settings, limits::MESSAGE_BYTES_MAX)));
    let server = serve(sockets.grpc, service, receiver, unfinished.clone(), stop.clone());
    let server = tokio::spawn(watched(server, region.clone(), on_failure));
    let (published, stop) = (running.published.clone(), stop.clone());
    let observed =
        Observed { metrics, published: published.clone(), shard, unfinished, links, forward, stop };
    let health = tokio::spawn(async move {
        if let Err(error) = health::serve(sockets.metrics, observed).await {
            tracing::error!("metrics and health are no longer served: {error}");
        }
    });
    Ok(Node { region, running, published, server, parties, tasks, health })
}

/// Makes known whom this node was told of.
fn introduce(parties: &Parties, settings: &NodeSettings, place: &Place) {
    let peers = settings
        .peers
        .iter()
        .map(|peer| (Party::Peer { region: peer.region.clone(), node: peer.node }, peer.address.clone()));
    parties.add(peers, Source::Settings);
    // Some are known by their numbers alone; they say themselves where they are.
    let others = place.nodes.iter().filter(|node| **node != place.node);
    parties.add(others.map(|node| (Party::Node(*node), String::new())), place.source);
    let members = place.members.iter().map(|member| (Party::Node(member.node), member.address.clone()));
    parties.add(members, place.source);
}

/// The other regions.
fn regions(settings: &NodeSettings) -> BTreeSet<RegionName> {
    settings.peers.iter().map(|peer| peer.region.clone()).collect()
}

/// What the shard is told of itself.
fn of_shard(settings: &NodeSettings, place: &Place, identity: &Identity) -> shard::Settings {
    let others = place.members.iter().map(|member| (member.node, member.address.clone()));
    let itself = (!identity.address.is_empty()).then(|| (place.node, identity.address.clone()));
    shard::Settings {
        region: settings.region.clone(),
        node: place.node,
        nodes: place.nodes.clone(),
        addresses: others.chain(itself).collect(),
        first_start: place.first_start,
        peers: regions(settings).into_iter().collect(),
        partition_bytes_max: types::limits::PARTITION_BYTES_MAX,
        seed: rand::random(),
        faults: settings.faults,
    }
}

/// What the shard's threads are given.
fn parts(
    settings: &NodeSettings,
    of_shard: shard::Settings,
    queues: watch::Receiver<Queues>,
    clock: Clock,
    timings: Timings,
    on_failure: OnFailure,
) -> driver::Parts {
    driver::Parts {
        settings: of_shard,
        clock,
        queues,
        request_bytes_max: share(settings, limits::MESSAGE_BYTES_MAX + limits::RAFT_TAIL_BYTES_MAX),
        answer_bytes_max: share(settings, limits::PAGE_BYTES_MAX),
        sync_alone_max: Duration::from_micros(limits::SYNC_ALONE_US_MAX),
        timings,
        on_failure,
    }
}

/// Reports when the server ends on its own.
async fn watched(
    server: impl Future<Output = Result<(), tonic::transport::Error>>,
    region: RegionName,
    on_failure: OnFailure,
) {
    if let Err(source) = server.await {
        on_failure(&region, Failure::Server { source });
    }
}

/// What requests under way, messages that came in part, or answers that nobody took, may take of the memory:
/// a request is there up to four times, decoded, decided, in the log and on its way to the disk. At least the
/// largest must fit.
fn share(settings: &NodeSettings, least: usize) -> usize {
    let memory = usize::try_from(settings.memory.0).unwrap_or(usize::MAX);
    (memory / limits::MEMORY_SHARES_OF_REQUESTS).clamp(least, limits::INBOX_BYTES_MAX)
}

/// The gRPC server: the public API and the links of peers on one port.
async fn serve(
    connections: Connections,
    service: Service,
    receiver: Receiver,
    [of_clients, of_links]: [Unfinished; 2],
    stop: Stop,
) -> Result<(), tonic::transport::Error> {
    let service = MeridianServer::new(service)
        .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
        .max_encoding_message_size(limits::MESSAGE_BYTES_MAX);
    let receiver = LinkServer::new(receiver)
        .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
        .max_encoding_message_size(limits::MESSAGE_BYTES_MAX);
    Server::builder()
        .max_concurrent_streams(limits::CONNECTION_REQUESTS_MAX as u32)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(Duration::from_millis(limits::KEEPALIVE_INTERVAL_MS)))
        .http2_keepalive_timeout(Some(Duration::from_millis(limits::KEEPALIVE_TIMEOUT_MS)))
        .add_service(of_clients.count(service))
        .add_service(of_links.count(receiver))
        .serve_with_incoming_shutdown(connections.stream(), stop.requested())
        .await
}

impl Node {
    /// Returns once every partition can serve.
    pub async fn ready(&self) {
        // An error means that the shard failed, and `on_failure` has seen to that.
        let _ = self.published.clone().wait_for(|published| published.figures.serving).await;
    }

    /// After `stop`: hands over what it leads, lets the requests under way finish, as long as they take no
    /// longer than they may, then ends the shard's threads, which leaves everything durable.
    pub async fn finish(mut self) {
        self.running.handle.hand_over();
        let drained =
            tokio::time::timeout(Duration::from_millis(limits::STOP_DRAIN_MS), &mut self.server).await;
        if drained.is_err() {
            tracing::warn!(region = %self.region, "requests under way were cut off");
            self.server.abort();
        }
        for task in self.tasks {
            let _ = task.await;
        }
        self.parties.finish().await;
        let running = self.running;
        // Only a panic could keep it from ending, and that ends the process.
        let _ = tokio::task::spawn_blocking(move || running.stop()).await;
        self.health.abort();
    }
}
