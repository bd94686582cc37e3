//! Compares what regions answered: pure functions of the answers.

use std::collections::BTreeMap;

use client::Error;
use item::Key;
use proto::convert::item_from;
use proto::v1::{DigestTableResponse, HashRange, Item, ListVersionsResponse};
use types::KeySchema;

use crate::failure::Failure;

/// What a region says of a part: how many records, and their digest.
type Digest<'a> = (u64, &'a [u8]);

/// What a region has of a key: its record's time, and the digest of version and body.
type Record = (u64, u64);

/// A key, and what each region has of it.
type Found = (Item, Vec<Option<Record>>);

/// A part of the hash space in which regions differ.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Part {
    /// Which.
    pub(super) range: HashRange,
    /// The most live records that a region has in it.
    pub(super) records: u64,
}

/// A key, and where it stands among the others: lists are in that order.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Place {
    key: Key,
    /// The key's attributes.
    pub(super) attributes: Item,
}

/// What a list of each region shows.
#[derive(PartialEq, Debug)]
pub(super) struct Page {
    /// In key order.
    pub(super) differences: Vec<Difference>,
    /// What it does not show.
    pub(super) rest: Rest,
}

/// What the lists of regions leave to be listed.
#[derive(PartialEq, Debug)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// What lies behind this key.
    Behind(Place),
    /// Something, and no list gets there.
    Unknown,
}

/// A key in which regions differ.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Difference {
    /// The key's attributes.
    pub(super) key: Item,
    /// What each region has, in the order of the regions.
    pub(super) states: Vec<State>,
}

/// What a region has of a key, compared with the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// No live record.
    Missing,
    /// A record older than another region's.
    Older {
        /// Its hybrid time.
        time: u64,
    },
    /// The newest record that any region has.
    Newest {
        /// Its hybrid time.
        time: u64,
    },
    /// A record of the newest time with other contents than the first region that has one.
    Conflicting {
        /// Its hybrid time.
        time: u64,
    },
}

/// Refuses to compare tables that only share their name.
pub(super) fn same_table<'a>(
    endpoints: impl Iterator<Item = &'a str>,
    answers: &[DigestTableResponse],
) -> Result<(), Failure> {
    let mut tables = endpoints.zip(answers);
    let Some((one, first)) = tables.next() else { return Ok(()) };
    match tables.find(|(_, answer)| answer.table_id != first.table_id) {
        None => Ok(()),
        Some((other, answer)) => Err(Failure::OtherTable {
            one: one.to_owned(),
            one_id: first.table_id.clone(),
            other: other.to_owned(),
            other_id: answer.table_id.clone(),
        }),
    }
}

/// The parts whose digests are not the same everywhere, in order.
pub(super) fn differing(answers: &[DigestTableResponse]) -> Vec<Part> {
    let mut parts: BTreeMap<(u64, u64), Vec<Digest<'_>>> = BTreeMap::new();
    for part in answers.iter().flat_map(|answer| &answer.parts) {
        let Some(range) = part.range else { continue };
        parts.entry((range.first, range.last)).or_default().push((part.count, &part.digest));
    }
    let differs = |found: &[Digest<'_>]| {
        found.len() != answers.len() || found.windows(2).any(|pair| pair[0] != pair[1])
    };
    let part = |((first, last), found): ((u64, u64), Vec<Digest<'_>>)| {
        let records = found.iter().map(|(count, _)| *count).max().unwrap_or_default();
        differs(&found).then_some(Part { range: HashRange { first, last }, records })
    };
    parts.into_iter().filter_map(part).collect()
}

