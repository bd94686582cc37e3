//! The canonical bytes of an item: what records store, regions ship and digests compare.
//!
//! One item has one byte string, and `decode` refuses every other: names and set members ascend strictly,
//! lengths are minimal, numbers have their one ordered encoding. The first byte is the format's version.
//! Bytes come from disks and other regions, so nothing is built before the bytes for it are seen, and depth
//! is checked before each descent. Sizes and names are `validate`'s to check: this is a format, not a policy.

use std::collections::{BTreeMap, BTreeSet};

use types::limits::NESTING_MAX;

use crate::{AttributeValue, Item, Number};

/// The format's version, the first byte of every encoded item.
pub const VERSION: u8 = 1;

// Tags of the values' types; never reused.
const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const STRING: u8 = 3;
const NUMBER: u8 = 4;
const BYTES: u8 = 5;
const STRING_SET: u8 = 6;
const NUMBER_SET: u8 = 7;
const BYTES_SET: u8 = 8;
const LIST: u8 = 9;
const MAP: u8 = 10;

/// Why bytes are not an item's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// A version that this release does not read.
    #[error("item format {got} is not known")]
    Version {
        /// The first byte.
        got: u8,
    },
    /// The bytes end too early.
    #[error("the item's bytes end too early")]
    Truncated,
    /// The bytes go on after the item.
    #[error("{bytes} bytes follow the item")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A tag of no type.
    #[error("type tag {got} is not known")]
    Tag {
        /// The tag.
        got: u8,
    },
    /// A length that is not minimal or above 32 bits.
    #[error("a length is not canonical")]
    Length,
    /// A string that is not UTF-8.
    #[error("a string is not UTF-8")]
    Text,
    /// A number that is not in its one encoding.
    #[error("a number is not canonical")]
    Number,
    /// Names or set members that do not ascend strictly.
    #[error("names or set members are out of order")]
    Order,
    /// A set without members.
    #[error("a set is empty")]
    EmptySet,
    /// Lists and maps too deep within one another.
    #[error("lists and maps nest deeper than {max} levels", max = NESTING_MAX)]
    Nesting,
}

/// The canonical bytes of an item that passed `validate::check_item`.
pub fn encode(item: &Item) -> Vec<u8> {
    // Lengths and tags come on top of names and values; what grows is copied each time.
    let room = crate::size::item_size(item) + 8 * item.len() + 16;
    let mut bytes = Vec::with_capacity(room);
    bytes.push(VERSION);
    put_map(&mut bytes, item);
    bytes
}

/// The inverse of `encode`; refuses what `encode` never makes.
pub fn decode(bytes: &[u8]) -> Result<Item, Error> {
    let mut item = Item::new();
    visit(bytes, |name, value| drop(item.insert(name.to_owned(), value.into())))?;
    Ok(item)
}

/// A value in an item's bytes; only what holds other values is built.
#[derive(Clone, PartialEq, Debug)]
pub enum Raw<'b> {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A string.
    S(&'b str),
    /// A number.
    N(Number),
    /// Bytes.
    B(&'b [u8]),
    /// A set, list or map.
    Other(AttributeValue),
}

impl From<Raw<'_>> for AttributeValue {
    fn from(raw: Raw<'_>) -> AttributeValue {
        match raw {
            Raw::Null => AttributeValue::Null,
            Raw::Bool(value) => AttributeValue::Bool(value),
            Raw::S(text) => AttributeValue::S(text.to_owned()),
            Raw::N(number) => AttributeValue::N(number),
            Raw::B(bytes) => AttributeValue::B(bytes.to_vec()),
            Raw::Other(value) => value,
        }
    }
}

/// Shows each attribute of an item's bytes; refuses what `encode` never makes, perhaps only at the end.
pub fn visit<'b>(bytes: &'b [u8], each: impl FnMut(&'b str, Raw<'b>)) -> Result<(), Error> {
    let mut rest = bytes;
    match take_byte(&mut rest)? {
        VERSION => {}
        got => return Err(Error::Version { got }),
    }
    visit_map(&mut rest, 0, each)?;
    if rest.is_empty() { Ok(()) } else { Err(Error::Trailing { bytes: rest.len() }) }
}

