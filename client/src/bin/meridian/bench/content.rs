//! What the items of a benchmark look like, and where each lies.
//!
//! Item `n` of a table without a sort key has a key of its own. With a sort key, items lie in groups that a
//! query reads from: neighbouring numbers in different groups, so that inserts spread, and the rows of a
//! group in the order of their numbers. Neither depends on how many items there are, so that runs with
//! different counts can share a table.

use proto::v1::AttributeValue;
use proto::v1::attribute_value::Value;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt};

use crate::shape::Attributes;

/// The partition key.
pub(super) const ID: &str = "id";
/// The sort key.
pub(super) const PLACE: &str = "place";
/// What is counted up.
pub(super) const VISITS: &str = "visits";
/// What fills an item up to its size.
pub(super) const PAYLOAD: &str = "payload";

/// Groups that are filled at once.
const GROUPS: u64 = 16;
/// Rows of a group: more than the longest page.
const ROWS: u64 = 128;
/// Random bytes that payloads are cut from.
const POOL_SLACK_BYTES: usize = 4096;

/// Makes items and keys.
#[derive(Clone, Debug)]
pub(super) struct Content {
    has_sort_key: bool,
    payload_bytes: usize,
    /// Random, so that compression gains nothing; payloads are slices of it, since drawing each would cost
    /// more than sending it.
    pool: Vec<u8>,
}

impl Content {
    /// Items of so many bytes by DynamoDB's rules, but for a digit or two of a row's number.
    pub(super) fn new(has_sort_key: bool, item_bytes: usize, random: &mut SmallRng) -> Content {
        let mut content = Content { has_sort_key, payload_bytes: 0, pool: Vec::new() };
        let bare = content.item(0, random);
        let bare_bytes: usize = bare.iter().map(|(name, value)| name.len() + value_bytes(value)).sum();
        content.payload_bytes = item_bytes.saturating_sub(bare_bytes);
        content.pool = vec![0; content.payload_bytes + POOL_SLACK_BYTES];
        random.fill_bytes(&mut content.pool);
        content
    }

    /// The key of item `n`.
    pub(super) fn key(&self, number: u64) -> Attributes {
        if !self.has_sort_key {
            return [(ID.to_owned(), text(format!("item{number:012}")))].into();
        }
        let (group, row) = place(number);
        [(ID.to_owned(), group_id(group)), (PLACE.to_owned(), digits(row))].into()
    }

    /// Item `n`, whole.
    pub(super) fn item(&self, number: u64, random: &mut SmallRng) -> Attributes {
        let mut item = self.key(number);
        item.insert(VISITS.to_owned(), digits(0));
        item.insert(PAYLOAD.to_owned(), self.payload(random));
        item
    }

    /// A payload.
    pub(super) fn payload(&self, random: &mut SmallRng) -> AttributeValue {
        let from = random.random_range(0..=self.pool.len() - self.payload_bytes);
        let bytes = self.pool[from..from + self.payload_bytes].to_vec();
        AttributeValue { value: Some(Value::B(bytes)) }
    }

    /// The group of item `n`, and the row from which a page of so many items holds it if it can be full.
    pub(super) fn page(&self, number: u64, items: u32) -> (AttributeValue, AttributeValue) {
        let (group, row) = place(number);
        (group_id(group), digits(row.min(ROWS.saturating_sub(u64::from(items)))))
    }
}

/// Group and row of item `n`.
fn place(number: u64) -> (u64, u64) {
    let (block, within) = (number / (GROUPS * ROWS), number % (GROUPS * ROWS));
    (block * GROUPS + within % GROUPS, within / GROUPS)
}

fn group_id(group: u64) -> AttributeValue {
    text(format!("group{group:08}"))
}

fn text(text: String) -> AttributeValue {
    AttributeValue { value: Some(Value::S(text)) }
}

/// A whole number.
pub(super) fn digits(number: u64) -> AttributeValue {
    AttributeValue { value: Some(Value::N(number.to_string())) }
}

/// The sizes of the values that stand in these items.
fn value_bytes(value: &AttributeValue) -> usize {
    let value = proto::convert::value_from(value.clone());
    value.map_or(0, |value| item::size::value_bytes(&value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proto::convert::item_from;
    use rand::SeedableRng;
    use types::limits::{BENCH_ITEM_BYTES_MIN, BENCH_KEYS_MAX, BENCH_PAGE_ITEMS_MAX, ITEM_BYTES_MAX};

    use super::*;

    #[test]
    fn items_have_the_size_that_was_asked_for() {
        let mut random = SmallRng::seed_from_u64(1);
        for bytes in [BENCH_ITEM_BYTES_MIN, 300, ITEM_BYTES_MAX] {
            let simple = Content::new(false, bytes, &mut random);
            let size = item::size::item_size(&item_from(simple.item(77, &mut random)).unwrap());
            assert_eq!(size, bytes);
            let grouped = Content::new(true, bytes, &mut random);
            let first = item_from(grouped.item(0, &mut random)).unwrap();
            assert_eq!(item::size::item_size(&first), bytes);
        }
    }

    #[test]
    fn every_item_has_a_key_of_its_own() {
        let places: BTreeSet<(u64, u64)> = (0..10_000).map(place).collect();
        assert_eq!(places.len(), 10_000);
        assert_eq!(place(1), (1, 0));
        assert_eq!(place(GROUPS), (0, 1));
        assert_eq!(place(GROUPS * ROWS), (GROUPS, 0));
        assert_eq!(place(BENCH_KEYS_MAX).0.to_string().len(), 6);
    }

    #[test]
    fn a_page_is_full_in_a_full_group() {
        let content = Content::new(true, 300, &mut SmallRng::seed_from_u64(1));
        let from = |number, items| content.page(number, items).1;
        assert_eq!(from(0, 20), digits(0));
        assert_eq!(from(GROUPS * 50, 20), digits(50));
        assert_eq!(from(GROUPS * (ROWS - 1), 20), digits(ROWS - 20));
        assert_eq!(from(GROUPS * 50, BENCH_PAGE_ITEMS_MAX), digits(0));
    }
}
