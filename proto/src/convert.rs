//! Attribute values and items, from messages and to them.
//!
//! A message can say what no item is: a value without a type, a set with a member twice. Coming in, these are
//! refused in the words that DynamoDB's JSON has for them, since it is the same values in another spelling;
//! depth is checked before each descent. Going out, nothing can go wrong.

use std::collections::{BTreeMap, BTreeSet};

use item::json::{Cause, InvalidJson};
use item::{AttributeValue, Item, Number};
use types::limits::NESTING_MAX;

use crate::v1;
use crate::v1::attribute_value::Value;

/// An item from the attributes of a message. Errors name the attribute.
pub fn item_from(attributes: BTreeMap<String, v1::AttributeValue>) -> Result<Item, InvalidJson> {
    attributes
        .into_iter()
        .map(|(name, value)| match read(value, 0) {
            Ok(value) => Ok((name, value)),
            Err(cause) => Err(InvalidJson { path: name, cause }),
        })
        .collect()
}

/// A value from a message.
pub fn value_from(value: v1::AttributeValue) -> Result<AttributeValue, InvalidJson> {
    read(value, 0).map_err(InvalidJson::from)
}

/// An item as the attributes of a message.
pub fn item_into(item: Item) -> BTreeMap<String, v1::AttributeValue> {
    item.into_iter().map(|(name, value)| (name, value_into(value))).collect()
}

/// A value as a message.
pub fn value_into(value: AttributeValue) -> v1::AttributeValue {
    let value = match value {
        AttributeValue::S(text) => Value::S(text),
        AttributeValue::N(number) => Value::N(number.to_string()),
        AttributeValue::B(bytes) => Value::B(bytes),
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::Null => Value::Null(true),
        AttributeValue::Ss(set) => Value::Ss(v1::StringSet { values: set.into_iter().collect() }),
        AttributeValue::Ns(set) => {
            Value::Ns(v1::NumberSet { values: set.iter().map(Number::to_string).collect() })
        }
        AttributeValue::Bs(set) => Value::Bs(v1::BinarySet { values: set.into_iter().collect() }),
        AttributeValue::L(list) => Value::L(v1::List { values: list.into_iter().map(value_into).collect() }),
        AttributeValue::M(map) => Value::M(v1::Map { entries: item_into(map) }),
    };
    v1::AttributeValue { value: Some(value) }
}

/// `outer` lists and maps are around the value.
fn read(value: v1::AttributeValue, outer: usize) -> Result<AttributeValue, Cause> {
    let Some(value) = value.value else { return Err(Cause::Types { count: 0 }) };
    Ok(match value {
        Value::S(text) => AttributeValue::S(text),
        Value::N(text) => AttributeValue::N(text.parse::<Number>()?),
        Value::B(bytes) => AttributeValue::B(bytes),
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Null(true) => AttributeValue::Null,
        Value::Null(false) => return Err(Cause::NullFalse),
        Value::Ss(set) => AttributeValue::Ss(members(set.values.into_iter().map(Ok), "SS")?),
        Value::Ns(set) => {
            let numbers = set.values.iter().map(|text| text.parse::<Number>().map_err(Cause::from));
            AttributeValue::Ns(members(numbers, "NS")?)
        }
        Value::Bs(set) => AttributeValue::Bs(members(set.values.into_iter().map(Ok), "BS")?),
        Value::L(_) | Value::M(_) if outer == NESTING_MAX => return Err(Cause::Nesting),
        Value::L(list) => {
            let elements = list.values.into_iter().map(|element| read(element, outer + 1));
            AttributeValue::L(elements.collect::<Result<_, _>>()?)
        }
        Value::M(map) => {
            let entries = map.entries.into_iter().map(|(name, value)| Ok((name, read(value, outer + 1)?)));
            AttributeValue::M(entries.collect::<Result<_, Cause>>()?)
        }
    })
}

