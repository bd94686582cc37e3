//! `table verify`: regions that are equal, become equal, and differ.

use item::AttributeValue;
use proto::convert::item_into;
use serde_json::json;

use crate::command_line::{Ran, meridian_at, put, region_with_movies};
use crate::fake_region::FakeRegion;

async fn verify(regions: &[&FakeRegion], wait: &str) -> Ran {
    let endpoints: Vec<&str> = regions.iter().map(|region| region.endpoint.as_str()).collect();
    meridian_at(&endpoints, &["table", "verify", "movies", "--wait", wait]).await
}

fn fill(region: &FakeRegion, items: usize) {
    for number in 0..items {
        region.state().put("movies", put("movies", &number.to_string()).item).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_regions_are_equal() {
    let (one, two) = (region_with_movies("us-east-1").await, region_with_movies("eu-west-1").await);
    fill(&one, 100);
    fill(&two, 100);
    let ran = verify(&[&one, &two], "0").await;
    let report = ran.json();
    assert_eq!((ran.status, &report["Equal"], &report["Differences"]), (0, &json!(true), &json!([])));
    assert_eq!(report["Regions"][1]["Count"], 100);
    assert_eq!(report["Regions"][1]["Positions"], json!([{"Partition": 16, "AppliedIndex": 5}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn differing_keys_are_named_with_what_each_region_has() {
    let (one, two) = (region_with_movies("us-east-1").await, region_with_movies("eu-west-1").await);
    fill(&one, 1500);
    fill(&two, 1500);
    two.state().put("movies", put("movies", "77").item).unwrap();
    let key = put("movies", "1000").item;
    two.state().delete("movies", &key).unwrap();
    let ran = verify(&[&one, &two], "0").await;
    let report = ran.json();
    assert_eq!((ran.status, &report["Equal"]), (1, &json!(false)));
    let mut found: Vec<String> =
        report["Differences"].as_array().unwrap().iter().map(|one| one.to_string()).collect();
    found.sort();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains(r#"{"S":"1000"}"#) && found[0].contains("missing"), "{found:?}");
    assert!(found[1].contains(r#"{"S":"77"}"#) && found[1].contains("older"), "{found:?}");
}

/// Rows of one partition key: they share a hash, so that no part of the hash space is smaller.
async fn region_with_rows(name: &str, rows: impl Iterator<Item = usize>) -> FakeRegion {
    let region = FakeRegion::start(name).await;
    let ran = meridian_at(&[&region.endpoint], &["table", "create", "movies", "--key", "id:S,row:N"]).await;
    assert_eq!(ran.status, 0, "{}", ran.complaints);
    for row in rows {
        let mut item = put("movies", "all").item;
        item.extend(item_into([("row".to_owned(), AttributeValue::N((row as i64).into()))].into()));
        region.state().clock = row as u64;
        region.state().put("movies", item).unwrap();
    }
    region
}

#[tokio::test(flavor = "multi_thread")]
async fn all_differing_rows_of_one_partition_key_are_named() {
    let missing = |row: &usize| row.is_multiple_of(100) || (500..600).contains(row);
    let one = region_with_rows("us-east-1", 0..2000).await;
    let two = region_with_rows("eu-west-1", (0..2000).filter(|row| !missing(row))).await;
    let three = region_with_rows("ap-northeast-1", (0..2000).filter(|row| *row != 1999)).await;
    let ran = verify(&[&one, &two, &three], "0").await;
    let report = ran.json();
    assert_eq!((ran.status, &report["MoreDifferences"]), (1, &json!(false)));
    let found: Vec<_> = report["Differences"].as_array().unwrap().iter().collect();
    let row = |found: &&serde_json::Value| found["Key"]["row"]["N"].as_str().unwrap().parse().unwrap();
    let expected = (0..2000).filter(|row| missing(row) || *row == 1999);
    assert_eq!(found.iter().map(row).collect::<Vec<usize>>(), expected.collect::<Vec<_>>());
    let states = |found: &serde_json::Value| [0, 1, 2].map(|at| found["Versions"][at]["State"].to_string());
    assert_eq!(states(found[0]), [r#""newest""#, r#""missing""#, r#""newest""#]);
    assert_eq!(states(found[found.len() - 1]), [r#""newest""#, r#""newest""#, r#""missing""#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_keys_are_named_as_a_report_holds() {
    let one = region_with_rows("us-east-1", 0..1001).await;
    let two = region_with_rows("eu-west-1", 0..0).await;
    let report = verify(&[&one, &two], "0").await.json();
    assert_eq!(report["Differences"].as_array().unwrap().len(), 1000);
    assert_eq!(report["MoreDifferences"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_catches_up_in_time_is_equal() {
    let (one, two) = (region_with_movies("us-east-1").await, region_with_movies("eu-west-1").await);
    fill(&one, 50);
    fill(&two, 49);
    two.state().arriving = Some(put("movies", "49").item);
    let ran = verify(&[&one, &two], "20").await;
    assert_eq!(ran.status, 0, "{}", ran.out);
    assert_eq!(ran.json()["Regions"][1]["Count"], 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tables_of_the_same_name_are_not_compared() {
    let (one, two) = (region_with_movies("us-east-1").await, region_with_movies("eu-west-1").await);
    two.state().tables.get_mut("movies").unwrap().description.table_id = "other".to_owned();
    let ran = verify(&[&one, &two], "0").await;
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.complaints.contains("not the same table"), "{}", ran.complaints);
}
