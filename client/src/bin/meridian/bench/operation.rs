//! One operation: the request of each action, sent once.
//!
//! Nothing is tried again here: a failure is what the run is to show.

use client::{Client, Error};
use proto::v1::{GetItemRequest, PutItemRequest, QueryRequest, UpdateItemRequest};
use rand::RngExt;
use rand::rngs::SmallRng;

use super::content::{ID, PAYLOAD, PLACE, VISITS, digits};
use super::plan::Plan;
use super::workload::Action;

/// YCSB's longest scan.
const SCAN_ITEMS_MAX: u32 = 100;

/// Performs an action. Says whether it found what it looked for.
pub(super) async fn perform(
    client: &Client,
    plan: &Plan,
    action: Action,
    random: &mut SmallRng,
) -> Result<bool, Error> {
    match action {
        Action::Echo => echo(client, plan).await,
        Action::Put => put(client, plan, choose(plan, random), random).await,
        Action::Insert => {
            let number = plan.numbers.claim();
            let done = put(client, plan, number, random).await?;
            plan.numbers.inserted(number);
            Ok(done)
        }
        Action::Get => get(client, plan, choose(plan, random)).await,
        Action::CountUp => count_up(client, plan, choose(plan, random)).await,
        Action::Replace => replace(client, plan, choose(plan, random), random).await,
        Action::GetAndReplace => {
            let number = choose(plan, random);
            let found = get(client, plan, number).await?;
            Ok(found & replace(client, plan, number, random).await?)
        }
        Action::Page => page(client, plan, choose(plan, random), plan.arguments.limit).await,
        Action::Scan => {
            let items = random.random_range(1..=SCAN_ITEMS_MAX);
            page(client, plan, choose(plan, random), items).await
        }
    }
}

fn choose(plan: &Plan, random: &mut SmallRng) -> u64 {
    plan.distribution.choose(random, plan.numbers.newest())
}

async fn echo(client: &Client, plan: &Plan) -> Result<bool, Error> {
    let bytes = plan.arguments.item_size as usize;
    Ok(client.ping(vec![0; bytes]).await?.payload.len() == bytes)
}

async fn put(client: &Client, plan: &Plan, number: u64, random: &mut SmallRng) -> Result<bool, Error> {
    let item = plan.content.item(number, random);
    let request = PutItemRequest { table_name: plan.table.clone(), item, ..Default::default() };
    client.put_item(request).await?;
    Ok(true)
}

/// Gets an item, and says whether there is one.
pub(super) async fn get(client: &Client, plan: &Plan, number: u64) -> Result<bool, Error> {
    let request = GetItemRequest {
        table_name: plan.table.clone(),
        key: plan.content.key(number),
        consistent_read: !plan.arguments.eventual,
        ..Default::default()
    };
    Ok(client.get_item(request).await?.item.is_some())
}

async fn count_up(client: &Client, plan: &Plan, number: u64) -> Result<bool, Error> {
    let request = UpdateItemRequest {
        table_name: plan.table.clone(),
        key: plan.content.key(number),
        update_expression: Some(format!("SET {VISITS} = {VISITS} + :one")),
        expression_attribute_values: [(":one".to_owned(), digits(1))].into(),
        ..Default::default()
    };
    client.update_item(request).await?;
    Ok(true)
}

async fn replace(client: &Client, plan: &Plan, number: u64, random: &mut SmallRng) -> Result<bool, Error> {
    let request = UpdateItemRequest {
        table_name: plan.table.clone(),
        key: plan.content.key(number),
        update_expression: Some(format!("SET {PAYLOAD} = :payload")),
        expression_attribute_values: [(":payload".to_owned(), plan.content.payload(random))].into(),
        ..Default::default()
    };
    client.update_item(request).await?;
    Ok(true)
}

async fn page(client: &Client, plan: &Plan, number: u64, items: u32) -> Result<bool, Error> {
    let (group, from) = plan.content.page(number, items);
    let request = QueryRequest {
        table_name: plan.table.clone(),
        key_condition_expression: Some(format!("{ID} = :group AND {PLACE} >= :from")),
        expression_attribute_values: [(":group".to_owned(), group), (":from".to_owned(), from)].into(),
        limit: Some(items),
        consistent_read: !plan.arguments.eventual,
        ..Default::default()
    };
    Ok(client.query(request).await?.count > 0)
}
