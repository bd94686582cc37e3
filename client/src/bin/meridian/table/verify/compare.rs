//! Compares what regions answered: pure functions of the answers.

use std::collections::BTreeMap;

use proto::convert::item_from;
use proto::v1::{DigestTableResponse, HashRange, Item, ListVersionsResponse};

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

/// The keys that are not the same everywhere. A key counts as missing only from a list that is whole.
pub(super) fn differences(lists: Vec<ListVersionsResponse>) -> Vec<Difference> {
    let regions = lists.len();
    let cut: Vec<bool> = lists.iter().map(|list| list.more).collect();
    let mut keys: BTreeMap<Vec<u8>, Found> = BTreeMap::new();
    for (region, list) in lists.into_iter().enumerate() {
        for version in list.keys {
            let Some(key) = version.key else { continue };
            let Ok(item) = item_from(key.attributes.clone()) else { continue };
            let entry = keys.entry(item::codec::encode(&item));
            let (_, found) = entry.or_insert_with(|| (key, vec![None; regions]));
            found[region] = Some((version.time, version.digest));
        }
    }
    let unsure =
        |found: &[Option<Record>]| found.iter().zip(&cut).any(|(found, cut)| found.is_none() && *cut);
    keys.into_values()
        .filter(|(_, found)| found.windows(2).any(|pair| pair[0] != pair[1]) && !unsure(found))
        .map(|(key, found)| Difference { key, states: states(&found) })
        .collect()
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

    fn key(id: &str) -> Item {
        let item = [("id".to_owned(), AttributeValue::S(id.to_owned()))].into_iter().collect();
        Item { attributes: item_into(item) }
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
        let found = differences(lists);
        let newest = |time| State::Newest { time };
        assert_eq!(
            found,
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
    fn a_list_that_was_cut_proves_nothing_missing() {
        let lists = vec![list(true, &[("a", 5, 1)]), list(false, &[("a", 6, 1), ("b", 5, 1)])];
        let found = differences(lists);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key, key("a"));
    }
}
