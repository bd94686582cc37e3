//! Items as stored, straight to messages: what `convert` and prost make of them, without building either.
//!
//! Sets, lists and maps are rare, and go the long way.

use bytes::Bytes;
use item::Stored;
use item::codec::Raw;
use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};

use crate::convert;

// Keys of fields, as protobuf writes them: the number, and whether a varint or bytes with a length follow.
const RESPONSE_ITEM: u8 = 1 << 3 | LENGTH;
const ITEM_ATTRIBUTES: u8 = 1 << 3 | LENGTH;
const ENTRY_NAME: u8 = 1 << 3 | LENGTH;
const ENTRY_VALUE: u8 = 2 << 3 | LENGTH;
const VALUE_S: u8 = 1 << 3 | LENGTH;
const VALUE_N: u8 = 2 << 3 | LENGTH;
const VALUE_B: u8 = 3 << 3 | LENGTH;
const VALUE_BOOL: u8 = 4 << 3;
const VALUE_NULL: u8 = 5 << 3;
const LENGTH: u8 = 2;

/// The most that stands before the attributes of a `GetItemResponse`: a key and a length.
const HEADER_BYTES_MAX: usize = 11;
/// What an attribute takes beside its name and value, about.
const AROUND_BYTES: usize = 16;

/// The bytes of a `GetItemResponse` with this item.
pub fn get_item_response(item: &Stored) -> Bytes {
    let mut out = Vec::with_capacity(HEADER_BYTES_MAX + item.bytes().len() + 8 * AROUND_BYTES);
    out.resize(HEADER_BYTES_MAX, 0);
    item.visit(|name, value| put_attribute(&mut out, name, value));
    // The header goes right before the attributes, once their length is known.
    let mut header = vec![RESPONSE_ITEM];
    encode_varint((out.len() - HEADER_BYTES_MAX) as u64, &mut header);
    let begin = HEADER_BYTES_MAX - header.len();
    out[begin..HEADER_BYTES_MAX].copy_from_slice(&header);
    Bytes::from(out).slice(begin..)
}

fn put_attribute(out: &mut Vec<u8>, name: &str, value: Raw<'_>) {
    match value {
        Raw::S(text) => put_entry(out, name, field_len(text.len()), |out| put(out, VALUE_S, text.as_bytes())),
        Raw::B(bytes) => put_entry(out, name, field_len(bytes.len()), |out| put(out, VALUE_B, bytes)),
        Raw::N(number) => {
            let text = number.to_string();
            put_entry(out, name, field_len(text.len()), |out| put(out, VALUE_N, text.as_bytes()));
        }
        Raw::Bool(value) => put_entry(out, name, 2, |out| out.extend([VALUE_BOOL, u8::from(value)])),
        Raw::Null => put_entry(out, name, 2, |out| out.extend([VALUE_NULL, 1])),
        Raw::Other(value) => {
            let value = convert::value_into(value).encode_to_vec();
            put_entry(out, name, value.len(), |out| out.extend(&value));
        }
    }
}

/// An entry of the map of attributes, whose value's message takes so many bytes.
fn put_entry(out: &mut Vec<u8>, name: &str, value_len: usize, put_value: impl FnOnce(&mut Vec<u8>)) {
    out.push(ITEM_ATTRIBUTES);
    encode_varint((field_len(name.len()) + field_len(value_len)) as u64, out);
    put(out, ENTRY_NAME, name.as_bytes());
    out.push(ENTRY_VALUE);
    encode_varint(value_len as u64, out);
    put_value(out);
}

/// A field of bytes: key, length, bytes.
fn put(out: &mut Vec<u8>, key: u8, bytes: &[u8]) {
    out.push(key);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn field_len(bytes: usize) -> usize {
    1 + encoded_len_varint(bytes as u64) + bytes
}

#[cfg(test)]
mod tests {
    use item::Item;
    use proptest::prelude::*;

    use super::*;
    use crate::convert::tests::any_item;
    use crate::v1::{self, GetItemResponse};

    proptest! {
        #[test]
        fn the_response_is_what_the_long_way_makes(item in any_item()) {
            let stored = Stored::new(&item::codec::encode(&item)).unwrap();
            let item = Some(v1::Item { attributes: convert::item_into(item) });
            prop_assert_eq!(get_item_response(&stored), GetItemResponse { item }.encode_to_vec());
        }
    }

    #[test]
    fn an_item_without_attributes_is_not_an_absent_one() {
        let stored = Stored::new(&item::codec::encode(&Item::new())).unwrap();
        let decoded = GetItemResponse::decode(get_item_response(&stored)).unwrap();
        assert_eq!(decoded.item, Some(v1::Item::default()));
    }
}
