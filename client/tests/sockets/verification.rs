//! `table verify`: regions that are equal, become equal, and differ.

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
