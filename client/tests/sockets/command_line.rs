//! Runs the command line as a user would.

use std::process::Stdio;

use proto::convert::item_into;
use proto::v1::PutItemRequest;
use serde_json::Value;
use tokio::process::Command;

use crate::fake_region::FakeRegion;

/// What a command printed, and how it ended.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub complaints: String,
}

impl Ran {
    /// Its output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {:?} {:?}", self.out, self.complaints))
    }
}

/// Runs `meridian` with these arguments against a region.
pub async fn meridian(region: &FakeRegion, arguments: &[&str]) -> Ran {
    meridian_at(&[&region.endpoint], arguments).await
}

/// Runs `meridian` with these arguments and endpoints.
pub async fn meridian_at(endpoints: &[&str], arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    command.args(endpoints.iter().flat_map(|endpoint| ["--endpoint", endpoint])).args(arguments);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    Ran {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        complaints: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A put of `{"id": id}` with another attribute.
pub fn put(table: &str, id: &str) -> PutItemRequest {
    let text = |text: &str| item::AttributeValue::S(text.to_owned());
    let item = [("id".to_owned(), text(id)), ("colour".to_owned(), text("red"))].into_iter().collect();
    PutItemRequest { table_name: table.to_owned(), item: item_into(item), ..Default::default() }
}

/// A region with a table `movies` keyed `id:S`.
pub async fn region_with_movies(name: &str) -> FakeRegion {
    let region = FakeRegion::start(name).await;
    let ran = meridian(&region, &["table", "create", "movies", "--key", "id:S"]).await;
    assert_eq!(ran.status, 0, "{}", ran.complaints);
    region
}
