//! Calls that go straight to leaders: fake nodes of one region, each with what it was sent.

use std::future::Future;
use std::time::Duration;

use client::{Client, Settings};
use proto::convert::item_into;
use proto::v1::{
    AttributeDefinition, DescribeRoutesResponse, GetItemRequest, NodeMember, PartitionRoute, QueryRequest,
    ScalarAttributeType,
};
use types::{HashRange, KeyHash, key_hash};

use crate::command_line::{meridian_at, put, region_with_movies};
use crate::fake_region::session::Ending;
use crate::fake_region::{FakeRegion, down, throttled};

/// Where the second of two partitions begins.
const MIDDLE: u64 = 1 << 63;

fn address(endpoint: &str) -> String {
    endpoint.trim_start_matches("http://").to_owned()
}

/// What the node of this number says: who leads which half, and where nodes are.
fn routes(node: u64, leaders: [u64; 2], endpoints: &[&str]) -> DescribeRoutesResponse {
    let part = |first_hash, node| PartitionRoute { first_hash, node, leads: true };
    let member =
        |(at, endpoint): (usize, &&str)| NodeMember { node: at as u64 + 1, address: address(endpoint) };
    DescribeRoutesResponse {
        table_id: "1".to_owned(),
        region_name: "us-east-1".to_owned(),
        node,
        partition_key: Some(AttributeDefinition {
            attribute_name: "id".to_owned(),
            attribute_type: ScalarAttributeType::S.into(),
        }),
        partitions: vec![part(0, leaders[0]), part(MIDDLE, leaders[1])],
        nodes: endpoints.iter().enumerate().map(member).collect(),
    }
}

/// Three nodes; the second leads the lower half of the table, the third the upper one.
async fn nodes() -> [FakeRegion; 3] {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(region_with_movies("us-east-1").await);
    }
    let nodes: [FakeRegion; 3] = nodes.try_into().ok().unwrap();
    led_by(&nodes, [2, 3]);
    nodes
}

fn led_by(nodes: &[FakeRegion], leaders: [u64; 2]) {
    let endpoints: Vec<_> = nodes.iter().map(|node| node.endpoint.as_str()).collect();
    for (at, node) in nodes.iter().enumerate() {
        node.state().routes = Some(routes(at as u64 + 1, leaders, &endpoints));
    }
}

/// Names of items in a half of the hashes.
fn names(half: HashRange) -> impl Iterator<Item = String> {
    let hash = |name: &String| key_hash(&[name.as_bytes(), &[0, 1]].concat());
    (0..).map(|number: u32| number.to_string()).filter(move |name| half.contains(hash(name)))
}

fn lower() -> impl Iterator<Item = String> {
    names(HashRange { first: KeyHash(0), last: KeyHash(MIDDLE - 1) })
}

fn upper() -> impl Iterator<Item = String> {
    names(HashRange { first: KeyHash(MIDDLE), last: KeyHash(u64::MAX) })
}

fn get(id: &str) -> GetItemRequest {
    let key = put("movies", id).item.into_iter().filter(|(name, _)| name == "id").collect();
    GetItemRequest { table_name: "movies".to_owned(), key, ..Default::default() }
}

/// Does something again and again, until it comes to what is wanted.
async fn until<A: Future<Output = bool>>(mut act: impl FnMut() -> A) {
    let comes = async {
        while !act().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), comes).await.expect("within 20 s");
}

