//! What every stored item must satisfy: names, depth, sets, size, key attributes.
//!
//! Depth is counted before anything recurses, so that no item makes a check overflow the stack.

use types::{KeySchema, KeyType, limits};

use crate::{AttributeValue, Item, size};

/// Why an attribute, or an item as a whole, was refused. Where DynamoDB has a wording it is used, because its
/// users search for it. Values never appear: messages end up in logs.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidAttribute {
    /// An attribute's name, or a name in a map within it, is empty or too long.
    #[error("an attribute name must be 1 to {max} bytes: got {bytes} bytes{}", place(.within),
        max = limits::ATTRIBUTE_NAME_BYTES_MAX)]
    Name {
        /// Within which attribute; empty for the attribute's own name.
        within: String,
        /// Its length.
        bytes: usize,
    },
    /// A set without members.
    #[error("One or more parameter values were invalid: attribute {attribute}: a set may not be empty")]
    EmptySet {
        /// Within which attribute.
        attribute: String,
    },
    /// Lists and maps nested too deep.
    #[error("Nesting Levels have exceeded supported limits: attribute {attribute} exceeds {max} levels",
        max = limits::NESTING_MAX)]
    Nesting {
        /// Which attribute.
        attribute: String,
    },
    /// The item is too large.
    #[error("Item size has exceeded the maximum allowed size of {max} bytes: got {bytes} bytes",
        max = limits::ITEM_BYTES_MAX)]
    ItemSize {
        /// Its size by DynamoDB's rules.
        bytes: usize,
    },
    /// A key attribute is missing from an item.
    #[error("One or more parameter values were invalid: Missing the key {attribute} in the item")]
    KeyMissing {
        /// Which.
        attribute: String,
    },
    /// A key attribute has another type than the table's key.
    #[error(
        "One or more parameter values were invalid: Type mismatch for key {attribute} expected: {expected:?} \
        actual: {got}"
    )]
    KeyType {
        /// Which.
        attribute: String,
        /// What the table demands.
        expected: KeyType,
        /// The type of what was given.
        got: &'static str,
    },
    /// A key attribute is empty.
    #[error("One or more parameter values are not valid: key attribute {attribute} must not be empty")]
    KeyEmpty {
        /// Which.
        attribute: String,
    },
    /// A key attribute is too long.
    #[error(
        "One or more parameter values were invalid: key attribute {attribute} has {bytes} bytes: the limit \
        is {max}"
    )]
    KeyLength {
        /// Which.
        attribute: String,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        max: usize,
    },
    /// A key with attributes that do not belong to it.
    #[error("The provided key element does not match the schema: {attribute} is no part of the table's key")]
    KeyExtra {
        /// Which.
        attribute: String,
    },
    /// A key without one of its attributes.
    #[error("The provided key element does not match the schema: {attribute} is missing")]
    KeyIncomplete {
        /// Which.
        attribute: String,
    },
    /// A sort key's value for a table without one.
    #[error("The provided key element does not match the schema: the table has no sort key")]
    NoSortKey,
}

/// Checks a whole item, and its key attributes if the table's key is given.
pub fn check_item(item: &Item, key: Option<&KeySchema>) -> Result<(), InvalidAttribute> {
    for (name, value) in item {
        check_name("", name)?;
        check_value(name, value)?;
    }
    let bytes = size::item_size(item);
    if bytes > limits::ITEM_BYTES_MAX {
        return Err(InvalidAttribute::ItemSize { bytes });
    }
    match key {
        Some(key) => crate::Key::of_item(key, item).map(|_| ()),
        None => Ok(()),
    }
}

fn place(within: &str) -> String {
    if within.is_empty() { String::new() } else { format!(" within attribute {within}") }
}

fn check_name(within: &str, name: &str) -> Result<(), InvalidAttribute> {
    match name.len() {
        1..=limits::ATTRIBUTE_NAME_BYTES_MAX => Ok(()),
        bytes => Err(InvalidAttribute::Name { within: within.to_owned(), bytes }),
    }
}

