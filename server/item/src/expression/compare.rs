//! Comparisons of values, as conditions make them.
//!
//! Values of different types are never equal and have no order. Strings and bytes are compared byte by byte,
//! numbers by value.

use std::cmp::Ordering;

use super::condition_tree::Comparator;
use crate::AttributeValue;

/// Whether two operands compare as asked. What is missing is unequal to everything, and has no order.
pub(crate) fn satisfies(
    comparator: Comparator,
    left: Option<&AttributeValue>,
    right: Option<&AttributeValue>,
) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return comparator == Comparator::NotEqual };
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => order(left, right).is_some_and(Ordering::is_lt),
        Comparator::LessOrEqual => order(left, right).is_some_and(Ordering::is_le),
        Comparator::Greater => order(left, right).is_some_and(Ordering::is_gt),
        Comparator::GreaterOrEqual => order(left, right).is_some_and(Ordering::is_ge),
    }
}

/// The order of two strings, two numbers or two byte strings.
pub(crate) fn order(left: &AttributeValue, right: &AttributeValue) -> Option<Ordering> {
    match (left, right) {
        (AttributeValue::S(left), AttributeValue::S(right)) => Some(left.cmp(right)),
        (AttributeValue::N(left), AttributeValue::N(right)) => Some(left.cmp(right)),
        (AttributeValue::B(left), AttributeValue::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Whether values of a type, given by its short name, have an order.
pub(crate) fn has_order(type_name: &str) -> bool {
    matches!(type_name, "S" | "N" | "B")
}

/// Whether a string or byte string begins with another.
pub(crate) fn begins_with(value: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (value, prefix) {
        (AttributeValue::S(value), AttributeValue::S(prefix)) => value.starts_with(prefix.as_str()),
        (AttributeValue::B(value), AttributeValue::B(prefix)) => value.starts_with(prefix),
        _ => false,
    }
}

/// Whether a string contains another, a set an element, or a list a value.
pub(crate) fn contains(container: &AttributeValue, sought: &AttributeValue) -> bool {
    match (container, sought) {
        (AttributeValue::S(text), AttributeValue::S(part)) => text.contains(part.as_str()),
        (AttributeValue::B(bytes), AttributeValue::B(part)) => contains_bytes(bytes, part),
        (AttributeValue::Ss(set), AttributeValue::S(element)) => set.contains(element),
        (AttributeValue::Ns(set), AttributeValue::N(element)) => set.contains(element),
        (AttributeValue::Bs(set), AttributeValue::B(element)) => set.contains(element),
        (AttributeValue::L(list), element) => list.contains(element),
        _ => false,
    }
}

/// Knuth, Morris and Pratt: linear time whatever the bytes, where a naive search of 200 KB in 400 KB that
/// repeat one byte would hold a shard for seconds.
fn contains_bytes(bytes: &[u8], part: &[u8]) -> bool {
    if part.is_empty() {
        return true;
    }
    let borders = borders(part);
    let mut matched = 0;
    for byte in bytes {
        while matched > 0 && part[matched] != *byte {
            matched = borders[matched - 1];
        }
        matched += usize::from(part[matched] == *byte);
        if matched == part.len() {
            return true;
        }
    }
    false
}

/// For each prefix of a part, the length of its longest proper prefix that is also its suffix.
fn borders(part: &[u8]) -> Vec<usize> {
    let mut borders = vec![0; part.len()];
    let mut matched = 0;
    for at in 1..part.len() {
        while matched > 0 && part[matched] != part[at] {
            matched = borders[matched - 1];
        }
        matched += usize::from(part[matched] == part[at]);
        borders[at] = matched;
    }
    borders
}

/// What `size` gives: UTF-16 units of a string (DynamoDB counts as Java does), bytes, or elements.
pub(crate) fn size(value: &AttributeValue) -> Option<usize> {
    match value {
        AttributeValue::S(text) => Some(text.encode_utf16().count()),
        AttributeValue::B(bytes) => Some(bytes.len()),
        AttributeValue::Ss(set) => Some(set.len()),
        AttributeValue::Ns(set) => Some(set.len()),
        AttributeValue::Bs(set) => Some(set.len()),
        AttributeValue::L(list) => Some(list.len()),
        AttributeValue::M(map) => Some(map.len()),
        AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_found_as_naively(
            bytes in proptest::collection::vec(0_u8..3, 0..40),
            part in proptest::collection::vec(0_u8..3, 0..6),
        ) {
            let naive = part.is_empty() || bytes.windows(part.len()).any(|window| window == part);
            prop_assert_eq!(contains_bytes(&bytes, &part), naive);
        }
    }

    #[test]
    fn strings_are_measured_in_utf_16() {
        assert_eq!(size(&AttributeValue::S("é𝄞".to_owned())), Some(3));
        assert_eq!(size(&AttributeValue::Null), None);
    }
}
