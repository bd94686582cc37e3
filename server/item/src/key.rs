//! Keys: an item's place in a table, as bytes that sort as its key attributes do.
//!
//! Each part ends itself, so that no partition key is the beginning of another, and plain byte order is the
//! order of partition key, then sort key. In strings and bytes a zero is escaped, and a zero followed by what
//! no escape has ends them; numbers are `Number::encode_ordered`. The schema tells the types, the bytes do
//! not repeat them. The bytes are stored, hashed and sent between regions: they never change.

use types::{KeyAttribute, KeyHash, KeySchema, KeyType, key_hash, limits};

use crate::validate::InvalidAttribute;
use crate::{AttributeValue, Item, Number};

/// An item's place in its table; sorts as stored, by hash and then by bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// The hash of the encoded partition key.
    pub hash: KeyHash,
    /// The encoded partition key and, behind it, the encoded sort key.
    pub bytes: Vec<u8>,
}

impl Key {
    /// The key of an item, which may have other attributes.
    pub fn of_item(schema: &KeySchema, item: &Item) -> Result<Key, InvalidAttribute> {
        let find = |attribute: &KeyAttribute| {
            let missing = || InvalidAttribute::KeyMissing { attribute: attribute.name.clone() };
            item.get(&attribute.name).ok_or_else(missing)
        };
        let mut bytes = encode_partition(schema, find(&schema.partition)?)?;
        let hash = key_hash(&bytes);
        if let Some(sort) = &schema.sort {
            bytes.extend(encode_sort(schema, find(sort)?)?);
        }
        Ok(Key { hash, bytes })
    }

    /// The key given by its attributes alone.
    pub fn of_key(schema: &KeySchema, key: &Item) -> Result<Key, InvalidAttribute> {
        if let Some(extra) = key.keys().find(|name| !schema.has(name)) {
            return Err(InvalidAttribute::KeyExtra { attribute: extra.clone() });
        }
        if let Some(missing) = schema.attributes().find(|attribute| !key.contains_key(&attribute.name)) {
            return Err(InvalidAttribute::KeyIncomplete { attribute: missing.name.clone() });
        }
        Key::of_item(schema, key)
    }
}

/// The bytes of a partition key.
pub fn encode_partition(schema: &KeySchema, value: &AttributeValue) -> Result<Vec<u8>, InvalidAttribute> {
    let mut bytes = Vec::new();
    encode(&schema.partition, value, limits::PARTITION_KEY_BYTES_MAX, true, &mut bytes)?;
    Ok(bytes)
}

/// The bytes of a sort key; an error when the table has none.
pub fn encode_sort(schema: &KeySchema, value: &AttributeValue) -> Result<Vec<u8>, InvalidAttribute> {
    sort_bytes(schema, value, true)
}

/// What the bytes of exactly those sort keys begin with that begin with a value; of a number, its own.
pub fn sort_prefix(schema: &KeySchema, value: &AttributeValue) -> Result<Vec<u8>, InvalidAttribute> {
    sort_bytes(schema, value, false)
}

fn sort_bytes(schema: &KeySchema, value: &AttributeValue, ended: bool) -> Result<Vec<u8>, InvalidAttribute> {
    let sort = schema.sort.as_ref().ok_or(InvalidAttribute::NoSortKey)?;
    let mut bytes = Vec::new();
    encode(sort, value, limits::SORT_KEY_BYTES_MAX, ended, &mut bytes)?;
    Ok(bytes)
}

/// The key attributes of encoded bytes; `None` when they are not a key of this schema.
pub fn decode(schema: &KeySchema, mut bytes: &[u8]) -> Option<Item> {
    let mut key = Item::new();
    for attribute in schema.attributes() {
        let value = match attribute.key_type {
            KeyType::S => AttributeValue::S(String::from_utf8(unescape(&mut bytes)?).ok()?),
            KeyType::B => AttributeValue::B(unescape(&mut bytes)?),
            KeyType::N => AttributeValue::N(Number::decode_ordered(&mut bytes)?),
        };
        key.insert(attribute.name.clone(), value);
    }
    // What `of_key` would not make is no key: bytes behind the last part, an empty or oversized part.
    (bytes.is_empty() && Key::of_key(schema, &key).is_ok()).then_some(key)
}

