//! `ListVersions`: how `table verify` names the keys that differ.

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::convert;
use proto::v1::{self, ListVersionsRequest, ListVersionsResponse};
use types::command::{KeyVersion, TableAnswer, TableCommand};
use types::limits::DIGEST_KEYS_MAX;

use crate::field;

/// Checks a request.
pub fn decode(request: ListVersionsRequest) -> Result<Command, Error> {
    let name = field::table_name(request.table_name)?;
    let range = field::hash_range(request.range)?;
    let limit = request.limit.map_or(DIGEST_KEYS_MAX, |limit| limit as usize);
    field::bounded("Limit", limit as u64, 1, DIGEST_KEYS_MAX as u64)?;
    Ok(Command::Table(TableCommand::Versions { name, range, limit }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<ListVersionsResponse, Error> {
    let Answer::Table(TableAnswer::Versions { keys, more }) = result? else {
        unreachable!("ListVersions is answered by Versions");
    };
    Ok(ListVersionsResponse { keys: keys.into_iter().map(version).collect(), more })
}

fn version(version: KeyVersion) -> v1::KeyVersion {
    let key = item::codec::decode(&version.key).expect("a key that this server encoded a moment ago");
    v1::KeyVersion {
        key: Some(v1::Item { attributes: convert::item_into(key) }),
        time: version.time.as_u64(),
        digest: version.digest,
    }
}