/// Walks a value with a stack of its own.
fn check_value(attribute: &str, value: &AttributeValue) -> Result<(), InvalidAttribute> {
    let mut waiting = vec![(value, 0)];
    while let Some((value, depth)) = waiting.pop() {
        let empty = match value {
            AttributeValue::Ss(set) => set.is_empty(),
            AttributeValue::Ns(set) => set.is_empty(),
            AttributeValue::Bs(set) => set.is_empty(),
            AttributeValue::L(list) => {
                waiting.extend(list.iter().map(|value| (value, depth + 1)));
                false
            }
            AttributeValue::M(map) => {
                map.keys().try_for_each(|name| check_name(attribute, name))?;
                waiting.extend(map.values().map(|value| (value, depth + 1)));
                false
            }
            _ => false,
        };
        if empty {
            return Err(InvalidAttribute::EmptySet { attribute: attribute.to_owned() });
        }
        let nests = matches!(value, AttributeValue::L(_) | AttributeValue::M(_));
        if nests && depth >= limits::NESTING_MAX {
            return Err(InvalidAttribute::Nesting { attribute: attribute.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use types::KeyAttribute;

    use super::*;
    use crate::value::tests::nested;

    fn of(name: &str, value: AttributeValue) -> Item {
        Item::from([(name.to_owned(), value)])
    }

    fn map(name: &str, value: AttributeValue) -> AttributeValue {
        AttributeValue::M(of(name, value))
    }

    #[test]
    fn thirty_two_levels_and_no_more() {
        assert_eq!(check_item(&of("a", nested(32)), None), Ok(()));
        let refused = check_item(&of("a", nested(33)), None).unwrap_err();
        assert_eq!(refused, InvalidAttribute::Nesting { attribute: "a".into() });
        let message = "Nesting Levels have exceeded supported limits: attribute a exceeds 32 levels";
        assert_eq!(refused.to_string(), message);
    }

    #[test]
    fn names_are_bounded_at_any_depth() {
        let longest = "x".repeat(limits::ATTRIBUTE_NAME_BYTES_MAX);
        for name in ["", &format!("{longest}x")] {
            let refused =
                |within: &str| Err(InvalidAttribute::Name { within: within.into(), bytes: name.len() });
            assert_eq!(check_item(&of(name, AttributeValue::Null), None), refused(""));
            let value = AttributeValue::L(vec![map(name, AttributeValue::Null)]);
            assert_eq!(check_item(&of("a", value), None), refused("a"));
        }
        assert_eq!(check_item(&of(&longest, map(&longest, AttributeValue::Null)), None), Ok(()));
        let refused = check_item(&of("a", map("", AttributeValue::Null)), None).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "an attribute name must be 1 to 65535 bytes: got 0 bytes within attribute a"
        );
    }

    #[test]
    fn sets_have_members_at_any_depth() {
        let refused = Err(InvalidAttribute::EmptySet { attribute: "s".into() });
        for empty in [
            AttributeValue::Ss(Default::default()),
            AttributeValue::Ns(Default::default()),
            AttributeValue::Bs(Default::default()),
        ] {
            assert_eq!(check_item(&of("s", empty.clone()), None), refused);
            assert_eq!(check_item(&of("s", map("m", AttributeValue::L(vec![empty]))), None), refused);
        }
        for empty in
            [AttributeValue::L(vec![]), AttributeValue::M(Item::new()), AttributeValue::S(String::new())]
        {
            assert_eq!(check_item(&of("s", empty), None), Ok(()));
        }
    }

    #[test]
    fn four_hundred_kilobytes_and_no_more() {
        let large = |bytes: usize| of("b", AttributeValue::B(vec![0; bytes - 1]));
        assert_eq!(check_item(&large(limits::ITEM_BYTES_MAX), None), Ok(()));
        let bytes = limits::ITEM_BYTES_MAX + 1;
        assert_eq!(check_item(&large(bytes), None), Err(InvalidAttribute::ItemSize { bytes }));
    }

    #[test]
    fn the_key_is_checked_when_the_schema_is_known() {
        let partition = KeyAttribute { name: "k".into(), key_type: KeyType::S };
        let schema = KeySchema { partition, sort: None };
        let check = |item: &Item| check_item(item, Some(&schema));
        assert_eq!(check(&of("k", AttributeValue::S("x".into()))), Ok(()));
        assert_eq!(check(&Item::new()), Err(InvalidAttribute::KeyMissing { attribute: "k".into() }));
        let refused = check(&of("k", AttributeValue::Null)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "One or more parameter values were invalid: Type mismatch for key k expected: S actual: NULL"
        );
    }
}
