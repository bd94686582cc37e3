//! `meridian item scan`, and the reading of whole tables in parallel segments that `export` shares.

use std::sync::Arc;

use client::Client;
use futures::stream::{Stream, StreamExt, TryStreamExt, select_all, try_unfold};
use proto::v1::{ScanRequest, ScanResponse, Select};

use super::pages::Pages;
use crate::arguments::Scan;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape::{self, Attributes};

/// Shows a table's items, page by page; one page when a limit is given.
pub(super) async fn run(client: Arc<Client>, arguments: Scan, output: &Output) -> Result<(), Failure> {
    let options = arguments.options;
    let spelling = options.spelling;
    let start = options.start_key.as_deref();
    let start = start.map(|key| shape::read_item("--start-key", key, spelling)).transpose()?;
    let request = ScanRequest {
        table_name: arguments.table,
        filter_expression: options.filter,
        projection_expression: options.projection,
        expression_attribute_names: shape::read_names(options.substitutions.names.as_deref())?,
        expression_attribute_values: shape::read_values(options.substitutions.values.as_deref(), spelling)?,
        select: if options.count { Select::Count.into() } else { Select::Unspecified.into() },
        limit: options.limit,
        exclusive_start_key: start.unwrap_or_default(),
        consistent_read: options.consistent,
        ..Default::default()
    };
    let mut responses = std::pin::pin!(responses(client, request, arguments.segments));
    let mut pages: Option<Pages<'_>> = None;
    let mut last = Attributes::new();
    while let Some(page) = responses.try_next().await? {
        // Nothing is shown before the first answer, so that a refused scan prints no half of a response.
        let shown = match &mut pages {
            Some(shown) => shown,
            none => none.insert(Pages::begin(output, spelling, options.count)?),
        };
        shown.add(page.items, page.count, page.scanned_count)?;
        if options.limit.is_some() {
            last = page.last_evaluated_key;
            break;
        }
    }
    pages.map_or(Ok(()), |pages| pages.end(last))
}

/// All pages of a scan, its segments side by side.
pub(super) fn responses(
    client: Arc<Client>,
    request: ScanRequest,
    segments: u32,
) -> impl Stream<Item = Result<ScanResponse, Failure>> {
    select_all((0..segments).map(|segment| {
        let mut request = request.clone();
        if segments > 1 {
            request.segment = Some(segment);
            request.total_segments = Some(segments);
        }
        segment_responses(client.clone(), request).boxed()
    }))
}

fn segment_responses(
    client: Arc<Client>,
    request: ScanRequest,
) -> impl Stream<Item = Result<ScanResponse, Failure>> {
    try_unfold(Some(request), move |next| {
        let client = client.clone();
        async move {
            let Some(mut request) = next else { return Ok(None) };
            let page = client.scan(request.clone()).await?;
            request.exclusive_start_key = page.last_evaluated_key.clone();
            let more = !request.exclusive_start_key.is_empty();
            Ok(Some((page, more.then_some(request))))
        }
    })
}
