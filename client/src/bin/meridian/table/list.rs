//! `meridian table list`.

use client::Client;
use proto::v1::ListTablesRequest;
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// Lists all tables, page by page.
pub(super) async fn run(client: &Client, output: &Output) -> Result<(), Failure> {
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let request = ListTablesRequest { exclusive_start_table_name: after, limit: None };
        let page = client.list_tables(request).await?;
        names.extend(page.table_names);
        after = page.last_evaluated_table_name;
        if after.is_none() {
            break;
        }
    }
    if output.is_json() {
        return output.value(&json!({"TableNames": names}));
    }
    output.table(vec!["TableName".into()], names.into_iter().map(|name| vec![name]).collect())
}
