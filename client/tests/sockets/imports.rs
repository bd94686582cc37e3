//! Imports of files as messy as they come.

use std::fmt::Write;

use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::command_line::{Ran, meridian, region_with_movies};
use crate::fake_region::{FakeRegion, throttled, unknown};

async fn import(region: &FakeRegion, name: &str, content: &[u8], arguments: &[&str]) -> Ran {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let line = [&["item", "import", "movies", path.to_str().unwrap()][..], arguments].concat();
    meridian(region, &line).await
}

#[track_caller]
fn came_to(ran: &Ran, imported: u64, refused: u64) {
    let summary = ran.json();
    let counts = (summary["Imported"].as_u64(), summary["Refused"].as_u64());
    assert_eq!(counts, (Some(imported), Some(refused)), "{}", ran.complaints);
    assert_eq!(ran.status, i32::from(refused > 0));
    assert_eq!(ran.complaints.lines().filter(|line| line.contains(" refused: ")).count() as u64, refused);
}

async fn movies() -> FakeRegion {
    let region = FakeRegion::start("us-east-1").await;
    let ran = meridian(&region, &["table", "create", "movies", "--key", "Title:S,row:N"]).await;
    assert_eq!(ran.status, 0, "{}", ran.complaints);
    region
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_refused_by_number_and_the_rest_goes_on() {
    let region = movies().await;
    let mut file = String::from("[");
    for row in 1..=500 {
        let title = match row {
            7 => "300".to_owned(),
            100 => "null".to_owned(),
            200 => "\"\"".to_owned(),
            _ => format!("\"The \\\"{}\\\", [again]\"", row % 90),
        };
        let comma = if row == 1 { "" } else { ",\n" };
        write!(file, "{comma}{{\"Title\": {title}, \"Gross\": 12345678901234567890.125, \"Rating\": null}}")
            .unwrap();
    }
    file.push(']');
    let ran = import(&region, "movies.json", file.as_bytes(), &["--row-number", "row"]).await;
    came_to(&ran, 497, 3);
    for (number, word) in [(7, "Title"), (100, "Title"), (200, "Title")] {
        let line = ran.complaints.lines().find(|line| line.starts_with(&format!("row {number} refused: ")));
        assert!(line.is_some_and(|line| line.contains(word)), "{}", ran.complaints);
    }
    let key = r#"{"Title": "The \"11\", [again]", "row": 11}"#;
    let got = meridian(&region, &["item", "get", "movies", key, "--plain"]).await;
    assert!(got.out.contains("12345678901234567890.125"), "{}", got.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_server_refuses_is_found_in_its_batch() {
    let region = region_with_movies("us-east-1").await;
    let row = |number: usize| match number {
        13 | 77 => json!({"id": number.to_string(), "poison": true}),
        _ => json!({"id": number.to_string()}),
    };
    let file: String = (1..=100).map(|number| format!("{}\n", row(number))).collect();
    let ran = import(&region, "rows.jsonl", file.as_bytes(), &[]).await;
    came_to(&ran, 98, 2);
    for row in ["row 13 refused: ", "row 77 refused: "] {
        assert!(ran.complaints.contains(row), "{}", ran.complaints);
    }
    assert!(ran.complaints.contains("ValidationException"), "{}", ran.complaints);
    assert_eq!(region.state().tables["movies"].items.len(), 98);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_row_of_a_key_stays() {
    let region = region_with_movies("us-east-1").await;
    let row = |number: usize| format!("{{\"id\": \"{}\", \"number\": {number}}}\n", number % 5);
    let file: String = (0..200).map(row).collect();
    came_to(&import(&region, "rows.jsonl", file.as_bytes(), &[]).await, 200, 0);
    let scan = meridian(&region, &["item", "scan", "movies", "--plain"]).await.json();
    let mut numbers: Vec<u64> =
        scan["Items"].as_array().unwrap().iter().filter_map(|item| item["number"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [195, 196, 197, 198, 199]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_pass_cost_no_row() {
    let region = region_with_movies("us-east-1").await;
    region.state().fails_late = true;
    region.state().unprocessed = 9;
    let broken = Status::new(Code::Unavailable, "a proxy lost its server");
    region.state().failures.extend([unknown(), throttled(), broken, unknown()]);
    let file: String = (1..=300).map(|number| format!("{{\"id\": \"{number}\"}}\n")).collect();
    came_to(&import(&region, "rows.jsonl", file.as_bytes(), &["--in-flight", "4"]).await, 300, 0);
    assert_eq!(region.state().tables["movies"].items.len(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_and_dynamodb_json_are_read_as_well() {
    let region = region_with_movies("us-east-1").await;
    let csv = "\u{feff}id,name,price\r\n1,\"Bits, \"\"pieces\"\"\",1.10\r\n2,short\r\n,x,1\r\n3,,x\r\n";
    let ran = import(&region, "rows.csv", csv.as_bytes(), &["--numbers", "price"]).await;
    came_to(&ran, 1, 3);
    let got = meridian(&region, &["item", "get", "movies", r#"{"id": {"S": "1"}}"#]).await.json();
    let expected = json!({"id": {"S": "1"}, "name": {"S": "Bits, \"pieces\""}, "price": {"N": "1.1"}});
    assert_eq!(got["Item"], expected);

    let typed = r#"[{"id": {"S": "9"}, "tags": {"SS": ["a", "b"]}}, {"id": "plain"}, nonsense]"#;
    came_to(&import(&region, "typed.json", typed.as_bytes(), &["--dynamodb-json"]).await, 1, 2);
    let header = import(&region, "bad.csv", b"id,id\n1,2\n", &[]).await;
    assert_eq!(header.status, 2, "{}", header.complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported() {
    let region = region_with_movies("us-east-1").await;
    let rows =
        r#"{"id": {"S": "1"}, "set": {"NS": ["1", "2.5"]}, "bytes": {"B": "AAE="}, "deep": {"M": {}}}"#;
    came_to(&import(&region, "rows.jsonl", rows.as_bytes(), &["--dynamodb-json"]).await, 1, 0);
    let export = meridian(&region, &["item", "export", "movies"]).await;
    region.state().tables.get_mut("movies").unwrap().items.clear();
    came_to(&import(&region, "again.jsonl", export.out.as_bytes(), &["--dynamodb-json"]).await, 1, 0);
    let again = meridian(&region, &["item", "export", "movies"]).await;
    assert_eq!(again.out, export.out);
    assert_eq!(
        serde_json::from_str::<Value>(&again.out).unwrap(),
        serde_json::from_str::<Value>(rows).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_there_ends_the_import_at_once() {
    let region = FakeRegion::start("us-east-1").await;
    let ran = import(&region, "rows.jsonl", b"{}\n", &[]).await;
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.complaints.contains("ResourceNotFoundException"), "{}", ran.complaints);
}