/// What one list of each region shows, all of them begun behind the same key.
///
/// Keys are compared up to the end of the list that was cut first, and not beyond: what another region has
/// there, this one may have, too. The next lists begin behind that end, in every region.
pub(super) fn page(
    schema: &KeySchema,
    after: Option<&Place>,
    lists: Vec<ListVersionsResponse>,
) -> Result<Page, Error> {
    let (regions, mut end) = (lists.len(), None::<Place>);
    let mut keys: BTreeMap<Key, Found> = BTreeMap::new();
    for (region, list) in lists.into_iter().enumerate() {
        let mut last = None;
        for version in list.keys {
            let place = place(schema, version.key)?;
            let found = keys.entry(place.key.clone());
            let (_, found) = found.or_insert_with(|| (place.attributes.clone(), vec![None; regions]));
            found[region] = Some((version.time, version.digest));
            last = Some(place);
        }
        if list.more {
            // A server that cuts a list and gets nowhere does not know how to go on.
            let Some(last) = last.filter(|last| after.is_none_or(|after| last.key > after.key)) else {
                return Ok(Page { differences: Vec::new(), rest: Rest::Unknown });
            };
            end = Some(end.filter(|end| end.key <= last.key).unwrap_or(last));
        }
    }
    let within = |key: &Key| {
        after.is_none_or(|after| *key > after.key) && end.as_ref().is_none_or(|end| *key <= end.key)
    };
    let differs = |found: &[Option<Record>]| found.windows(2).any(|pair| pair[0] != pair[1]);
    let differences = keys
        .into_iter()
        .filter(|(key, (_, found))| within(key) && differs(found))
        .map(|(_, (key, found))| Difference { key, states: states(&found) })
        .collect();
    Ok(Page { differences, rest: end.map_or(Rest::Nothing, Rest::Behind) })
}

fn place(schema: &KeySchema, attributes: Option<Item>) -> Result<Place, Error> {
    let lacks = || Error::Incomplete { field: "Keys.Key" };
    let attributes = attributes.ok_or_else(lacks)?;
    let item = item_from(attributes.attributes.clone()).map_err(|_| lacks())?;
    let key = Key::of_key(schema, &item).map_err(|_| lacks())?;
    Ok(Place { key, attributes })
}

fn states(found: &[Option<Record>]) -> Vec<State> {
    let newest_time = found.iter().flatten().map(|(time, _)| *time).max();
    let newest = found.iter().flatten().find(|(time, _)| Some(*time) == newest_time);
    let state = |found: &Option<Record>| match found {
        None => State::Missing,
        Some((time, _)) if Some(*time) != newest_time => State::Older { time: *time },
        Some(record) if Some(record) == newest => State::Newest { time: record.0 },
        Some((time, _)) => State::Conflicting { time: *time },
    };
    found.iter().map(state).collect()
}

#[cfg(test)]
mod tests {
    use item::AttributeValue;
    use proto::convert::item_into;
    use proto::v1::{KeyVersion, PartDigest};
    use types::{KeyAttribute, KeyType};

    use super::*;

    fn answer(table_id: &str, digests: &[(u64, u8)]) -> DigestTableResponse {
        let part = |(index, (count, digest)): (usize, &(u64, u8))| PartDigest {
            range: Some(HashRange { first: index as u64 * 10, last: index as u64 * 10 + 9 }),
            count: *count,
            digest: vec![*digest; 16],
        };
        DigestTableResponse {
            table_id: table_id.to_owned(),
            parts: digests.iter().enumerate().map(part).collect(),
            positions: vec![],
        }
    }

    fn list(more: bool, versions: &[(&str, u64, u64)]) -> ListVersionsResponse {
        let version = |(id, time, digest): &(&str, u64, u64)| KeyVersion {
            key: Some(key(id)),
            time: *time,
            digest: *digest,
        };
        ListVersionsResponse { keys: versions.iter().map(version).collect(), more }
    }

    /// A key of the only partition key, so that keys stand in the order of their sort keys.
    fn key(id: &str) -> Item {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        Item { attributes: item_into([("p".to_owned(), text("p")), ("id".to_owned(), text(id))].into()) }
    }

