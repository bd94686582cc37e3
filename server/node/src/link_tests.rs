//! Both halves of a link over real sockets: what is let in, what is refused and how, and that order stays.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use proto::link::link_client::LinkClient;
use proto::link::link_frame::Frame;
use proto::link::link_server::LinkServer;
use proto::link::{Hello, LinkFrame, Message, RefusalReason};
use shard::{Envelope, Member};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::Streaming;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use types::{NodeId, RegionName, limits};

use crate::handle::{Handle, Post};
use crate::handshake::{Identity, PROTOCOL, Party, Refusal, frame};
use crate::latency::Latencies;
use crate::link_in::Receiver;
use crate::link_out::{Dialler, Ended};
use crate::link_queue::{self, Queue};
use crate::parties::{Common, Parties, Queues, Source};
use crate::stop::{self, Stop, Stopper};

fn region(name: &str) -> RegionName {
    RegionName::new(name).unwrap()
}

fn identity(name: &str) -> Identity {
    let (cluster, address) = ("test".to_owned(), String::new());
    Identity { cluster, region: region(name), node: NodeId::ONLY, address }
}

fn peer(name: &str) -> Party {
    Party::Peer { region: region(name), node: NodeId::ONLY }
}

/// The parties of a node of region `us` whose settings name these regions.
fn parties(regions: &[&str], shard: &Handle, stop: &Stop) -> Parties {
    parties_of(identity("us"), regions, shard, stop)
}

fn parties_of(identity: Identity, regions: &[&str], shard: &Handle, stop: &Stop) -> Parties {
    let common = Common {
        identity,
        regions: regions.iter().map(|name| region(name)).collect(),
        latencies: Latencies::default(),
        tls: None,
        shard: shard.clone(),
        forward: Arc::default(),
        stop: stop.clone(),
    };
    let parties = Parties::new(common, watch::channel(Queues::default()).0);
    // Nobody says where they are, so they are let in and not dialled.
    parties.add(regions.iter().map(|name| (peer(name), String::new())), Source::Settings);
    parties
}

/// A node of region `us` that lets `eu` and `ap` in.
struct Listening {
    address: SocketAddr,
    posts: mpsc::Receiver<Post>,
    stopper: Stopper,
    server: JoinHandle<()>,
}

