//! `meridian item query`.

use client::Client;
use proto::v1::{QueryRequest, Select};

use super::pages::Pages;
use crate::arguments::Query;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape::{self, Attributes};

/// Shows the items of a partition key, page by page; one page when a limit is given.
pub(super) async fn run(client: &Client, arguments: Query, output: &Output) -> Result<(), Failure> {
    let options = arguments.options;
    let spelling = options.spelling;
    let start = options.start_key.as_deref();
    let start = start.map(|key| shape::read_item("--start-key", key, spelling)).transpose()?;
    let mut request = QueryRequest {
        table_name: arguments.table,
        key_condition_expression: Some(arguments.key_condition),
        filter_expression: options.filter,
        projection_expression: options.projection,
        expression_attribute_names: shape::read_names(options.substitutions.names.as_deref())?,
        expression_attribute_values: shape::read_values(options.substitutions.values.as_deref(), spelling)?,
        scan_index_forward: Some(!arguments.descending),
        select: if options.count { Select::Count.into() } else { Select::Unspecified.into() },
        limit: options.limit,
        exclusive_start_key: start.unwrap_or_default(),
        consistent_read: options.consistent,
    };
    let mut pages: Option<Pages<'_>> = None;
    loop {
        let page = client.query(request.clone()).await?;
        // Nothing is shown before the first answer, so that a refused query prints no half of a response.
        let shown = match &mut pages {
            Some(shown) => shown,
            none => none.insert(Pages::begin(output, spelling, options.count)?),
        };
        shown.add(page.items, page.count, page.scanned_count)?;
        request.exclusive_start_key = page.last_evaluated_key;
        if request.limit.is_some() || request.exclusive_start_key.is_empty() {
            break;
        }
    }
    let last: Attributes = request.exclusive_start_key;
    pages.map_or(Ok(()), |pages| pages.end(last))
}
