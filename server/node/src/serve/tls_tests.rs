//! Nodes that speak TLS, over in-memory engines: who is let in, to what, and that regions and nodes find each
//! other as they do without it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use client::transport::session::{self, Session};
use client::{Client, Tls as Calls};
use prost::Message;
use proto::link::link_client::LinkClient;
use proto::link::link_frame::Frame;
use proto::link::{Hello, RefusalReason};
use proto::v1::meridian_client::MeridianClient;
use proto::v1::*;
use shard::FirstStart;
use storage::memory::Memory;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use types::{NodeId, limits};

use super::tests::{get, item, put, until};
use super::*;
use crate::certificate::Unproven;
use crate::handshake::{Identity, Party, Refusal};
use crate::join_address::JoinAddress;
use crate::link_out::Ended;
use crate::member_address::MemberAddress;
use crate::peer_address::PeerAddress;
use crate::size::Size;
use crate::tls::tests::Signer;
use crate::{link_tests, tls};

const US: &str = "us-east-1";
const EU: &str = "eu-west-1";
const LOCAL: &str = "127.0.0.1";

/// Nodes of one authority.
struct World {
    signer: Signer,
    data: TempDir,
    running: Vec<Running>,
}

/// What ends a node, and what it ended with.
type Running = (oneshot::Sender<()>, JoinHandle<Result<(), Error>>);

fn name(region: &str) -> RegionName {
    RegionName::new(region).unwrap()
}

fn sockets() -> Sockets {
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    Sockets::listen(local, local).unwrap()
}

impl World {
    fn new() -> Self {
        World { signer: Signer::new(), data: tempfile::tempdir().unwrap(), running: Vec::new() }
    }

    /// One node each of the two regions.
    async fn of_two_regions() -> (Self, [SocketAddr; 2]) {
        let mut world = World::new();
        let (us, eu) = (sockets(), sockets());
        let addresses = [us.grpc_address, eu.grpc_address];
        let peer = |region, address: SocketAddr| {
            vec![PeerAddress { region: name(region), node: NodeId::ONLY, address: address.to_string() }]
        };
        let of_us = NodeSettings { peers: peer(EU, addresses[1]), ..world.settings(US, 1) };
        let of_eu = NodeSettings { peers: peer(US, addresses[0]), ..world.settings(EU, 1) };
        world.start(of_us, us);
        world.start(of_eu, eu);
        (world, addresses)
    }

    fn settings(&self, region: &str, node: u64) -> NodeSettings {
        NodeSettings {
            region: name(region),
            data: self.data.path().join(format!("{region}-{node}")),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            advertise: None,
            metrics_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            peers: vec![],
            node: NodeId(node),
            members: vec![],
            join: vec![],
            first_start: FirstStart::Unsaid,
            tls: Some(self.signer.files(region, &[LOCAL])),
            cluster: "test".to_owned(),
            memory: Size(limits::MEMORY_BYTES_MIN),
            disk_reserve: None,
            log: crate::settings::LogSettings { filter: String::new(), format: Default::default() },
            faults: types::Faults::default(),
        }
    }

    fn start(&mut self, settings: NodeSettings, sockets: Sockets) {
        let sockets = sockets.secured(&settings).unwrap();
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(async move {
            let open = |_: &NodeSettings| Ok(Opened { engine: Memory::new(), maintain: None });
            let until = async move {
                let _ = ended.await;
                Ok(())
            };
            run(vec![Plan { settings, sockets }], &Latencies::default(), open, until, std::io::sink()).await
        });
        self.running.push((end, running));
    }

    /// A user's client, who trusts the authority and shows nothing.
    fn user(&self) -> Calls {
        Calls::new(self.signer.authority()).unwrap()
    }

    fn client(&self, address: SocketAddr) -> Client {
        let settings = client::Settings { tls: Some(self.user()), ..client::Settings::default() };
        Client::new(&[format!("https://{address}")], settings).unwrap()
    }

    /// A node that shows this region and host to nodes of region `us-east-1`.
    fn node(&self, region: &str, host: &str) -> Calls {
        self.signer.tls(region, &[host]).calls(&name(US))
    }

    async fn stop(self) {
        for (end, running) in self.running {
            let _ = end.send(());
            running.await.unwrap().unwrap();
        }
    }
}

async fn connect(address: SocketAddr, calls: &Calls) -> Channel {
    tls::endpoint(&address.to_string(), Some(calls)).unwrap().connect().await.unwrap()
}

