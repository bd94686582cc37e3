//! Outcomes kept under request ids, so that a retry gets the first answer and nothing happens twice (`P3`).
//!
//! Only what a single-item write can answer is kept: that it was done and what it returned, or that its
//! condition failed. Anything else may be tried again as it is.

use item::expression::Substitutions;
use item::operation::WriteOptions;
use item::{Error, Item, Key, Outcome};
use storage::keys;
use storage::{Error as Fatal, Read};
use types::bytes::{Malformed, Reader, put_sized};
use types::{KeyHash, RequestId};

use crate::Home;
use crate::overlay::Remembered;

/// What a write is answered with.
pub type Answer = Result<Outcome, Error>;

/// A request id, and a digest of what was asked under it, so that it is not taken for another write's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The id.
    pub request: RequestId,
    /// Of verb, key, expressions and values.
    pub digest: u64,
}

/// What a write asks under its request id, if it has one. `payload` adds what the verb has beside key and
/// condition: bytes, and the substitutions of its expression.
pub(crate) fn asked(
    options: &WriteOptions,
    verb: u8,
    key: &Key,
    payload: impl FnOnce(&mut Vec<u8>, &mut Substitutions),
) -> Option<Asked> {
    let request = options.request?;
    let (mut bytes, mut substitutions) = (vec![verb], Substitutions::default());
    put_sized(&mut bytes, &key.bytes);
    payload(&mut bytes, &mut substitutions);
    if let Some(condition) = &options.condition {
        put_sized(&mut bytes, condition.text().as_bytes());
        condition.give_back(&mut substitutions);
    }
    for (name, attribute) in &substitutions.names {
        put_sized(&mut bytes, name.as_bytes());
        put_sized(&mut bytes, attribute.as_bytes());
    }
    bytes.extend(item::codec::encode(&substitutions.values));
    Some(Asked { request, digest: xxhash_rust::xxh3::xxh3_64(&bytes) })
}

/// The stored form of an answer, if it is one that is kept.
pub fn encode(answer: &Answer) -> Option<Vec<u8>> {
    let (tag, item) = match answer {
        Ok(Outcome::Written(item)) => (1, item.as_ref()),
        Err(Error::ConditionFailed { item }) => (2, item.as_deref()),
        _ => return None,
    };
    let mut out = vec![tag, u8::from(item.is_some())];
    if let Some(item) = item {
        put_sized(&mut out, &item::codec::encode(item));
    }
    Some(out)
}

/// The inverse of `encode`.
pub fn decode(bytes: &[u8]) -> Result<Answer, Malformed> {
    let mut reader = Reader::new(bytes);
    let tag = reader.u8()?;
    let item: Option<Item> = match reader.bool()? {
        true => Some(item::codec::decode(reader.sized()?).map_err(|_| Malformed)?),
        false => None,
    };
    reader.finish()?;
    match tag {
        1 => Ok(Ok(Outcome::Written(item))),
        2 => Ok(Err(Error::ConditionFailed { item: item.map(Box::new) })),
        _ => Err(Malformed),
    }
}

/// The committed outcome of a request.
pub fn find(
    engine: &impl Read,
    home: &Home,
    hash: KeyHash,
    request: RequestId,
) -> Result<Option<Remembered>, Fatal> {
    let key = keys::request::Key { root: home.root, hash, request }.encode();
    let Some(bytes) = engine.get(&key)? else { return Ok(None) };
    let kept = keys::RequestOutcome::decode(&bytes)?;
    Ok(Some(Remembered { index: 0, digest: kept.payload_digest, outcome: kept.outcome }))
}
