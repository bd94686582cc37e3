//! `Scan`.

use item::Error;
use item::error::Invalid;
use item::expression::Cache;
use item::operation::{Command, Operation, Scan};
use item::outcome::Answer;
use proto::v1::{ScanRequest, ScanResponse};
use types::KeyHash;
use types::limits::SCAN_SEGMENTS_MAX;

use crate::{field, page};

/// Checks and binds a request.
pub fn decode(request: ScanRequest, cache: &mut Cache) -> Result<Command, Error> {
    let table = field::table_name(request.table_name)?;
    let segment = segment(request.segment, request.total_segments)?;
    let substitutions =
        field::substitutions(request.expression_attribute_names, request.expression_attribute_values)?;
    let mut binder = field::binder(&substitutions, cache)?;
    let fields = page::Fields {
        filter: request.filter_expression,
        projection: request.projection_expression,
        select: request.select,
        limit: request.limit,
        after: request.exclusive_start_key,
        consistent: request.consistent_read,
    };
    let page = page::options(fields, &mut binder)?;
    field::finish(binder)?;
    let from = request.from_hash.map(KeyHash);
    Ok(Command::Item(Operation::Scan(Scan { table, segment, from, page })))
}

fn segment(segment: Option<u32>, total: Option<u32>) -> Result<Option<(u32, u32)>, Error> {
    match (segment, total) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Invalid::Missing { field: "TotalSegments" }.into()),
        (None, Some(_)) => Err(Invalid::Missing { field: "Segment" }.into()),
        (Some(segment), Some(total)) => {
            field::bounded("TotalSegments", total.into(), 1, SCAN_SEGMENTS_MAX.into())?;
            field::bounded("Segment", segment.into(), 0, u64::from(total) - 1)?;
            Ok(Some((segment, total)))
        }
    }
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<ScanResponse, Error> {
    let page = page::encode(result)?;
    Ok(ScanResponse {
        items: page.items,
        count: page.count,
        scanned_count: page.scanned,
        last_evaluated_key: page.last,
        rest_node: page.rest.map(|(node, _)| node.0),
        rest_hash: page.rest.map(|(_, hash)| hash.0),
    })
}