fn put_map(bytes: &mut Vec<u8>, map: &BTreeMap<String, AttributeValue>) {
    put_length(bytes, map.len());
    for (name, value) in map {
        put_bytes(bytes, name.as_bytes());
        put_value(bytes, value);
    }
}

fn put_value(bytes: &mut Vec<u8>, value: &AttributeValue) {
    match value {
        AttributeValue::Null => bytes.push(NULL),
        AttributeValue::Bool(value) => bytes.push(if *value { TRUE } else { FALSE }),
        AttributeValue::S(text) => {
            bytes.push(STRING);
            put_bytes(bytes, text.as_bytes());
        }
        AttributeValue::N(number) => {
            bytes.push(NUMBER);
            number.encode_ordered(bytes);
        }
        AttributeValue::B(value) => {
            bytes.push(BYTES);
            put_bytes(bytes, value);
        }
        AttributeValue::Ss(set) => {
            put_container(bytes, STRING_SET, set, |bytes, text| put_bytes(bytes, text.as_bytes()));
        }
        AttributeValue::Ns(set) => {
            put_container(bytes, NUMBER_SET, set, |bytes, number: &Number| number.encode_ordered(bytes));
        }
        AttributeValue::Bs(set) => {
            put_container(bytes, BYTES_SET, set, |bytes, value| put_bytes(bytes, value));
        }
        AttributeValue::L(list) => put_container(bytes, LIST, list, put_value),
        AttributeValue::M(map) => {
            bytes.push(MAP);
            put_map(bytes, map);
        }
    }
}

fn put_container<'c, T: 'c, C>(bytes: &mut Vec<u8>, tag: u8, members: C, put: impl Fn(&mut Vec<u8>, &'c T))
where
    C: IntoIterator<Item = &'c T, IntoIter: ExactSizeIterator>,
{
    let members = members.into_iter();
    bytes.push(tag);
    put_length(bytes, members.len());
    members.for_each(|member| put(bytes, member));
}

fn put_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    put_length(bytes, value.len());
    bytes.extend_from_slice(value);
}

/// LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.
fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

fn take_byte(bytes: &mut &[u8]) -> Result<u8, Error> {
    let (&first, rest) = bytes.split_first().ok_or(Error::Truncated)?;
    *bytes = rest;
    Ok(first)
}

fn take_length(bytes: &mut &[u8]) -> Result<usize, Error> {
    let mut length = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = take_byte(bytes)?;
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            if (byte == 0 && shift > 0) || length > u64::from(u32::MAX) {
                return Err(Error::Length);
            }
            return Ok(length as usize);
        }
    }
    Err(Error::Length)
}

fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Result<&'b [u8], Error> {
    let length = take_length(bytes)?;
    let (value, rest) = bytes.split_at_checked(length).ok_or(Error::Truncated)?;
    *bytes = rest;
    Ok(value)
}

fn take_text<'b>(bytes: &mut &'b [u8]) -> Result<&'b str, Error> {
    str::from_utf8(take_bytes(bytes)?).map_err(|_| Error::Text)
}

fn take_number(bytes: &mut &[u8]) -> Result<Number, Error> {
    Number::decode_ordered(bytes).ok_or(Error::Number)
}

/// `outer` lists and maps are around the value.
fn take_value(bytes: &mut &[u8], outer: usize) -> Result<AttributeValue, Error> {
    take_raw(bytes, outer).map(AttributeValue::from)
}

