//! `meridian table create`.

use std::time::Duration;

use client::Client;
use proto::v1::{CreateTableRequest, DescribeTableRequest, TableDescription, TableStatus};
use tokio::time::{Instant, sleep};

use crate::arguments::CreateTable;
use crate::failure::Failure;
use crate::output::Output;

/// How long creation may take: a region that is down holds it up, and the command says so.
const WAIT_SECONDS: u64 = 60;

/// Creates a table, and waits until it is ACTIVE unless told otherwise.
pub(super) async fn run(client: &Client, arguments: CreateTable, output: &Output) -> Result<(), Failure> {
    let request = CreateTableRequest {
        table_name: arguments.table.clone(),
        key_schema: arguments.key.schema(),
        attribute_definitions: arguments.key.definitions(),
        regions: arguments.regions,
        partitions: Some(arguments.partitions),
    };
    let table = match arguments.no_wait {
        true => client.create_table(request).await?,
        false => create(client, request).await?,
    };
    super::show("TableDescription", &table, output)
}

/// Creates a table, and waits until it is ACTIVE.
pub(crate) async fn create(
    client: &Client,
    request: CreateTableRequest,
) -> Result<TableDescription, Failure> {
    let table_name = request.table_name.clone();
    let mut table = client.create_table(request).await?;
    let deadline = Instant::now() + Duration::from_secs(WAIT_SECONDS);
    while table.table_status() == TableStatus::Creating {
        if Instant::now() >= deadline {
            return Err(Failure::StillCreating { table: table_name, seconds: WAIT_SECONDS });
        }
        sleep(Duration::from_millis(100)).await;
        table = client.describe_table(DescribeTableRequest { table_name: table_name.clone() }).await?;
    }
    Ok(table)
}