/// Makes the table where the client is, in these regions, and waits until it is served there.
async fn create_table(client: &Client, regions: &[&str]) {
    let request = CreateTableRequest {
        table_name: "movies".to_owned(),
        key_schema: vec![KeySchemaElement { attribute_name: "k".to_owned(), key_type: KeyType::Hash.into() }],
        attribute_definitions: vec![AttributeDefinition {
            attribute_name: "k".to_owned(),
            attribute_type: ScalarAttributeType::S.into(),
        }],
        regions: regions.iter().map(|name| (*name).to_owned()).collect(),
        partitions: Some(4),
    };
    client.create_table(request).await.unwrap();
    until(async || served(client).await).await;
}

async fn served(client: &Client) -> Option<()> {
    let request = DescribeTableRequest { table_name: "movies".to_owned() };
    let table = client.describe_table(request).await.ok()?;
    (table.table_status() == TableStatus::Active).then_some(())
}

async fn found(client: &Client, key: &str) -> BTreeMap<String, AttributeValue> {
    until(async || client.get_item(get(key)).await.ok()?.item).await.attributes
}

/// Why a node refuses a link with this Hello.
async fn refusal(address: SocketAddr, calls: &Calls, region: &str, at: &str) -> RefusalReason {
    let identity = Identity {
        cluster: "test".to_owned(),
        region: name(region),
        node: NodeId(7),
        address: at.to_owned(),
    };
    let frames = tokio_stream::iter([identity.hello(vec![])]);
    let mut client = LinkClient::new(connect(address, calls).await);
    let mut answers = client.open(frames).await.unwrap().into_inner();
    match answers.message().await.unwrap().unwrap().frame {
        Some(Frame::Refused(refused)) => refused.reason(),
        Some(Frame::Hello(Hello { .. })) => RefusalReason::Unspecified,
        other => panic!("{other:?}"),
    }
}