/// `outer` lists and maps are around the value.
fn take_raw<'b>(bytes: &mut &'b [u8], outer: usize) -> Result<Raw<'b>, Error> {
    Ok(match take_byte(bytes)? {
        NULL => Raw::Null,
        FALSE => Raw::Bool(false),
        TRUE => Raw::Bool(true),
        STRING => Raw::S(take_text(bytes)?),
        NUMBER => Raw::N(take_number(bytes)?),
        BYTES => Raw::B(take_bytes(bytes)?),
        STRING_SET => {
            let text = |bytes: &mut &[u8]| take_text(bytes).map(str::to_owned);
            Raw::Other(AttributeValue::Ss(take_set(bytes, text)?))
        }
        NUMBER_SET => Raw::Other(AttributeValue::Ns(take_set(bytes, take_number)?)),
        BYTES_SET => {
            let member = |bytes: &mut &[u8]| take_bytes(bytes).map(<[u8]>::to_vec);
            Raw::Other(AttributeValue::Bs(take_set(bytes, member)?))
        }
        LIST | MAP if outer == NESTING_MAX => return Err(Error::Nesting),
        LIST => {
            let length = take_length(bytes)?;
            // Grown as elements are seen: a length alone must not make memory be reserved.
            let mut list = Vec::new();
            for _ in 0..length {
                list.push(take_value(bytes, outer + 1)?);
            }
            Raw::Other(AttributeValue::L(list))
        }
        MAP => Raw::Other(AttributeValue::M(take_map(bytes, outer + 1)?)),
        got => return Err(Error::Tag { got }),
    })
}

/// `outer` lists and maps are around the map's values, itself included.
fn take_map(bytes: &mut &[u8], outer: usize) -> Result<BTreeMap<String, AttributeValue>, Error> {
    let mut map = BTreeMap::new();
    visit_map(bytes, outer, |name, value| drop(map.insert(name.to_owned(), value.into())))?;
    Ok(map)
}

/// `outer` lists and maps are around the map's values, itself included unless it is the item.
fn visit_map<'b>(
    bytes: &mut &'b [u8],
    outer: usize,
    mut each: impl FnMut(&'b str, Raw<'b>),
) -> Result<(), Error> {
    let mut last = None;
    for _ in 0..take_length(bytes)? {
        let name = take_text(bytes)?;
        if last.is_some_and(|last| last >= name) {
            return Err(Error::Order);
        }
        last = Some(name);
        each(name, take_raw(bytes, outer)?);
    }
    Ok(())
}

