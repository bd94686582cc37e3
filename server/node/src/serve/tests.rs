//! A region served whole, over an in-memory engine.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use client::transport::session::{self, Session};
use prost::Message;
use proto::v1::attribute_value::Value;
use proto::v1::meridian_client::MeridianClient;
use proto::v1::*;
use storage::memory::Memory;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::Channel;
use types::{RegionName, limits};

use super::*;
use crate::dev;
use crate::options::DevOptions;
use crate::settings;

type Client = MeridianClient<Channel>;

/// Gives on each printed line.
struct Lines(mpsc::UnboundedSender<String>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().for_each(|line| drop(self.0.send(line.to_owned())));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) struct Server {
    pub(super) clients: Vec<Client>,
    /// Where each serves gRPC.
    pub(super) addresses: Vec<String>,
    pub(super) metrics: Vec<String>,
    end: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Error>>,
}

impl Server {
    /// Three regions over engines in memory, ready.
    pub(super) async fn start(latency: &str) -> Server {
        Server::run(DevOptions { latency: latency.parse().unwrap(), ..DevOptions::default() }).await
    }

    /// Three nodes of one region likewise.
    pub(super) async fn start_nodes() -> Server {
        let regions = vec![RegionName::new("us-east-1").unwrap()];
        Server::run(DevOptions { regions, nodes: NonZeroU64::new(3), ..DevOptions::default() }).await
    }

    async fn run(options: DevOptions) -> Server {
        let options = DevOptions { port: Some(0), metrics_port: Some(0), ..options };
        let settings = settings::dev(options).unwrap();
        let plans = dev::plans(&settings).unwrap();
        let (sender, mut lines) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(async move {
            let open = |_: &NodeSettings| Ok(Opened { engine: Memory::new(), maintain: None });
            let until = async move {
                let _ = ended.await;
                Ok(())
            };
            run(plans, &settings.latencies, open, until, std::io::LineWriter::new(Lines(sender))).await
        });
        let (mut clients, mut addresses, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let line = lines.recv().await.unwrap();
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["ready"] => return Server { clients, addresses, metrics, end, running },
                [_, "grpc", grpc, "metrics", at] => {
                    let endpoint = Channel::from_shared(format!("http://{grpc}")).unwrap();
                    clients.push(Client::new(endpoint.connect().await.unwrap()));
                    addresses.push(grpc.to_owned());
                    metrics.push(at.to_owned());
                }
                _ => panic!("{line}"),
            }
        }
    }

    /// Makes the table in every region, and waits until all of them serve it.
    pub(super) async fn create_table(&mut self) {
        self.create_table_in(&["us-east-1", "eu-west-1", "ap-northeast-1"], 1).await;
    }

    pub(super) async fn create_table_in(&mut self, regions: &[&str], partitions: u32) {
        let request = CreateTableRequest {
            table_name: "movies".to_owned(),
            key_schema: vec![KeySchemaElement {
                attribute_name: "k".to_owned(),
                key_type: KeyType::Hash.into(),
            }],
            attribute_definitions: vec![AttributeDefinition {
                attribute_name: "k".to_owned(),
                attribute_type: ScalarAttributeType::S.into(),
            }],
            regions: regions.iter().map(|name| (*name).to_owned()).collect(),
            partitions: Some(partitions),
        };
        self.clients[0].create_table(request).await.unwrap();
        for client in &self.clients {
            let request = DescribeTableRequest { table_name: "movies".to_owned() };
            until(async || {
                let table = client.clone().describe_table(request.clone()).await.ok()?.into_inner().table?;
                (table.table_status() == TableStatus::Active).then_some(())
            })
            .await;
        }
    }

    /// Every key put and got through a session with each node, which passes on what it does not lead.
    async fn on_sessions(&self, keys: &[String]) {
        for client in &self.clients {
            let session = Session::open(client.clone());
            for key in keys {
                for (operation, request) in [
                    (SessionOperation::PutItem, put(key).encode_to_vec()),
                    (SessionOperation::GetItem, get(key).encode_to_vec()),
                ] {
                    let call = session::call(operation.into(), 5000, request.into());
                    let answer = session.exchange(call).await.unwrap();
                    assert_eq!(answer.error, None);
                }
            }
        }
    }

    pub(super) async fn stop(self) {
        self.end.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }
}

