//! `DigestTable`: what `table verify` compares first.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{self, DigestTableRequest, DigestTableResponse};
use types::command::{PartDigest, TableAnswer, TableCommand};
use types::limits::DIGEST_PARTS_MAX;

use crate::field;

/// Checks a request.
pub fn decode(request: DigestTableRequest) -> Result<Command, Error> {
    let name = field::table_name(request.table_name)?;
    let range = field::hash_range(request.range)?;
    let parts = request.parts.unwrap_or(1);
    field::bounded("Parts", parts.into(), 1, DIGEST_PARTS_MAX.into())?;
    Ok(Command::Table(TableCommand::Digest { name, range, parts }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<DigestTableResponse, Error> {
    let Answer::Table(TableAnswer::Digest { table, parts, positions }) = result? else {
        unreachable!("DigestTable is answered by Digest");
    };
    let position = |(partition, applied_index)| v1::Position { partition, applied_index };
    Ok(DigestTableResponse {
        table_id: table.to_string(),
        parts: parts.iter().map(part).collect(),
        positions: positions.into_iter().map(position).collect(),
    })
}

fn part(part: &PartDigest) -> v1::PartDigest {
    v1::PartDigest {
        range: Some(v1::HashRange { first: part.range.first.0, last: part.range.last.0 }),
        count: part.count,
        digest: part.digest.to_be_bytes().to_vec(),
    }
}
