//! The commands on tables, items and regions: what they print, and how they end.

use proto::v1::JoinNodeRequest;
use serde_json::json;

use crate::command_line::{meridian, meridian_at, put, region_with_movies};
use crate::fake_region::FakeRegion;

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_created_described_listed_and_deleted() {
    let region = FakeRegion::start("us-east-1").await;
    let create = ["table", "create", "movies", "--key", "Title:S,row:N", "--regions", "us-east-1,eu-west-1"];
    let ran = meridian(&region, &create).await;
    assert_eq!(ran.status, 0, "{}", ran.complaints);
    let table = &ran.json()["TableDescription"];
    assert_eq!(table["TableStatus"], "ACTIVE");
    assert_eq!(table["KeySchema"][1], json!({"AttributeName": "row", "KeyType": "RANGE"}));
    assert_eq!(table["Replicas"], json!([{"RegionName": "us-east-1"}, {"RegionName": "eu-west-1"}]));

    let again = meridian(&region, &create).await;
    assert_eq!(again.status, 1);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&again.complaints).unwrap()["__type"],
        "ResourceInUseException"
    );

    let no_wait = meridian(&region, &["table", "create", "other", "--key", "k:S", "--no-wait"]).await;
    assert_eq!(no_wait.json()["TableDescription"]["TableStatus"], "CREATING");
    let list = meridian(&region, &["table", "list"]).await;
    assert_eq!(list.json(), json!({"TableNames": ["movies", "other"]}));
    assert_eq!(meridian(&region, &["table", "describe", "movies"]).await.json()["Table"]["Partitions"], 1);
    assert_eq!(meridian(&region, &["table", "delete", "movies"]).await.status, 0);
    let gone = meridian(&region, &["table", "describe", "movies"]).await;
    assert_eq!(gone.status, 1);
    assert!(gone.complaints.contains("ResourceNotFoundException"), "{}", gone.complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_put_got_updated_and_deleted() {
    let region = region_with_movies("us-east-1").await;
    let item = r#"{"id": {"S": "1"}, "price": {"N": "1.50"}}"#;
    assert_eq!(meridian(&region, &["item", "put", "movies", item]).await.json(), json!({}));
    let get = ["item", "get", "movies", r#"{"id": {"S": "1"}}"#, "--consistent"];
    let got = meridian(&region, &get).await;
    assert_eq!(got.json(), json!({"Item": {"id": {"S": "1"}, "price": {"N": "1.5"}}}));
    let plain = meridian(&region, &["item", "get", "movies", r#"{"id": "1"}"#, "--plain"]).await;
    assert_eq!(plain.out, "{\"Item\":{\"id\":\"1\",\"price\":1.5}}\n");
    let update = ["item", "update", "movies", r#"{"id": "1"}"#, "--plain", "--update", "SET a = :a"];
    let ran = meridian(&region, &[&update[..], &["--values", r#"{":a": 1}"#]].concat()).await;
    assert_eq!(ran.json(), json!({"Attributes": {"id": "1"}}));
    let delete = ["item", "delete", "movies", r#"{"id": {"S": "1"}}"#, "--return-values", "ALL_OLD"];
    assert_eq!(meridian(&region, &delete).await.json(), json!({"Attributes": {"id": {"S": "1"}}}));
    assert_eq!(meridian(&region, &get).await.json(), json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_and_exports_go_through_all_pages_and_segments() {
    let region = region_with_movies("us-east-1").await;
    for number in 0..30 {
        region.state().put("movies", put("movies", &number.to_string()).item).unwrap();
    }
    for arguments in [vec![], vec!["--segments", "4"]] {
        let scan = [&["item", "scan", "movies"][..], &arguments].concat();
        let response = meridian(&region, &scan).await.json();
        assert_eq!((response["Count"].as_u64(), response["Items"].as_array().unwrap().len()), (Some(30), 30));
        let count = meridian(&region, &[&scan[..], &["--count"]].concat()).await;
        assert_eq!(count.out, "{\"Count\":30}\n");
    }
    let one = meridian(&region, &["item", "scan", "movies", "--limit", "3"]).await.json();
    assert_eq!(one["Count"], 3);
    let next = one["LastEvaluatedKey"].to_string();
    let two =
        meridian(&region, &["item", "scan", "movies", "--limit", "3", "--start-key", &next]).await.json();
    assert_ne!(one["Items"], two["Items"]);
    let values = ["--values", r#"{":id": {"S": "1"}}"#];
    let query = [&["item", "query", "movies", "--key-condition", "id = :id"][..], &values].concat();
    assert_eq!(meridian(&region, &query).await.json()["ScannedCount"], 30);

    let export = meridian(&region, &["item", "export", "movies", "--plain", "--segments", "3"]).await;
    let lines: Vec<serde_json::Value> = export.out.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(lines.len(), 30);
    assert_eq!(lines[0]["colour"], "red");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_scan_or_export_prints_nothing_and_leaves_files_alone() {
    let region = FakeRegion::start("us-east-1").await;
    let scan = meridian(&region, &["item", "scan", "nothing"]).await;
    assert_eq!((scan.status, scan.out.as_str()), (1, ""));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "kept").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(meridian(&region, &["item", "export", "nothing", path]).await.status, 1);
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_paused_only_by_the_region_that_sends() {
    let region = FakeRegion::start("us-east-1").await;
    let paused = meridian(&region, &["region", "pause", "us-east-1", "eu-west-1"]).await.json();
    assert_eq!(paused["Peers"][0]["RegionName"], "eu-west-1");
    assert_eq!(paused["Peers"][0]["Paused"], true);
    let other = meridian(&region, &["region", "pause", "eu-west-1", "us-east-1"]).await;
    assert_eq!(other.status, 2);
    assert!(other.complaints.contains("is region us-east-1, not eu-west-1"), "{}", other.complaints);
    assert_eq!(region.state().paused, ["eu-west-1"]);
    let resumed = meridian(&region, &["region", "resume", "us-east-1", "eu-west-1"]).await.json();
    assert_eq!(resumed["Peers"], json!([]));
    assert_eq!(meridian(&region, &["region", "status"]).await.json()["RegionName"], "us-east-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_listed_drained_resumed_and_removed() {
    let region = FakeRegion::start("us-east-1").await;
    let client = client::Client::connect(&region.endpoint).unwrap();
    for (address, number) in [("one:1", 1), ("two:2", 2), ("one:1", 1)] {
        let request = JoinNodeRequest { token: 7, address: address.to_owned(), ..Default::default() };
        assert_eq!(client.join_node(request).await.unwrap().node, number);
    }
    let listed = meridian(&region, &["node", "list"]).await.json();
    let first = json!({"Node": 1, "Address": "one:1", "State": "ACTIVE", "Lives": true, "Replicas": 1,
        "First": 0, "Moving": 0});
    assert_eq!(listed["Nodes"][0], first);
    for (verb, state) in [("drain", "DRAINING"), ("resume", "ACTIVE"), ("remove", "REMOVED")] {
        let nodes = meridian(&region, &["node", verb, "2"]).await.json();
        assert_eq!(
            (&nodes["Nodes"][0]["State"], &nodes["Nodes"][1]["State"]),
            (&json!("ACTIVE"), &json!(state))
        );
    }
    let unknown = meridian(&region, &["node", "drain", "3"]).await;
    assert_eq!(unknown.status, 1);
    assert!(unknown.complaints.contains("ResourceNotFoundException"), "{}", unknown.complaints);
    let several = meridian_at(&[&region.endpoint, &region.endpoint], &["node", "list"]).await;
    assert_eq!(several.status, 2, "{}", several.complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_listed_moved_and_split() {
    let region = region_with_movies("us-east-1").await;
    region.state().join(JoinNodeRequest { address: "one:1".to_owned(), ..Default::default() });
    let listed = meridian(&region, &["partition", "list", "movies"]).await.json();
    let expected = json!({"Partition": 16, "FirstHash": "0000000000000000", "LastHash": "ffffffffffffffff",
        "Seats": [{"Node": 1, "State": "SETTLED"}], "Leader": null, "Splitting": false,
        "OperationsPerSecond": null, "OneKey": false});
    assert_eq!(listed, json!({"Partitions": [expected]}));
    let line = ["partition", "move", "movies", "--partition", "16", "--from", "1", "--to", "2"];
    assert_eq!(meridian(&region, &line).await.json(), listed);
    assert_eq!(region.state().moves, [(16, 1, 2)]);
    let line = ["partition", "split", "movies", "--partition", "16", "--at", "8000000000000001"];
    assert_eq!(meridian(&region, &line).await.json(), listed);
    assert_eq!(meridian(&region, &line[..5]).await.json(), listed);
    assert_eq!(region.state().splits, [(16, Some((1 << 63) + 1)), (16, None)]);
    let refused =
        meridian(&region, &["partition", "split", "movies", "--partition", "16", "--at", "x"]).await;
    assert_eq!(refused.status, 2);
    assert_eq!(meridian(&region, &["partition", "list", "none"]).await.status, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_ends_with_2() {
    let region = region_with_movies("us-east-1").await;
    for arguments in [
        vec!["item", "put", "movies", "{"],
        vec!["item", "put", "movies", r#"{"id": "1"}"#],
        vec!["item", "get", "movies", "[]", "--plain"],
        vec!["item", "get", "movies"],
        vec!["table", "verify", "movies"],
        vec!["no-such-command"],
    ] {
        assert_eq!(meridian(&region, &arguments).await.status, 2, "{arguments:?}");
    }
    let ran = meridian_at(&["no endpoint"], &["table", "list"]).await;
    assert_eq!(ran.status, 2, "{}", ran.complaints);
    assert_eq!(meridian(&region, &["item", "import", "movies", "/no/such/file"]).await.status, 1);
}

#[tokio::test]
async fn an_endpoint_under_tls_wants_an_authority_to_be_trusted_by() {
    let endpoint = ["https://127.0.0.1:9"];
    let none = meridian_at(&endpoint, &["table", "list"]).await;
    assert_eq!(none.status, 2);
    assert!(none.complaints.contains("https://127.0.0.1:9 needs --authority FILE"), "{}", none.complaints);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let file = path.to_str().unwrap();
    let missing = meridian_at(&endpoint, &["table", "list", "--authority", file]).await;
    assert_eq!(missing.status, 1);
    assert!(missing.complaints.contains(file), "{}", missing.complaints);
    std::fs::write(&path, "no certificate").unwrap();
    let bad = meridian_at(&endpoint, &["--authority", file, "table", "list"]).await;
    assert_eq!(bad.status, 2);
    assert!(bad.complaints.contains("ca.pem: no authority"), "{}", bad.complaints);
}