/// Asks again and again, since no event tells when a region has heard of something.
pub(super) async fn until<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let mut interval = tokio::time::interval(Duration::from_millis(10));
    let found = async {
        loop {
            interval.tick().await;
            if let Some(found) = ask().await {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.expect("within 30 s")
}

pub(super) fn item(key: &str) -> BTreeMap<String, AttributeValue> {
    [("k".to_owned(), AttributeValue { value: Some(Value::S(key.to_owned())) })].into()
}

pub(super) fn put(key: &str) -> PutItemRequest {
    PutItemRequest { table_name: "movies".to_owned(), item: item(key), ..PutItemRequest::default() }
}

pub(super) fn get(key: &str) -> GetItemRequest {
    GetItemRequest { table_name: "movies".to_owned(), key: item(key), ..GetItemRequest::default() }
}

pub(super) async fn http(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_one_region_is_read_in_all() {
    let mut server = Server::start("us-east-1:eu-west-1=20ms").await;
    server.create_table().await;
    for (number, client) in server.clients.iter_mut().enumerate() {
        client.put_item(put(&format!("k{number}"))).await.unwrap();
    }
    for client in &server.clients {
        for number in 0..3 {
            let key = format!("k{number}");
            let found =
                until(async || client.clone().get_item(get(&key)).await.unwrap().into_inner().item).await;
            assert_eq!(found.attributes, item(&key));
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_of_a_region_answers_for_all() {
    let mut server = Server::start_nodes().await;
    server.create_table_in(&["us-east-1"], 8).await;
    let keys: Vec<_> = (0..24).map(|at| format!("k{at}")).collect();
    for (at, key) in keys.iter().enumerate() {
        server.clients[at % 3].put_item(put(key)).await.unwrap();
    }
    for client in &mut server.clients {
        for key in &keys {
            let request = GetItemRequest { consistent_read: true, ..get(key) };
            let found = client.get_item(request).await.unwrap().into_inner().item;
            assert_eq!(found.unwrap().attributes, item(key));
        }
    }
    let writes = keys.iter().map(|key| WriteRequest { put_item: item(key), ..WriteRequest::default() });
    let writes = TableWrites { table_name: "movies".to_owned(), requests: writes.collect() };
    let batch = BatchWriteItemRequest { request_items: vec![writes] };
    let wrote = server.clients[1].batch_write_item(batch).await.unwrap().into_inner();
    assert_eq!(wrote.unprocessed_items, []);
    let keys_of = keys.iter().map(|key| Item { attributes: item(key) }).collect();
    let wanted = KeysAndAttributes { keys: keys_of, consistent_read: true, ..Default::default() };
    let wanted = KeysAndAttributes { table_name: "movies".to_owned(), ..wanted };
    let batch = BatchGetItemRequest { request_items: vec![wanted] };
    let got = server.clients[2].batch_get_item(batch).await.unwrap().into_inner();
    assert_eq!((got.responses[0].items.len(), got.unprocessed_keys), (keys.len(), vec![]));
    server.on_sessions(&keys).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_shows_the_whole_region() {
    let mut server = Server::start_nodes().await;
    server.create_table_in(&["us-east-1"], 8).await;
    for client in &server.clients {
        // Figures are told every second.
        let shown = until(async || {
            let shown = client.clone().describe_region(DescribeRegionRequest {}).await.unwrap();
            let region = shown.into_inner().region.unwrap();
            let leads = region.nodes.iter().map(|node| node.figures.as_ref().map(|told| told.leads));
            (leads.sum::<Option<u64>>() == Some(8)).then_some(region)
        });
        let region = shown.await;
        let summary = region.summary.unwrap();
        assert_eq!((summary.partitions, summary.under_replicated, summary.moving), (8, 0, 0));
        assert_eq!(summary.without_leader, Some(0));
        let replicas = region.nodes.iter().map(|node| node.description.as_ref().unwrap().replicas);
        assert_eq!(replicas.collect::<Vec<_>>(), [8, 8, 8]);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_tell_how_it_is() {
    let mut server = Server::start("").await;
    server.create_table().await;
    server.clients[0].put_item(put("k")).await.unwrap();
    server.clients[0].delete_item(DeleteItemRequest::default()).await.unwrap_err();
    let address = server.metrics[0].clone();
    assert!(http(&address, "/health/live").await.starts_with("HTTP/1.1 200"));
    assert!(http(&address, "/health/ready").await.starts_with("HTTP/1.1 200"));
    assert!(http(&address, "/nowhere").await.starts_with("HTTP/1.1 404"));
    let wanted = [
        r#"meridian_requests_total{region="us-east-1",operation="PutItem",result="done"} 1"#,
        r#"meridian_requests_total{region="us-east-1",operation="DeleteItem",result="client_error"} 1"#,
        r#"meridian_request_seconds_count{region="us-east-1",operation="PutItem"} 1"#,
        r#"meridian_link_up{region="us-east-1",peer="eu-west-1",node="1"} 1"#,
        r#"meridian_pending_changes{region="us-east-1",peer="ap-northeast-1"} 0"#,
        r#"meridian_writes_acknowledged_total{region="us-east-1"} 1"#,
        r#"meridian_serving{region="us-east-1"} 1"#,
    ];
    until(async || {
        let metrics = http(&address, "/metrics").await;
        let lag = |line: &&str| {
            line.starts_with(r#"meridian_replication_lag_ms{region="us-east-1",peer="eu-west-1"}"#)
        };
        let known = metrics.lines().find(lag).is_some_and(|line| !line.ends_with("NaN"));
        let synced = metrics.contains("meridian_sync_seconds_bucket");
        (known && synced && wanted.iter().all(|line| metrics.contains(line))).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_with_a_name_and_the_server_lives() {
    let mut server = Server::start("").await;
    let client = &mut server.clients[0];
    let status = client.put_item(put("k")).await.unwrap_err();
    let detail = proto::detail::decode(status.details()).unwrap();
    assert_eq!((status.code(), detail.name.as_str()), (Code::NotFound, "ResourceNotFoundException"));
    let join = |cluster: &str, region_name: &str, address: &str| JoinNodeRequest {
        region_name: region_name.to_owned(),
        cluster: cluster.to_owned(),
        token: 7,
        address: address.to_owned(),
    };
    for (request, field) in [
        (join("other", "us-east-1", "h:1"), "Cluster"),
        (join("meridian", "eu-west-1", "h:1"), "RegionName"),
        (join("meridian", "us-east-1", "nowhere"), "Address"),
        (join("meridian", "us-east-1", ""), "Address"),
        (JoinNodeRequest { token: 0, ..join("meridian", "us-east-1", "h:1") }, "Token"),
    ] {
        let status = client.join_node(request).await.unwrap_err();
        let detail = proto::detail::decode(status.details()).unwrap();
        assert_eq!((status.code(), detail.field.as_str()), (Code::InvalidArgument, field));
    }
    let payload = vec![0; limits::PING_BYTES_MAX + 1];
    let status = client.ping(PingRequest { payload }).await.unwrap_err();
    let detail = proto::detail::decode(status.details()).unwrap();
    assert_eq!((status.code(), detail.field.as_str()), (Code::InvalidArgument, "Payload"));
    let mut item = item("k");
    item.insert("v".to_owned(), AttributeValue { value: Some(Value::B(vec![0; limits::MESSAGE_BYTES_MAX])) });
    let large = PutItemRequest { table_name: "movies".to_owned(), item, ..PutItemRequest::default() };
    let status = client.clone().put_item(large).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    let answer = client.ping(PingRequest { payload: b"hello".to_vec() }).await.unwrap().into_inner();
    assert_eq!((&answer.payload[..], answer.region_name.as_str()), (&b"hello"[..], "us-east-1"));
    for address in &server.metrics {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(http(address, "/health/ready").await.starts_with("HTTP/1.1 200"));
    }
    server.stop().await;
}
