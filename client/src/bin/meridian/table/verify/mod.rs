//! `meridian table verify`: are the regions equal, and if not, in which keys do they differ?
//!
//! First the digests of 64 parts of the hash space are compared; then those of ever smaller parts of what
//! differs, until a part is small enough to list its keys, page by page. Replication is asynchronous, so what
//! differs is looked at again for a while before it is named. Exit status 0 equal, 1 different.

mod compare;
mod show;

use std::process::ExitCode;
use std::time::Duration;

use client::Client;
use futures::future::try_join_all;
use proto::v1::{
    DescribeTableRequest, DigestTableRequest, DigestTableResponse, HashRange, ListVersionsRequest,
    ListVersionsResponse,
};
use tokio::time::{Instant, sleep};
use types::KeySchema;
use types::limits::{DIGEST_KEYS_MAX, VERIFY_KEYS_MAX};

use self::compare::{Difference, Place, Rest};
use super::schema;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;

/// Parts of a range whose digests are compared at once.
const PARTS: u32 = 64;
/// Between two looks at what differs.
const PAUSE: Duration = Duration::from_millis(200);
/// Records of a part whose keys are listed rather than digested further.
const LISTED_RECORDS_MAX: u64 = DIGEST_KEYS_MAX as u64 / 2;

/// One of the regions compared.
struct Region {
    endpoint: String,
    client: Client,
}

/// The table compared: one and the same in all regions.
struct Table {
    name: String,
    key: KeySchema,
}

/// What a verification found.
struct Report {
    /// Whole digests of the last look, one per region.
    digests: Vec<DigestTableResponse>,
    /// Keys that differ, up to a limit.
    differences: Vec<Difference>,
    /// Whether there are more, or some that could not be named.
    more: bool,
}

/// Compares the table at all endpoints.
pub(super) async fn run(
    table: String,
    wait_seconds: u64,
    target: &Target,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if target.endpoints.len() < 2 {
        let needs = "--endpoint at least twice";
        return Err(Failure::Endpoints { command: "table verify", needs, got: target.endpoints.len() });
    }
    let regions = target.each()?.into_iter().map(|(endpoint, client)| Region { endpoint, client });
    let regions: Vec<_> = regions.collect();
    let deadline = Instant::now() + Duration::from_secs(wait_seconds);
    let described = regions[0].client.describe_table(DescribeTableRequest { table_name: table.clone() });
    let table = Table { key: schema::of(&described.await?)?, name: table };
    let report = verify(&regions, &table, deadline).await?;
    show::report(&table.name, &regions, &report, output)?;
    let equal = report.differences.is_empty() && !report.more;
    Ok(ExitCode::from(u8::from(!equal)))
}

/// Looks until the regions are equal, or names what differs at the deadline.
async fn verify(regions: &[Region], table: &Table, deadline: Instant) -> Result<Report, Failure> {
    let mut digests = digest(regions, table, None, PARTS).await?;
    compare::same_table(regions.iter().map(|region| region.endpoint.as_str()), &digests)?;
    loop {
        let mut differing = compare::differing(&digests);
        while !differing.is_empty() && Instant::now() < deadline {
            sleep(PAUSE).await;
            differing = look_again(regions, table, &differing).await?;
        }
        let (differences, more) = name_keys(regions, table, differing).await?;
        if !differences.is_empty() || more {
            return Ok(Report { digests, differences, more });
        }
        // All of it became equal since; the report shows the counts and positions of a whole that is equal.
        digests = digest(regions, table, None, PARTS).await?;
        if compare::differing(&digests).is_empty() {
            return Ok(Report { digests, differences, more });
        }
        if Instant::now() >= deadline {
            let (differences, more) = name_keys(regions, table, compare::differing(&digests)).await?;
            return Ok(Report { digests, differences, more });
        }
    }
}

/// The parts that still differ.
async fn look_again(
    regions: &[Region],
    table: &Table,
    parts: &[compare::Part],
) -> Result<Vec<compare::Part>, Failure> {
    let mut differing = Vec::new();
    for part in parts {
        differing.extend(compare::differing(&digest(regions, table, Some(part.range), 1).await?));
    }
    Ok(differing)
}

/// Descends into parts that differ, and names their keys. Parts that became equal since have none.
async fn name_keys(
    regions: &[Region],
    table: &Table,
    mut parts: Vec<compare::Part>,
) -> Result<(Vec<Difference>, bool), Failure> {
    let mut differences = Vec::new();
    parts.reverse();
    while let Some(part) = parts.pop() {
        if differences.len() >= VERIFY_KEYS_MAX {
            return Ok((differences, true));
        }
        let is_one_hash = part.range.first == part.range.last;
        if part.records > LISTED_RECORDS_MAX && !is_one_hash {
            let smaller = compare::differing(&digest(regions, table, Some(part.range), PARTS).await?);
            parts.extend(smaller.into_iter().rev());
        } else if !name_part(regions, table, part.range, &mut differences).await? {
            return Ok((differences, true));
        }
    }
    Ok((differences, false))
}

/// Names the keys of a part that differ, one list of each region after the other; false when not all of them
/// could be named.
async fn name_part(
    regions: &[Region],
    table: &Table,
    range: HashRange,
    differences: &mut Vec<Difference>,
) -> Result<bool, Failure> {
    let mut after = None;
    loop {
        let lists = list(regions, table, range, after.as_ref()).await?;
        let page = compare::page(&table.key, after.as_ref(), lists)?;
        differences.extend(page.differences);
        if differences.len() > VERIFY_KEYS_MAX {
            differences.truncate(VERIFY_KEYS_MAX);
            return Ok(false);
        }
        after = match page.rest {
            Rest::Nothing => return Ok(true),
            Rest::Unknown => return Ok(false),
            Rest::Behind(place) => Some(place),
        };
    }
}

async fn digest(
    regions: &[Region],
    table: &Table,
    range: Option<HashRange>,
    parts: u32,
) -> Result<Vec<DigestTableResponse>, Failure> {
    // No part may be smaller than one hash.
    let hashes = range.map_or(u64::MAX, |range| range.last.saturating_sub(range.first).saturating_add(1));
    let parts = Some(u64::from(parts).min(hashes) as u32);
    let request = DigestTableRequest { table_name: table.name.clone(), range, parts };
    Ok(try_join_all(regions.iter().map(|region| region.client.digest_table(request.clone()))).await?)
}

async fn list(
    regions: &[Region],
    table: &Table,
    range: HashRange,
    after: Option<&Place>,
) -> Result<Vec<ListVersionsResponse>, Failure> {
    let exclusive_start_key = after.map(|place| place.attributes.attributes.clone()).unwrap_or_default();
    let (table_name, range) = (table.name.clone(), Some(range));
    let request = ListVersionsRequest { table_name, range, limit: None, exclusive_start_key };
    Ok(try_join_all(regions.iter().map(|region| region.client.list_versions(request.clone()))).await?)
}
