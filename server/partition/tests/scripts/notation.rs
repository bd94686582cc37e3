//! How scripts write what commands take: items, times, versions, histories.
//!
//! Items are plain JSON. A time is `10` or `10.1`, milliseconds and logic; a life of a table's copy is `b` or
//! `b2`, the region's letter and a counter unless it is 1; a version is `10@b`, or `10@b-expired`.

use std::error::Error;

use item::expression::Substitutions;
use item::operation::ReturnValues;
use item::{AttributeValue, Item, json};
use types::{HybridTime, Incarnation, KeyAttribute, KeySchema, KeyType, RegionId, RequestId, Seen, Version};

/// What reading comes to.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// An item, or the attributes of a key.
pub fn item(text: &str) -> Result<Item> {
    Ok(json::plain::read_item(json::parse(text.as_bytes())?)?)
}

/// `{"#name": "attribute", ":value": 1}`.
pub fn substitutions(text: &str) -> Result<Substitutions> {
    let mut read = Substitutions::default();
    for (key, value) in item(text)? {
        match value {
            AttributeValue::S(name) if key.starts_with('#') => drop(read.names.insert(key, name)),
            value => drop(read.values.insert(key, value)),
        }
    }
    Ok(read)
}

/// `10` or `10.1`.
pub fn time(text: &str) -> Result<HybridTime> {
    let (millis, logic) = text.split_once('.').unwrap_or((text, "0"));
    let millis = HybridTime::from_millis(millis.parse()?);
    Ok(HybridTime::from_u64(millis.as_u64() + u64::from(logic.parse::<u16>()?)))
}

/// `b` or `b2`.
pub fn life(text: &str) -> Result<Incarnation> {
    let letter = text.bytes().next().filter(u8::is_ascii_lowercase).ok_or("a region is a letter")?;
    let counter = if text.len() == 1 { 1 } else { text[1..].parse()? };
    Ok(Incarnation { region: RegionId(u32::from(letter - b'a') + 1), counter })
}

/// `10@b` or `10@b-expired`.
pub fn version(text: &str) -> Result<Version> {
    let (text, expired) = text.strip_suffix("-expired").map_or((text, false), |text| (text, true));
    let (at, of) = text.split_once('@').ok_or("a version is time@life")?;
    Ok(Version { time: time(at)?, incarnation: life(of)?, expired })
}

/// `5@b/6@c`.
pub fn seen(text: &str) -> Result<Seen> {
    let mut seen = Seen::new();
    for part in text.split('/') {
        let Version { time, incarnation, .. } = version(part)?;
        seen.raise(incarnation, time);
    }
    Ok(seen)
}

/// `p/S`, and `s/N` for the sort key.
pub fn schema(partition: &str, sort: Option<&str>) -> Result<KeySchema> {
    Ok(KeySchema { partition: attribute(partition)?, sort: sort.map(attribute).transpose()? })
}

fn attribute(text: &str) -> Result<KeyAttribute> {
    let (name, key_type) = text.split_once('/').ok_or("a key attribute is name/type")?;
    let key_type = match key_type {
        "S" => KeyType::S,
        "N" => KeyType::N,
        "B" => KeyType::B,
        other => return Err(format!("no key type {other}").into()),
    };
    Ok(KeyAttribute { name: name.to_owned(), key_type })
}

/// A request's id is a small number in a script.
pub fn request(text: &str) -> Result<RequestId> {
    Ok(RequestId(text.parse::<u128>()?.to_be_bytes()))
}

/// DynamoDB's words in lower case.
pub fn return_values(text: &str) -> Result<ReturnValues> {
    Ok(match text {
        "none" => ReturnValues::None,
        "all_old" => ReturnValues::AllOld,
        "all_new" => ReturnValues::AllNew,
        "updated_old" => ReturnValues::UpdatedOld,
        "updated_new" => ReturnValues::UpdatedNew,
        other => return Err(format!("no return values {other}").into()),
    })
}
