//! Attribute values of all DynamoDB types.
//!
//! Maps and sets are ordered, so that equal items have equal bytes. Depth is bounded by whoever builds a
//! value (`NESTING_MAX`), never by the value itself: decoders check it before they build.

use std::collections::{BTreeMap, BTreeSet};

use crate::Number;

/// An item: attribute names and their values.
pub type Item = BTreeMap<String, AttributeValue>;

/// One value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number of up to 38 digits.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// True or false.
    Bool(bool),
    /// Null.
    Null,
    /// A set of strings, never empty.
    Ss(BTreeSet<String>),
    /// A set of numbers, never empty.
    Ns(BTreeSet<Number>),
    /// A set of byte strings, never empty.
    Bs(BTreeSet<Vec<u8>>),
    /// A list.
    L(Vec<AttributeValue>),
    /// A map.
    M(BTreeMap<String, AttributeValue>),
}

impl AttributeValue {
    /// DynamoDB's short name of the value's type, as `attribute_type` takes it.
    pub fn type_name(&self) -> &'static str {
        match self {
            AttributeValue::S(_) => "S",
            AttributeValue::N(_) => "N",
            AttributeValue::B(_) => "B",
            AttributeValue::Bool(_) => "BOOL",
            AttributeValue::Null => "NULL",
            AttributeValue::Ss(_) => "SS",
            AttributeValue::Ns(_) => "NS",
            AttributeValue::Bs(_) => "BS",
            AttributeValue::L(_) => "L",
            AttributeValue::M(_) => "M",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::number::tests::any_number;

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-c]{0,3}", ".{0,12}", Just("\0".to_owned())]
    }

    /// Values of all types, a few levels deep.
    pub(crate) fn any_value() -> impl Strategy<Value = AttributeValue> {
        let leaf = prop_oneof![
            any_text().prop_map(AttributeValue::S),
            any_number().prop_map(AttributeValue::N),
            any::<Vec<u8>>().prop_map(AttributeValue::B),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null),
            btree_set(any_text(), 1..5).prop_map(AttributeValue::Ss),
            btree_set(any_number(), 1..5).prop_map(AttributeValue::Ns),
            btree_set(vec(any::<u8>(), 0..5), 1..5).prop_map(AttributeValue::Bs),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                btree_map(any_text(), inner, 0..4).prop_map(AttributeValue::M),
            ]
        })
    }

    /// Items of a few attributes.
    pub(crate) fn any_item() -> impl Strategy<Value = Item> {
        btree_map(any_text(), any_value(), 0..5)
    }

    /// Null within this many lists and maps by turns.
    pub(crate) fn nested(levels: usize) -> AttributeValue {
        (0..levels).fold(AttributeValue::Null, |value, level| match level % 2 {
            0 => AttributeValue::L(vec![value]),
            _ => AttributeValue::M([("m".to_owned(), value)].into()),
        })
    }
}