impl Listening {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shard, posts) = Handle::new(limits::INBOX_BYTES_MAX);
        let (stopper, stop) = stop::channel();
        let parties = parties(&["eu", "ap"], &shard, &stop);
        let receiver = Receiver::new(identity("us"), parties, shard, stop.clone());
        let server = Server::builder()
            .add_service(LinkServer::new(receiver))
            .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop.requested());
        let server = tokio::spawn(async move { server.await.unwrap() });
        Listening { address, posts, stopper, server }
    }

    /// Opens a link with these first frames.
    async fn open(&self, frames: Vec<LinkFrame>) -> Streaming<LinkFrame> {
        use tokio_stream::StreamExt;
        let channel =
            Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap();
        let mut client = LinkClient::new(channel);
        let frames = tokio_stream::iter(frames).chain(tokio_stream::pending());
        client.open(frames).await.unwrap().into_inner()
    }

    /// The reason for which a link with these frames is refused, as the last thing it says.
    async fn refusal(&self, frames: Vec<LinkFrame>) -> RefusalReason {
        let mut answers = self.open(frames).await;
        loop {
            match answers.message().await.unwrap().expect("a refusal before the end").frame {
                Some(Frame::Refused(refused)) => {
                    assert!(!refused.text.is_empty());
                    assert_eq!(answers.message().await.unwrap(), None, "nothing follows a refusal");
                    return refused.reason();
                }
                Some(Frame::Hello(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message that reached the shard.
    async fn received(self) -> (Self, shard::Link) {
        let next = move || match self.posts.recv().unwrap() {
            Post::Link(Envelope::Link(link)) => (self, link),
            _ => panic!("only messages reach the shard"),
        };
        tokio::task::spawn_blocking(next).await.unwrap()
    }
}

fn hello(change: impl FnOnce(&mut Hello)) -> LinkFrame {
    let Some(Frame::Hello(mut hello)) = identity("eu").hello(vec![]).frame else { panic!("no Hello") };
    change(&mut hello);
    frame(Frame::Hello(hello))
}

fn message(bytes: &[u8], crc32: u32) -> LinkFrame {
    frame(Frame::Message(Message { payload: bytes.to_vec(), crc32 }))
}

/// An address that stays for as long as the test runs.
fn fixed(address: &str) -> watch::Receiver<String> {
    let (sender, receiver) = watch::channel(address.to_owned());
    std::mem::forget(sender);
    receiver
}

pub(crate) fn dialler(
    name: &str,
    address: SocketAddr,
    delay: Duration,
) -> (Dialler, Queue, mpsc::Receiver<Post>) {
    let (shard, posts) = Handle::new(limits::INBOX_BYTES_MAX);
    let (queue, waiting) = link_queue::new();
    let (party, address) = (peer("us"), fixed(&address.to_string()));
    let identity = identity(name);
    let parties = parties_of(identity.clone(), &[], &shard, &stop::channel().1);
    (Dialler { identity, party, address, tls: None, delay, waiting, shard, parties }, queue, posts)
}

/// Waits for the link to change.
async fn changed(posts: mpsc::Receiver<Post>) -> mpsc::Receiver<Post> {
    let next = move || match posts.recv().unwrap() {
        Post::LinksChanged => posts,
        _ => panic!("only changes of the link reach the shard"),
    };
    tokio::task::spawn_blocking(next).await.unwrap()
}

#[tokio::test]
async fn messages_arrive_in_order_though_delayed() {
    const DELAY: Duration = Duration::from_millis(30);
    let mut us = Listening::start().await;
    let (dialler, queue, posts) = dialler("eu", us.address, DELAY);
    let (stopper, stop) = stop::channel();
    let dialling = tokio::spawn(dialler.run(stop));
    let _posts = changed(posts).await;
    assert_eq!(queue.changes(), 1);
    let begun = std::time::Instant::now();
    for number in 0..200u8 {
        queue.offer(vec![number; 100]);
    }
    for number in 0..200u8 {
        let (again, link) = us.received().await;
        us = again;
        let from = shard::PeerNode { region: region("eu").id(), node: NodeId::ONLY };
        assert_eq!(link, shard::Link { peer: from, bytes: vec![number; 100] });
    }
    assert!(begun.elapsed() >= DELAY);
    stopper.stop();
    dialling.await.unwrap();
    assert_eq!(queue.changes(), 2, "down again");
}

#[tokio::test]
async fn a_link_whose_peer_stops_goes_down_and_comes_up_again_elsewhere() {
    let us = Listening::start().await;
    let (dialler, queue, posts) = dialler("eu", us.address, Duration::ZERO);
    let (_stopper, stop) = stop::channel();
    tokio::spawn(dialler.run(stop));
    let posts = changed(posts).await;
    us.stopper.stop();
    us.server.await.unwrap();
    let posts = changed(posts).await;
    assert_eq!(queue.changes(), 2);
    let listener = TcpListener::bind(us.address).await.unwrap();
    let (shard, _received) = Handle::new(limits::INBOX_BYTES_MAX);
    let (_stopper, stop) = stop::channel();
    let parties = parties(&["eu"], &shard, &stop);
    let receiver = Receiver::new(identity("us"), parties, shard, stop);
    let server = Server::builder().add_service(LinkServer::new(receiver));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    changed(posts).await;
    assert_eq!(queue.changes(), 3);
}

#[tokio::test]
async fn each_mismatch_is_refused_with_its_reason() {
    let us = Listening::start().await;
    let cases = [
        (hello(|hello| hello.cluster = b"other".to_vec()), RefusalReason::Cluster),
        (hello(|hello| hello.region = "sa".to_owned()), RefusalReason::Region),
        (hello(|hello| hello.region = "us".to_owned()), RefusalReason::Node),
        (hello(|hello| hello.node = 0), RefusalReason::Node),
        (
            hello(|hello| (hello.protocol_min, hello.protocol_max) = (PROTOCOL + 1, 9)),
            RefusalReason::Protocol,
        ),
        (message(b"early", crc32fast::hash(b"early")), RefusalReason::Frame),
        (LinkFrame { frame: None }, RefusalReason::Frame),
    ];
    for (first, reason) in cases {
        assert_eq!(us.refusal(vec![first]).await, reason);
    }
    assert!(us.posts.try_recv().is_err(), "nothing reached the shard");
}

#[tokio::test]
async fn what_was_damaged_on_the_way_ends_the_link() {
    let us = Listening::start().await;
    let good = message(b"good", crc32fast::hash(b"good"));
    let bad = message(b"bad", crc32fast::hash(b"bad") ^ 1);
    assert_eq!(us.refusal(vec![hello(|_| {}), good, bad]).await, RefusalReason::Frame);
    let (us, link) = us.received().await;
    assert_eq!(link.bytes, b"good");
    assert_eq!(us.refusal(vec![hello(|_| {}), hello(|_| {})]).await, RefusalReason::Frame);
    assert!(us.posts.try_recv().is_err(), "the damaged one did not reach the shard");
}

#[tokio::test]
async fn the_later_of_two_links_counts() {
    let us = Listening::start().await;
    let mut first = us.open(vec![hello(|_| {})]).await;
    assert!(matches!(first.message().await.unwrap().unwrap().frame, Some(Frame::Hello(_))));
    let mut second = us.open(vec![hello(|_| {}), message(b"later", crc32fast::hash(b"later"))]).await;
    assert!(matches!(second.message().await.unwrap().unwrap().frame, Some(Frame::Hello(_))));
    assert_eq!(first.message().await.unwrap(), None, "the earlier one has ended");
    let (_us, link) = us.received().await;
    assert_eq!(link.bytes, b"later");
}

#[tokio::test]
async fn a_dialler_knows_why_it_was_refused_and_whom_it_refuses() {
    let us = Listening::start().await;
    let (stranger, ..) = dialler("sa", us.address, Duration::ZERO);
    let Err(Ended::Refused { text }) = stranger.open().await else { panic!("let in") };
    assert!(text.contains("not a peer of us"), "{text}");
    let (mut lost, ..) = dialler("eu", us.address, Duration::ZERO);
    lost.party = peer("ap");
    assert!(matches!(lost.open().await, Err(Ended::Refusing(_))));
    us.stopper.stop();
    us.server.await.unwrap();
    assert!(matches!(lost.open().await, Err(Ended::Unreachable { .. })));
}

/// A node with both halves of its links; the settings of those of `us` and `eu` name the other region.
struct Linked {
    parties: Parties,
    queues: watch::Receiver<Queues>,
    address: SocketAddr,
    posts: mpsc::Receiver<Post>,
    _stopper: Stopper,
}

impl Linked {
    async fn start(name: &str, node: u64, other: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shard, posts) = Handle::new(limits::INBOX_BYTES_MAX);
        let (stopper, stop) = stop::channel();
        let (sender, queues) = watch::channel(Queues::default());
        let identity = Identity { node: NodeId(node), address: address.to_string(), ..identity(name) };
        let common = Common {
            identity: identity.clone(),
            regions: [region(other)].into(),
            latencies: Latencies::default(),
            tls: None,
            shard: shard.clone(),
            forward: Arc::default(),
            stop: stop.clone(),
        };
        let parties = Parties::new(common, sender);
        parties.add([(peer(other), String::new())], Source::Settings);
        let receiver = Receiver::new(identity, parties.clone(), shard, stop);
        let server = Server::builder().add_service(LinkServer::new(receiver));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Linked { parties, queues, address, posts, _stopper: stopper }
    }

    /// The queue of its link to a party, once that is up.
    async fn up(&self, party: &Party) -> Queue {
        loop {
            let queue = self.queues.borrow().get(party).cloned();
            match queue {
                Some(queue) if queue.is_up() => return queue,
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}

#[tokio::test]
async fn a_node_of_a_peer_that_nobody_named_is_dialled_back() {
    let us = Linked::start("us", 1, "eu").await;
    let eu = Linked::start("eu", 7, "us").await;
    eu.parties.add([(peer("us"), us.address.to_string())], Source::Settings);
    eu.up(&peer("us")).await;
    let stranger = Party::Peer { region: region("eu"), node: NodeId(7) };
    us.up(&stranger).await.offer(b"back".to_vec());
    let next = move || loop {
        if let Post::Link(Envelope::Link(link)) = eu.posts.recv().unwrap() {
            return link;
        }
    };
    let link = tokio::task::spawn_blocking(next).await.unwrap();
    assert_eq!((link.peer.node, link.bytes), (NodeId::ONLY, b"back".to_vec()));
}

#[tokio::test]
async fn who_names_one_node_of_a_region_is_linked_to_all() {
    let us = Linked::start("us", 1, "eu").await;
    let (first, second) = (Linked::start("eu", 1, "us").await, Linked::start("eu", 7, "us").await);
    first.parties.set_members(&[member(7, &second.address.to_string())]);
    us.parties.add([(peer("eu"), first.address.to_string())], Source::Settings);
    us.up(&Party::Peer { region: region("eu"), node: NodeId(7) }).await;
    first.up(&peer("us")).await;
    second.up(&peer("us")).await;
}

#[tokio::test]
async fn a_dialler_follows_its_party_and_ends_when_nobody_wants_it() {
    let (first, second) = (Listening::start().await, Listening::start().await);
    let (mut dialler, queue, posts) = dialler("eu", first.address, Duration::ZERO);
    let (address, receiver) = watch::channel(first.address.to_string());
    dialler.address = receiver;
    let (_stopper, stop) = stop::channel();
    let dialling = tokio::spawn(dialler.run(stop));
    let posts = changed(posts).await;
    queue.offer(b"first".to_vec());
    assert_eq!(first.received().await.1.bytes, b"first");
    address.send_replace(second.address.to_string());
    let posts = changed(changed(posts).await).await;
    assert_eq!(queue.changes(), 3);
    queue.offer(b"second".to_vec());
    let (mut second, link) = second.received().await;
    assert_eq!(link.bytes, b"second");
    (0..100).for_each(|number| queue.offer(vec![number]));
    drop(address);
    for number in 0..100 {
        let (again, link) = second.received().await;
        second = again;
        assert_eq!(link.bytes, [number], "what waited is still sent");
    }
    dialling.await.unwrap();
    changed(posts).await;
    assert_eq!(queue.changes(), 4);
}

#[tokio::test]
async fn a_party_that_is_not_known_any_more_loses_its_link() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shard, _received) = Handle::new(limits::INBOX_BYTES_MAX);
    let (_stopper, stop) = stop::channel();
    let parties = parties(&[], &shard, &stop);
    parties.set_members(&[member(2, "")]);
    let receiver = Receiver::new(identity("us"), parties.clone(), shard, stop);
    let server = Server::builder().add_service(LinkServer::new(receiver));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let (mut dialler, queue, posts) = dialler("us", address, Duration::ZERO);
    dialler.party = Party::Node(NodeId::ONLY);
    let itself = Identity { node: NodeId(2), ..identity("us") };
    dialler.parties = parties_of(itself.clone(), &[], &dialler.shard, &stop::channel().1);
    dialler.identity = itself.clone();
    let (_stopper, stop) = stop::channel();
    tokio::spawn(dialler.run(stop));
    let posts = changed(posts).await;
    parties.set_members(&[Member { removed: true, ..member(2, "") }]);
    changed(posts).await;
    assert_eq!(queue.changes(), 2);
    let Some(Frame::Hello(again)) = itself.hello(Vec::new()).frame else { panic!("no Hello") };
    assert_eq!(parties.admit(&again), Err(Refusal::Removed { node: 2 }));
}

fn member(node: u64, address: &str) -> Member {
    Member { node: NodeId(node), address: address.to_owned(), removed: false }
}