/// Calls until items of both halves go straight to whoever leads them.
async fn learn(client: &Client, [lower_leader, upper_leader]: [&FakeRegion; 2]) {
    for (name, leader) in [(lower().next(), lower_leader), (upper().next(), upper_leader)] {
        let name = name.unwrap();
        until(async || {
            let before = leader.state().gets;
            client.get_item(get(&name)).await.unwrap();
            leader.state().gets > before
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_to_whoever_leads_their_item() {
    for unary in [false, true] {
        let nodes = nodes().await;
        let settings = Settings { unary, ..Settings::default() };
        let client = Client::new(&[&nodes[0].endpoint], settings).unwrap();
        learn(&client, [&nodes[1], &nodes[2]]).await;
        let before = [0, 1, 2].map(|at: usize| nodes[at].state().writes);
        for name in lower().take(20).chain(upper().take(10)) {
            client.put_item(put("movies", &name)).await.unwrap();
        }
        let after = [0, 1, 2].map(|at: usize| nodes[at].state().writes - before[at]);
        assert_eq!(after, [0, 20, 10]);
        let asked = nodes[0].state().gets;
        let query = QueryRequest {
            table_name: "movies".to_owned(),
            key_condition_expression: Some("id = :id".to_owned()),
            expression_attribute_values: item_into(
                [(":id".to_owned(), item::AttributeValue::S(lower().next().unwrap()))].into_iter().collect(),
            ),
            ..Default::default()
        };
        assert!(client.query(query).await.unwrap().count > 0, "only leaders were written to");
        assert_eq!(nodes[0].state().gets, asked);
        assert_eq!(nodes[0].state().routes_asked, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_so_gets_everything_through_its_endpoint() {
    let nodes = nodes().await;
    let settings = Settings { direct: false, ..Settings::default() };
    let client = Client::new(&[&nodes[0].endpoint], settings).unwrap();
    for name in lower().take(30) {
        client.put_item(put("movies", &name)).await.unwrap();
    }
    let counts = nodes.each_ref().map(|node| {
        let state = node.state();
        (state.writes, state.routes_asked)
    });
    assert_eq!(counts, [(30, 0), (0, 0), (0, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_of_one_node_and_an_older_one_are_asked_once() {
    let region = region_with_movies("us-east-1").await;
    let alone = routes(1, [1, 1], &[&region.endpoint]);
    for answer in [Some(alone), None] {
        region.state().routes = answer;
        region.state().routes_asked = 0;
        let client = Client::connect(&region.endpoint).unwrap();
        until(async || {
            client.get_item(get("1")).await.unwrap();
            region.state().routes_asked == 1
        })
        .await;
        for name in lower().take(100) {
            client.put_item(put("movies", &name)).await.unwrap();
        }
        assert_eq!(region.state().routes_asked, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_dies_is_passed_by_and_nothing_fails() {
    let [first, second, third] = nodes().await;
    let client = Client::connect(&first.endpoint).unwrap();
    learn(&client, [&second, &third]).await;
    let before = first.state().gets;
    drop(second);
    for name in lower().take(50) {
        client.get_item(get(&name)).await.unwrap();
        client.put_item(put("movies", &name)).await.unwrap();
    }
    assert_eq!(first.state().gets - before, 50);
    // Somebody else leads in its stead.
    let endpoints = [first.endpoint.as_str(), &down(), &third.endpoint].map(str::to_owned);
    let endpoints = endpoints.each_ref().map(String::as_str);
    first.state().routes = Some(routes(1, [3, 3], &endpoints));
    learn(&client, [&third, &third]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_in_doubt_at_a_leader_is_repeated_in_its_region_under_its_request_id() {
    let [first, second, third] = nodes().await;
    let other = region_with_movies("eu-west-1").await;
    let client = Client::new(&[&first.endpoint, &other.endpoint], Settings::default()).unwrap();
    learn(&client, [&second, &third]).await;
    second.state().session_ends = Some(Ending::Broken);
    client.put_item(put("movies", &lower().next().unwrap())).await.unwrap();
    assert_eq!((first.state().writes, second.state().writes, other.state().writes), (1, 0, 0));
    let harmful = Settings { request_ids: false, ..Settings::default() };
    let client = Client::new(&[&first.endpoint], harmful).unwrap();
    learn(&client, [&second, &third]).await;
    second.state().session_ends = Some(Ending::Broken);
    let error = client.put_item(put("movies", &lower().next().unwrap())).await.unwrap_err();
    assert!(matches!(error, client::Error::OutcomeUnknown { .. }), "{error:?}");
    assert_eq!((first.state().writes, second.state().writes), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_has_too_much_to_do_is_asked_again_and_not_by_way_of_another() {
    let nodes = nodes().await;
    let client = Client::connect(&nodes[0].endpoint).unwrap();
    learn(&client, [&nodes[1], &nodes[2]]).await;
    nodes[1].state().failures.extend([throttled(), throttled()]);
    client.put_item(put("movies", &lower().next().unwrap())).await.unwrap();
    assert_eq!((nodes[0].state().writes, nodes[1].state().writes), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_node_shows_the_way() {
    let nodes = nodes().await;
    let client = Client::connect(&nodes[0].endpoint).unwrap();
    learn(&client, [&nodes[1], &nodes[2]]).await;
    led_by(&nodes, [3, 3]);
    nodes[1].state().answered_by = 3;
    let name = lower().next().unwrap();
    client.put_item(put("movies", &name)).await.unwrap();
    client.put_item(put("movies", &name)).await.unwrap();
    assert_eq!((nodes[1].state().writes, nodes[2].state().writes), (1, 1));
    // A word that nobody can follow leads back to the endpoint, until somebody knows better.
    nodes[2].state().answered_by = 9;
    client.put_item(put("movies", &name)).await.unwrap();
    client.put_item(put("movies", &name)).await.unwrap();
    assert_eq!((nodes[0].state().writes, nodes[2].state().writes), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_somebody_elses_is_not_gone_to() {
    let [first, second, third] = nodes().await;
    // Another node, another table of that name, another region, and nobody.
    let mut others = vec![routes(3, [2, 2], &[]), routes(2, [2, 2], &[]), routes(2, [2, 2], &[])];
    others[1].table_id = "2".to_owned();
    others[2].region_name = "eu-west-1".to_owned();
    for answer in others.into_iter().map(Some).chain([None]) {
        second.state().routes = answer;
        second.state().routes_asked = 0;
        let client = Client::connect(&first.endpoint).unwrap();
        until(async || {
            client.get_item(get(&lower().next().unwrap())).await.unwrap();
            second.state().routes_asked == 1
        })
        .await;
        learn(&client, [&first, &third]).await;
        assert_eq!(second.state().gets, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_regions_stay_apart() {
    let here = nodes().await;
    let there = nodes().await;
    let client = Client::new(&[&here[0].endpoint, &there[0].endpoint], Settings::default()).unwrap();
    learn(&client, [&here[1], &here[2]]).await;
    for node in &there {
        let state = node.state();
        assert_eq!((state.gets, state.routes_asked), (0, 0));
    }
    let [first, second, third] = here;
    drop((first, second, third));
    learn(&client, [&there[1], &there[2]]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_leads_is_called_as_the_endpoint_that_it_is() {
    let nodes = nodes().await;
    let settings = Settings { one_region: true, ..Settings::default() };
    let endpoints = nodes.each_ref().map(|node| node.endpoint.as_str());
    let client = Client::new(&endpoints, settings).unwrap();
    learn(&client, [&nodes[1], &nodes[2]]).await;
    let asked = nodes.each_ref().map(|node| node.state().routes_asked);
    assert_eq!(asked, [1, 0, 0], "an endpoint of the region need prove nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_benchmark_goes_straight_unless_it_is_told_to_go_through() {
    let nodes = nodes().await;
    for (through, goes_straight) in [(&["--through"][..], false), (&[], true)] {
        let before = nodes[1].state().writes;
        let put = ["bench", "put", "--seconds", "1", "--warm-up", "0", "--keys", "60", "--table", "movies"];
        let ran = meridian_at(&[&nodes[0].endpoint], &[&put[..], through].concat()).await;
        assert_eq!(ran.status, 0, "{}", ran.complaints);
        assert_eq!(nodes[1].state().writes > before, goes_straight);
        assert_eq!(ran.json()["settings"]["through"], !goes_straight);
    }
}