fn members<T: Ord>(
    members: impl ExactSizeIterator<Item = Result<T, Cause>>,
    kind: &'static str,
) -> Result<BTreeSet<T>, Cause> {
    let count = members.len();
    let set = members.collect::<Result<BTreeSet<_>, _>>()?;
    match set.len() {
        0 => Err(Cause::EmptySet { kind }),
        distinct if distinct < count => Err(Cause::Duplicate),
        _ => Ok(set),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn any_number() -> impl Strategy<Value = Number> {
        (any::<i64>(), -100i32..100)
            .prop_map(|(digits, exponent)| format!("{digits}E{exponent}").parse().expect("within range"))
    }

    fn any_value() -> impl Strategy<Value = AttributeValue> {
        let leaf = prop_oneof![
            any::<String>().prop_map(AttributeValue::S),
            any_number().prop_map(AttributeValue::N),
            vec(any::<u8>(), 0..20).prop_map(AttributeValue::B),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null),
            btree_set(any::<String>(), 1..4).prop_map(AttributeValue::Ss),
            btree_set(any_number(), 1..4).prop_map(AttributeValue::Ns),
            btree_set(vec(any::<u8>(), 0..5), 1..4).prop_map(AttributeValue::Bs),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                btree_map(any::<String>(), inner, 0..4).prop_map(AttributeValue::M),
            ]
        })
    }

    /// Any item that passes `item::validate`, but for its size.
    pub(crate) fn any_item() -> impl Strategy<Value = Item> {
        btree_map("[a-zé]{1,12}", any_value(), 0..6)
    }

    fn map_of(depth: usize) -> AttributeValue {
        (0..depth).fold(AttributeValue::Null, |inner, _| {
            AttributeValue::M([("a".to_owned(), inner)].into_iter().collect())
        })
    }

    fn deepest() -> BTreeMap<String, v1::AttributeValue> {
        item_into([("deep".to_owned(), map_of(NESTING_MAX))].into_iter().collect())
    }

    fn travels<M: Message + Default + PartialEq + std::fmt::Debug>(message: M) {
        assert_eq!(M::decode(message.encode_to_vec().as_slice()), Ok(message));
    }

    proptest! {
        #[test]
        fn items_round_trip_through_bytes(item in btree_map(any::<String>(), any_value(), 0..5)) {
            let message = v1::Item { attributes: item_into(item.clone()) };
            let bytes = message.encode_to_vec();
            let decoded = v1::Item::decode(bytes.as_slice()).expect("what was just encoded");
            prop_assert_eq!(item_from(decoded.attributes), Ok(item));
        }

        #[test]
        fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
            if let Ok(message) = v1::PutItemRequest::decode(bytes.as_slice()) {
                let _ = item_from(message.item);
            }
        }
    }

    #[test]
    fn the_deepest_item_fits_every_message_that_carries_items() {
        let item = v1::Item { attributes: deepest() };
        travels(v1::PutItemRequest { item: deepest(), ..Default::default() });
        travels(v1::UpdateItemRequest { expression_attribute_values: deepest(), ..Default::default() });
        travels(v1::GetItemResponse { item: Some(item.clone()) });
        travels(v1::ScanResponse { items: vec![item.clone()], ..Default::default() });
        let failed = v1::ConditionCheckFailed { item: Some(item.clone()) };
        travels(v1::PutItemResponse { attributes: None, condition_check_failed: Some(failed) });
        let write = v1::WriteRequest { put_item: deepest(), delete_key: BTreeMap::new() };
        let writes = v1::TableWrites { table_name: "t".to_owned(), requests: vec![write] };
        travels(v1::BatchWriteItemRequest { request_items: vec![writes] });
        let items = v1::TableItems { table_name: "t".to_owned(), items: vec![item] };
        travels(v1::BatchGetItemResponse { responses: vec![items], unprocessed_keys: vec![] });
    }

    #[test]
    fn one_level_more_is_refused_by_name() {
        assert!(value_from(value_into(map_of(NESTING_MAX))).is_ok());
        let item = [("deep".to_owned(), map_of(NESTING_MAX + 1))].into_iter().collect();
        let error = InvalidJson { path: "deep".to_owned(), cause: Cause::Nesting };
        assert_eq!(item_from(item_into(item)), Err(error));
    }

    #[test]
    fn what_no_item_is_is_refused() {
        let strings = |values: &[&str]| values.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let cases = [
            (None, Cause::Types { count: 0 }),
            (Some(Value::Null(false)), Cause::NullFalse),
            (Some(Value::Ss(v1::StringSet { values: vec![] })), Cause::EmptySet { kind: "SS" }),
            (Some(Value::Ss(v1::StringSet { values: strings(&["a", "a"]) })), Cause::Duplicate),
            (Some(Value::Ns(v1::NumberSet { values: strings(&["1", "1.0"]) })), Cause::Duplicate),
            (Some(Value::Bs(v1::BinarySet { values: vec![] })), Cause::EmptySet { kind: "BS" }),
        ];
        for (value, cause) in cases {
            assert_eq!(value_from(v1::AttributeValue { value }), Err(InvalidJson::from(cause)));
        }
        let number = v1::AttributeValue { value: Some(Value::N("1e999".to_owned())) };
        assert!(matches!(value_from(number), Err(InvalidJson { cause: Cause::Number(_), .. })));
    }
}