    fn schema() -> KeySchema {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), key_type: KeyType::S };
        KeySchema { partition: attribute("p"), sort: Some(attribute("id")) }
    }

    fn behind(id: &str) -> Rest {
        Rest::Behind(place(&schema(), Some(key(id))).unwrap())
    }

    /// The keys that a page names, and what it leaves.
    fn named(after: Option<&str>, lists: Vec<ListVersionsResponse>) -> (Vec<Item>, Rest) {
        let after = after.map(|id| place(&schema(), Some(key(id))).unwrap());
        let page = page(&schema(), after.as_ref(), lists).unwrap();
        (page.differences.into_iter().map(|difference| difference.key).collect(), page.rest)
    }

    #[test]
    fn equal_digests_differ_nowhere() {
        let answers = [answer("t", &[(1, 1), (2, 2)]), answer("t", &[(1, 1), (2, 2)])];
        assert!(differing(&answers).is_empty());
    }

    #[test]
    fn a_part_differs_by_digest_or_by_count_in_any_region() {
        let answers = [
            answer("t", &[(1, 1), (2, 2), (3, 3)]),
            answer("t", &[(1, 1), (2, 9), (3, 3)]),
            answer("t", &[(1, 1), (2, 2), (7, 3)]),
        ];
        let parts = differing(&answers);
        let shown: Vec<_> = parts.iter().map(|part| (part.range.first, part.records)).collect();
        assert_eq!(shown, [(10, 2), (20, 7)]);
    }

    #[test]
    fn a_part_that_a_region_does_not_know_differs() {
        assert_eq!(differing(&[answer("t", &[(1, 1)]), answer("t", &[])]).len(), 1);
    }

    #[test]
    fn tables_that_share_a_name_are_not_compared() {
        let answers = [answer("1", &[]), answer("1", &[]), answer("2", &[])];
        assert!(same_table(["a", "b", "c"].into_iter(), &answers[..2]).is_ok());
        let failure = same_table(["a", "b", "c"].into_iter(), &answers).unwrap_err();
        assert_eq!(failure.to_string(), "not the same table: a has id 1, c has id 2");
    }

    #[test]
    fn differing_keys_are_named_with_what_each_region_has() {
        let lists = vec![
            list(false, &[("a", 5, 1), ("b", 5, 1), ("c", 5, 1)]),
            list(false, &[("a", 5, 1), ("b", 7, 2)]),
            list(false, &[("a", 5, 1), ("b", 7, 3), ("c", 5, 1)]),
        ];
        let page = page(&schema(), None, lists).unwrap();
        let newest = |time| State::Newest { time };
        assert_eq!(page.rest, Rest::Nothing);
        assert_eq!(
            page.differences,
            [
                Difference {
                    key: key("b"),
                    states: vec![State::Older { time: 5 }, newest(7), State::Conflicting { time: 7 }],
                },
                Difference { key: key("c"), states: vec![newest(5), State::Missing, newest(5)] },
            ]
        );
    }

    #[test]
    fn nothing_is_missing_beyond_the_end_of_a_cut_list() {
        let lists = vec![
            list(true, &[("a", 5, 1), ("c", 5, 1)]),
            list(true, &[("a", 6, 1), ("b", 5, 1)]),
            list(false, &[("a", 5, 1), ("b", 5, 1), ("c", 5, 1), ("d", 5, 1)]),
        ];
        assert_eq!(named(None, lists), (vec![key("a"), key("b")], behind("b")));
    }

    #[test]
    fn a_page_goes_on_behind_a_key_that_a_region_lacks() {
        let lists = vec![list(false, &[("c", 5, 1)]), list(false, &[("c", 5, 1), ("d", 5, 1)])];
        assert_eq!(named(Some("b"), lists), (vec![key("d")], Rest::Nothing));
    }

    #[test]
    fn lists_that_get_nowhere_end_the_search() {
        for stuck in [list(true, &[]), list(true, &[("a", 5, 1), ("b", 5, 1)])] {
            let lists = vec![list(false, &[("c", 5, 1)]), stuck];
            assert_eq!(named(Some("b"), lists), (vec![], Rest::Unknown));
        }
    }

    #[test]
    fn a_key_that_is_none_of_the_table_is_an_error() {
        let stray = KeyVersion { key: Some(Item::default()), time: 1, digest: 1 };
        let lists = vec![ListVersionsResponse { keys: vec![stray], more: false }];
        assert!(page(&schema(), None, lists).is_err());
    }
}
