//! How large an item is, by DynamoDB's rules.
//!
//! Source: the developer guide, "Capacity unit consumption": a name counts its UTF-8 bytes; a string its
//! bytes; a number about one byte for two digits and one more; null and bool one; a list or map three and one
//! for each element.

use crate::{AttributeValue, Item};

/// The size of an item in bytes, names and values together.
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// The size of a value in bytes, without its name. The value's depth was bounded when it was built.
pub fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::Bool(_) | AttributeValue::Null => 1,
        AttributeValue::Ss(set) => set.iter().map(String::len).sum(),
        AttributeValue::Ns(set) => set.iter().map(number_size).sum(),
        AttributeValue::Bs(set) => set.iter().map(Vec::len).sum(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| value_bytes(value) + 1).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| name.len() + value_bytes(value) + 1).sum::<usize>()
        }
    }
}

/// The guide's "about", made exact: two digits a byte, begun pairs counting whole, and one byte more; below
/// zero yet another, since the guide has numbers of up to 21 bytes.
fn number_size(number: &crate::Number) -> usize {
    number.significant_digits().div_ceil(2) + 1 + usize::from(number.is_negative())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Number;

    #[test]
    fn sizes_follow_the_guide() {
        let number = |text: &str| AttributeValue::N(Number::parse(text).expect("a number"));
        assert_eq!(value_bytes(&number("0")), 1);
        assert_eq!(value_bytes(&number("1234")), 3);
        assert_eq!(value_bytes(&number("-1234")), 4);
        assert_eq!(value_bytes(&number("12300")), 3, "trailing zeros do not count");
        assert_eq!(value_bytes(&AttributeValue::Null), 1);
        let list = AttributeValue::L(vec![AttributeValue::S("ab".into()), AttributeValue::Bool(true)]);
        assert_eq!(value_bytes(&list), 3 + 3 + 2);
        let item = Item::from([("名".to_owned(), AttributeValue::M([("x".to_owned(), list)].into()))]);
        assert_eq!(item_size(&item), 3 + 3 + 1 + 8 + 1);
    }
}