fn take_set<T: Ord>(
    bytes: &mut &[u8],
    take: impl Fn(&mut &[u8]) -> Result<T, Error>,
) -> Result<BTreeSet<T>, Error> {
    let length = take_length(bytes)?;
    if length == 0 {
        return Err(Error::EmptySet);
    }
    let mut set = BTreeSet::new();
    for _ in 0..length {
        let member = take(bytes)?;
        if set.last().is_some_and(|last| *last >= member) {
            return Err(Error::Order);
        }
        set.insert(member);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::tests::{any_item, nested};

    fn item(value: AttributeValue) -> Item {
        [("a".to_owned(), value)].into()
    }

    /// An item with one attribute `a` of these bytes.
    fn with_value(value: &[u8]) -> Vec<u8> {
        [&[VERSION, 1, 1, b'a'], value].concat()
    }

    #[test]
    fn the_bytes_are_fixed_for_ever() {
        let map =
            [("x".to_owned(), AttributeValue::Bool(true)), ("y".to_owned(), AttributeValue::Bool(false))];
        let one = || Number::from(1_u64);
        let list = AttributeValue::L(vec![
            AttributeValue::Null,
            AttributeValue::M(map.into()),
            AttributeValue::S("é".to_owned()),
            AttributeValue::N(one()),
            AttributeValue::B(vec![0, 255]),
            AttributeValue::Ss(["b".to_owned(), "a".to_owned()].into()),
            AttributeValue::Ns([one(), one().negated()].into()),
            AttributeValue::Bs([vec![], vec![7]].into()),
        ]);
        let expected = [
            &[VERSION, 1, 1, b'a', LIST, 8, NULL][..],
            &[MAP, 2, 1, b'x', TRUE, 1, b'y', FALSE],
            &[STRING, 2, 0xc3, 0xa9],
            &[NUMBER, 3, 130, 20],
            &[BYTES, 2, 0, 255],
            &[STRING_SET, 2, 1, b'a', 1, b'b'],
            &[NUMBER_SET, 2, 1, 125, 235, 3, 130, 20],
            &[BYTES_SET, 2, 0, 1, 7],
        ]
        .concat();
        assert_eq!(encode(&item(list.clone())), expected);
        assert_eq!(decode(&expected), Ok(item(list)));
        assert_eq!(encode(&Item::new()), [VERSION, 0]);
    }

    #[test]
    fn what_encode_never_makes_is_refused() {
        for (bytes, refused) in [
            (vec![], Error::Truncated),
            (vec![2, 0], Error::Version { got: 2 }),
            (vec![VERSION], Error::Truncated),
            (vec![VERSION, 0, 0], Error::Trailing { bytes: 1 }),
            (vec![VERSION, 0x80, 0], Error::Length),
            (vec![VERSION, 0xff, 0xff, 0xff, 0xff, 0x1f], Error::Length),
            (vec![VERSION, 0xff, 0xff, 0xff, 0xff, 0xff, 0], Error::Length),
            (vec![VERSION, 2, 1, b'a', NULL, 1, b'a', NULL], Error::Order),
            (vec![VERSION, 2, 1, b'b', NULL, 1, b'a', NULL], Error::Order),
            (with_value(&[11]), Error::Tag { got: 11 }),
            (with_value(&[STRING, 1, 0xff]), Error::Text),
            (with_value(&[STRING, 2, b'x']), Error::Truncated),
            (with_value(&[NUMBER, 3, 130, 21, 0]), Error::Number),
            (with_value(&[STRING_SET, 0]), Error::EmptySet),
            (with_value(&[STRING_SET, 2, 1, b'b', 1, b'a']), Error::Order),
            (with_value(&[NUMBER_SET, 2, 2, 2]), Error::Order),
            (with_value(&[BYTES_SET, 2, 1, 0, 1, 0]), Error::Order),
            (with_value(&[MAP, 2, 1, b'x', NULL, 1, b'x', NULL]), Error::Order),
        ] {
            assert_eq!(decode(&bytes), Err(refused), "{bytes:?}");
        }
    }

    #[test]
    fn lengths_beyond_the_input_reserve_nothing() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
        for tag in [STRING, BYTES, STRING_SET, NUMBER_SET, BYTES_SET, LIST, MAP] {
            let refused = decode(&with_value(&[&[tag], &huge[..]].concat()));
            assert!(matches!(refused, Err(Error::Truncated | Error::Number)), "{tag}: {refused:?}");
        }
    }

    #[test]
    fn depth_is_checked_before_the_descent() {
        let deepest = item(nested(NESTING_MAX));
        assert_eq!(decode(&encode(&deepest)), Ok(deepest));
        assert_eq!(decode(&encode(&item(nested(NESTING_MAX + 1)))), Err(Error::Nesting));
        assert_eq!(decode(&with_value(&[LIST, 1].repeat(1_000_000))), Err(Error::Nesting));
    }

    proptest! {
        #[test]
        fn round_trip(item in any_item()) {
            prop_assert_eq!(decode(&encode(&item)), Ok(item));
        }

        #[test]
        fn one_item_has_one_byte_string(
            item in any_item(),
            at in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let mut bytes = encode(&item);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(other) = decode(&bytes) {
                prop_assert_eq!(encode(&other), bytes);
            }
        }

        #[test]
        fn truncated_bytes_are_refused(item in any_item(), at in any::<prop::sample::Index>()) {
            let bytes = encode(&item);
            prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn random_bytes_never_panic(
            bytes in proptest::collection::vec(prop_oneof![0..12_u8, any::<u8>()], 0..60),
        ) {
            let bytes = [vec![VERSION], bytes].concat();
            if let Ok(item) = decode(&bytes) {
                prop_assert_eq!(encode(&item), bytes);
            }
        }
    }
}