/// Begins an escaped zero and the end: the smallest byte, so that what ends sorts before what goes on.
const ESCAPE: u8 = 0x00;
/// Above `END`, so that `a` sorts before `a` and a zero.
const ESCAPED_ZERO: u8 = 0xFF;
const END: u8 = 0x01;

fn encode(
    attribute: &KeyAttribute,
    value: &AttributeValue,
    max: usize,
    ended: bool,
    out: &mut Vec<u8>,
) -> Result<(), InvalidAttribute> {
    let text = match (attribute.key_type, value) {
        (KeyType::S, AttributeValue::S(text)) => text.as_bytes(),
        (KeyType::B, AttributeValue::B(bytes)) => bytes,
        (KeyType::N, AttributeValue::N(number)) => {
            number.encode_ordered(out);
            return Ok(());
        }
        (expected, value) => {
            let (attribute, got) = (attribute.name.clone(), value.type_name());
            return Err(InvalidAttribute::KeyType { attribute, expected, got });
        }
    };
    if text.is_empty() && ended {
        return Err(InvalidAttribute::KeyEmpty { attribute: attribute.name.clone() });
    }
    if text.len() > max {
        return Err(InvalidAttribute::KeyLength {
            attribute: attribute.name.clone(),
            bytes: text.len(),
            max,
        });
    }
    out.reserve(text.len() + 2);
    for byte in text {
        out.push(*byte);
        if *byte == ESCAPE {
            out.push(ESCAPED_ZERO);
        }
    }
    if ended {
        out.extend([ESCAPE, END]);
    }
    Ok(())
}