fn name_of(status: &Status) -> (Code, String) {
    (status.code(), proto::detail::decode(status.details()).unwrap().name)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_regions_under_tls_replicate() {
    let (world, [us, eu]) = World::of_two_regions().await;
    let (us, eu) = (world.client(us), world.client(eu));
    create_table(&us, &[US, EU]).await;
    until(async || served(&eu).await).await;
    us.put_item(put("from us")).await.unwrap();
    eu.put_item(put("from eu")).await.unwrap();
    assert_eq!(found(&eu, "from us").await, item("from us"));
    assert_eq!(found(&us, "from eu").await, item("from eu"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_speak_tls_or_trusts_another_authority_is_not_let_in() {
    let (world, [us, _]) = World::of_two_regions().await;
    let settings = client::Settings { retries: false, ..client::Settings::default() };
    let other = Calls::new(Signer::new().authority()).unwrap();
    let settings = client::Settings { tls: Some(other), ..settings };
    let stranger = Client::new(&[format!("https://{us}")], settings).unwrap();
    let refused = stranger.ping(vec![]).await.unwrap_err().to_string();
    assert!(refused.contains("invalid peer certificate: UnknownIssuer"), "{refused}");
    let channel = Endpoint::from_shared(format!("http://{us}")).unwrap().connect_lazy();
    MeridianClient::new(channel).ping(PingRequest::default()).await.unwrap_err();
    let mut raw = TcpStream::connect(us).await.unwrap();
    raw.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = raw.read_to_end(&mut answer).await;
    assert_eq!(answer.first(), Some(&0x15), "a TLS alert and nothing else: {answer:?}");
    // Another authority's node is none here.
    let another = Signer::new().tls(US, &[LOCAL]);
    let identity = tls::endpoint(&us.to_string(), Some(&another.calls(&name(US)))).unwrap();
    identity.connect().await.unwrap_err();
    world.client(us).ping(vec![]).await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_takes_a_certificate_of_the_region_and_the_host_that_are_said() {
    let (world, [us, _]) = World::of_two_regions().await;
    let at = "127.0.0.1:7001";
    let certificate = RefusalReason::Certificate;
    assert_eq!(refusal(us, &world.user(), EU, at).await, certificate, "none");
    assert_eq!(refusal(us, &world.node(US, LOCAL), EU, at).await, certificate, "another region's");
    assert_eq!(refusal(us, &world.node(EU, "other.example"), EU, at).await, certificate, "another host's");
    assert_eq!(refusal(us, &world.node(EU, LOCAL), "ap-northeast-1", "").await, certificate);
    let none = RefusalReason::Unspecified;
    assert_eq!(refusal(us, &world.node(EU, "other.example"), EU, "other.example:1").await, none);
    assert_eq!(refusal(us, &world.node(EU, LOCAL), EU, at).await, none);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_dialled_must_be_of_the_region_that_is_meant() {
    let (world, [us, _]) = World::of_two_regions().await;
    let tls = world.signer.tls(EU, &[LOCAL]);
    let dial = async |region: &str| {
        let (mut dialler, ..) = link_tests::dialler(EU, us, Duration::ZERO);
        dialler.identity.cluster = "test".to_owned();
        dialler.party = Party::Peer { region: name(region), node: NodeId::ONLY };
        dialler.tls = Some(tls.calls(&name(region)));
        dialler.open().await.map(drop)
    };
    dial(US).await.unwrap();
    let refused = dial("ap-northeast-1").await.unwrap_err();
    let unproven = Unproven::Region { region: "ap-northeast-1".to_owned() };
    assert!(matches!(&refused, Ended::Refusing(Refusal::Certificate(why)) if *why == unproven), "{refused}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_nodes_may_ask_is_refused_to_clients() {
    let (world, [us, _]) = World::of_two_regions().await;
    create_table(&world.client(us), &[US, EU]).await;
    let denied = (Code::PermissionDenied, "AccessDeniedException".to_owned());
    let join = |address: &str| JoinNodeRequest {
        region_name: US.to_owned(),
        cluster: "test".to_owned(),
        token: 7,
        address: address.to_owned(),
    };
    let passed_on = || {
        let mut request = Request::new(put("k"));
        request.metadata_mut().insert("meridian-passed-on", "1".parse().unwrap());
        request
    };
    for calls in [world.user(), world.node(EU, LOCAL)] {
        let mut client = MeridianClient::new(connect(us, &calls).await);
        let refused = client.join_node(join("127.0.0.1:7009")).await.unwrap_err();
        assert_eq!(name_of(&refused), denied);
        assert_eq!(name_of(&client.put_item(passed_on()).await.unwrap_err()), denied);
        client.put_item(put("k")).await.unwrap();
        let session = Session::open(client.clone());
        let call = session::call(SessionOperation::PutItem.into(), 5000, put("k").encode_to_vec().into());
        let refused = session.exchange(SessionCall { passed_on: true, ..call.clone() }).await.unwrap();
        assert_eq!(refused.error.unwrap().name, "AccessDeniedException");
        assert_eq!(session.exchange(call).await.unwrap().error, None);
    }
    let mut node = MeridianClient::new(connect(us, &world.node(US, LOCAL)).await);
    node.put_item(passed_on()).await.unwrap();
    let elsewhere = node.join_node(join("other.example:7009")).await.unwrap_err();
    assert_eq!(name_of(&elsewhere), denied);
    let mut join = Request::new(join("other.example:7009"));
    join.metadata_mut().insert("meridian-passed-on", "1".parse().unwrap());
    let taken = node.join_node(join).await.unwrap().into_inner();
    assert_eq!(taken.node, 2, "who passes it on has made sure");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_node_joins_under_tls() {
    let mut world = World::new();
    let (first, second, third) = (sockets(), sockets(), sockets());
    let [at_first, at_second, at_third] = [&first, &second, &third].map(|sockets| sockets.grpc_address);
    let member =
        |node, address: SocketAddr| vec![MemberAddress { node: NodeId(node), address: address.to_string() }];
    for (node, sockets, members) in [(1, first, member(2, at_second)), (2, second, member(1, at_first))] {
        let settings = NodeSettings { members, first_start: FirstStart::Yes, ..world.settings(US, node) };
        world.start(settings, sockets);
    }
    let client = world.client(at_first);
    create_table(&client, &[US]).await;
    let join = vec![JoinAddress(at_second.to_string())];
    std::fs::create_dir_all(world.data.path().join("us-east-1-3")).unwrap();
    world.start(NodeSettings { join, ..world.settings(US, 3) }, third);
    until(async || {
        let nodes = client.list_nodes().await.ok()?;
        let joined = nodes.iter().find(|node| node.node == 3 && node.lives && node.replicas > 0)?;
        (joined.address == at_third.to_string()).then_some(())
    })
    .await;
    let (second, third) = (world.client(at_second), world.client(at_third));
    for number in 0..16 {
        let key = format!("k{number}");
        third.put_item(put(&key)).await.unwrap();
        let request = GetItemRequest { consistent_read: true, ..get(&key) };
        assert_eq!(second.get_item(request).await.unwrap().item.unwrap().attributes, item(&key));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_certificate_that_others_would_refuse_does_not_start() {
    let world = World::new();
    let refused = |settings: &NodeSettings| sockets().secured(settings).err().unwrap();
    let other = NodeSettings { tls: Some(world.signer.files(EU, &[LOCAL])), ..world.settings(US, 1) };
    let said = refused(&other).to_string();
    assert!(said.contains("the certificate is not of region \"us-east-1\""), "{said}");
    let elsewhere =
        NodeSettings { advertise: Some("node1.example:7001".to_owned()), ..world.settings(US, 1) };
    let said = refused(&elsewhere).to_string();
    assert!(said.contains("does not name the host of \"node1.example:7001\""), "{said}");
}
