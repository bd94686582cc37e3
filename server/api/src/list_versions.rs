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
    let after = match request.exclusive_start_key.is_empty() {
        true => None,
        false => Some(field::attributes("ExclusiveStartKey", request.exclusive_start_key)?),
    };
    let after = after.map(|key| item::codec::encode(&key));
    Ok(Command::Table(TableCommand::Versions { name, range, after, limit }))
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

#[cfg(test)]
mod tests {
    use item::AttributeValue;

    use super::*;

    #[test]
    fn a_start_key_arrives_as_lists_name_keys() {
        let key = item::Item::from([("k".to_owned(), AttributeValue::S("v".to_owned()))]);
        let begin = ListVersionsRequest { table_name: "movies".to_owned(), ..Default::default() };
        let exclusive_start_key = convert::item_into(key.clone());
        let go_on = ListVersionsRequest { exclusive_start_key, ..begin.clone() };
        let after = |request| match decode(request) {
            Ok(Command::Table(TableCommand::Versions { after, .. })) => after,
            other => panic!("{other:?}"),
        };
        assert_eq!((after(begin), after(go_on)), (None, Some(item::codec::encode(&key))));
    }
}
