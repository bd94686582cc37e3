//! Who leads what, as each node of a region tells it, and clients that go straight there.

use std::collections::BTreeSet;

use client::{Client, Settings};
use proto::v1::{DescribeRoutesRequest, DescribeRoutesResponse, GetItemRequest};

use super::tests::{Server, get, http, put, until};

/// What a node says once it has heard of every partition's leader.
async fn routes(server: &Server, at: usize) -> DescribeRoutesResponse {
    let request = DescribeRoutesRequest { table_name: "movies".to_owned() };
    until(async || {
        let mut client = server.clients[at].clone();
        let routes = client.describe_routes(request.clone()).await.ok()?.into_inner();
        routes.partitions.iter().all(|part| part.leads).then_some(routes)
    })
    .await
}

/// How many calls all nodes have passed on so far.
async fn passed_on(server: &Server) -> u64 {
    let mut sum = 0;
    for address in &server.metrics {
        let metrics = http(address, "/metrics").await;
        let line = metrics.lines().find(|line| line.starts_with("meridian_calls_passed_on_total{")).unwrap();
        sum += line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    }
    sum
}

async fn put_and_get(client: &Client, keys: &[String]) {
    for key in keys {
        client.put_item(put(key)).await.unwrap();
        let request = GetItemRequest { consistent_read: true, ..get(key) };
        assert!(client.get_item(request).await.unwrap().item.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_names_the_leaders_and_where_they_are() {
    let mut server = Server::start_nodes().await;
    server.create_table_in(&["us-east-1"], 8).await;
    let first = routes(&server, 0).await;
    let firsts: Vec<_> = first.partitions.iter().map(|part| part.first_hash).collect();
    assert_eq!(firsts, (0..8).map(|at| at << 61).collect::<Vec<u64>>());
    let leaders: BTreeSet<_> = first.partitions.iter().map(|part| part.node).collect();
    assert_eq!(leaders, BTreeSet::from([1, 2, 3]), "each has its share");
    for at in 0..3 {
        let said = routes(&server, at).await;
        assert_eq!(said.region_name, "us-east-1");
        let mine = said.nodes.iter().find(|node| node.node == said.node).unwrap();
        assert_eq!(mine.address, server.addresses[at]);
        assert_eq!((said.partitions, said.nodes), (first.partitions.clone(), first.nodes.clone()));
        assert_eq!(
            (said.table_id, said.partition_key),
            (first.table_id.clone(), first.partition_key.clone())
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_of_one_node_says_so() {
    let mut server = Server::start("").await;
    server.create_table().await;
    let said = routes(&server, 1).await;
    assert_eq!((said.region_name.as_str(), said.node, said.nodes.len()), ("eu-west-1", 1, 1));
    assert_eq!((said.partitions.len(), said.partitions[0].node), (1, 1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_one_endpoint_comes_to_be_passed_on_no_more() {
    let mut server = Server::start_nodes().await;
    server.create_table_in(&["us-east-1"], 8).await;
    let keys: Vec<_> = (0..24).map(|at| format!("k{at}")).collect();
    let endpoint = format!("http://{}", server.addresses[0]);
    for unary in [false, true] {
        let through = Settings { direct: false, unary, ..Settings::default() };
        let before = passed_on(&server).await;
        put_and_get(&Client::new(&[&endpoint], through).unwrap(), &keys).await;
        assert!(passed_on(&server).await > before, "some are led elsewhere");
        let client = Client::new(&[&endpoint], Settings { unary, ..Settings::default() }).unwrap();
        until(async || {
            let before = passed_on(&server).await;
            put_and_get(&client, &keys).await;
            (passed_on(&server).await == before).then_some(())
        })
        .await;
    }
    server.stop().await;
}