fn unescape(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        if *first != ESCAPE {
            text.push(*first);
            continue;
        }
        let (second, rest) = bytes.split_first()?;
        *bytes = rest;
        match *second {
            ESCAPED_ZERO => text.push(ESCAPE),
            END => return Some(text),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schema(partition: KeyType, sort: KeyType) -> KeySchema {
        let attribute = |name: &str, key_type| KeyAttribute { name: name.into(), key_type };
        KeySchema { partition: attribute("p", partition), sort: Some(attribute("s", sort)) }
    }

    fn key(partition: AttributeValue, sort: AttributeValue) -> Item {
        Item::from([("p".to_owned(), partition), ("s".to_owned(), sort)])
    }

    fn few_bytes() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFF), any::<u8>()], 1..6)
    }

    proptest! {
        #[test]
        fn order_and_round_trip(a in (few_bytes(), any::<i64>()), b in (few_bytes(), any::<i64>())) {
            let schema = schema(KeyType::B, KeyType::N);
            let of = |(partition, sort): &(Vec<u8>, i64)| {
                key(AttributeValue::B(partition.clone()), AttributeValue::N((*sort).into()))
            };
            let bytes = |pair| Key::of_item(&schema, &of(pair)).expect("a key").bytes;
            prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), a.cmp(&b));
            prop_assert_eq!(decode(&schema, &bytes(&a)), Some(of(&a)));
        }

        #[test]
        fn a_prefix_begins_just_what_it_should(a in few_bytes(), b in few_bytes()) {
            let schema = schema(KeyType::B, KeyType::B);
            let prefix = sort_prefix(&schema, &AttributeValue::B(a.clone())).expect("a prefix");
            let whole = encode_sort(&schema, &AttributeValue::B(b.clone())).expect("a key");
            prop_assert_eq!(whole.starts_with(&prefix), b.starts_with(&a));
        }

        #[test]
        fn strings_sort_by_partition_then_sort_key(
            a in ("[\0-\x02a]{1,4}", "[\0-\x02a]{1,4}"),
            b in ("[\0-\x02a]{1,4}", "[\0-\x02a]{1,4}"),
        ) {
            let schema = schema(KeyType::S, KeyType::S);
            let of = |(partition, sort): &(String, String)| {
                key(AttributeValue::S(partition.clone()), AttributeValue::S(sort.clone()))
            };
            let (encoded_a, encoded_b) =
                (Key::of_key(&schema, &of(&a)).unwrap(), Key::of_key(&schema, &of(&b)).unwrap());
            prop_assert_eq!(encoded_a.bytes.cmp(&encoded_b.bytes), a.cmp(&b));
            prop_assert_eq!(encoded_a.hash == encoded_b.hash, a.0 == b.0);
            let partition = encode_partition(&schema, &AttributeValue::S(a.0.clone())).unwrap();
            prop_assert_eq!(encoded_b.bytes.starts_with(&partition), a.0 == b.0);
            prop_assert_eq!(encoded_a.hash, key_hash(&partition));
        }

        #[test]
        fn random_bytes_are_a_key_or_refused(
            bytes in proptest::collection::vec(prop_oneof![0..4u8, Just(0xFF), any::<u8>()], 0..40),
        ) {
            for (partition, sort) in [(KeyType::S, KeyType::N), (KeyType::N, KeyType::B)] {
                let schema = schema(partition, sort);
                if let Some(key) = decode(&schema, &bytes) {
                    prop_assert_eq!(&Key::of_key(&schema, &key).unwrap().bytes, &bytes);
                }
            }
        }
    }

    #[test]
    fn the_bytes_are_fixed_for_ever() {
        let schema = schema(KeyType::S, KeyType::N);
        let item = key(AttributeValue::S("a\0b".into()), AttributeValue::N(1i64.into()));
        let key = Key::of_item(&schema, &item).unwrap();
        assert_eq!(key.bytes, [b'a', 0, 0xFF, b'b', 0, 1, 3, 130, 20]);
        assert_eq!(key.hash, key_hash(&key.bytes[..6]));
        assert_eq!(key.hash.0, 0xd714_4e7d_d067_41a0);
    }

    #[test]
    fn only_whole_keys_decode() {
        let schema = schema(KeyType::B, KeyType::B);
        let part = |length: usize| [vec![7; length], vec![0, 1]].concat();
        let is_key = |parts: &[Vec<u8>]| decode(&schema, &parts.concat()).is_some();
        assert!(is_key(&[part(2048), part(1024)]));
        for parts in [&[part(2049), part(1)][..], &[part(1), part(1025)], &[part(0), part(1)], &[part(1)]] {
            assert!(!is_key(parts));
        }
        assert!(!is_key(&[part(1), part(1), vec![0]]), "bytes behind the key");
    }

    #[test]
    fn a_table_may_have_no_sort_key() {
        let attribute = KeyAttribute { name: "p".into(), key_type: KeyType::N };
        let schema = KeySchema { partition: attribute, sort: None };
        let value = AttributeValue::N(1i64.into());
        assert_eq!(encode_sort(&schema, &value), Err(InvalidAttribute::NoSortKey));
        assert_eq!(sort_prefix(&schema, &value), Err(InvalidAttribute::NoSortKey));
        let item = Item::from([("p".to_owned(), value)]);
        assert_eq!(decode(&schema, &Key::of_key(&schema, &item).unwrap().bytes), Some(item));
    }

    #[test]
    fn bad_keys_name_the_attribute_and_the_limit() {
        let schema = schema(KeyType::S, KeyType::N);
        let text = |text: &str| AttributeValue::S(text.into());
        let number = AttributeValue::N(1i64.into());
        let refused = |item: &Item| Key::of_key(&schema, item).expect_err("refused");
        assert!(matches!(refused(&key(text(""), number.clone())), InvalidAttribute::KeyEmpty { .. }));
        assert!(matches!(refused(&key(text("x"), text("y"))), InvalidAttribute::KeyType { got: "S", .. }));
        let long = text(&"x".repeat(2049));
        assert!(matches!(
            refused(&key(long, number.clone())),
            InvalidAttribute::KeyLength { bytes: 2049, max: 2048, .. }
        ));
        let mut extra = key(text("x"), number);
        extra.insert("z".into(), AttributeValue::Null);
        assert_eq!(refused(&extra), InvalidAttribute::KeyExtra { attribute: "z".into() });
        extra.remove("s");
        let missing = InvalidAttribute::KeyMissing { attribute: "s".into() };
        assert_eq!(Key::of_item(&schema, &extra), Err(missing));
        extra.remove("z");
        assert_eq!(refused(&extra), InvalidAttribute::KeyIncomplete { attribute: "s".into() });
    }
}
