//! What an answer tells a client of each key that it asked about.
//!
//! A key that a read covered and did not show has no item: what a page or a batch leaves out, the checkers
//! take for absent. What it hands back or leaves to the next page, it did not do.

use std::collections::BTreeMap;

use item::operation::{BatchWriteEntry, Operation};
use item::outcome::{Answer, BatchGot, Page};
use item::{Error, Item, Kind, Outcome};

use crate::history::{self, Issued, Told};

use super::Waiting;

/// What a client learns from an answer.
pub(super) struct Answered {
    /// Of each part of its request.
    pub(super) told: Vec<Told>,
    /// What it asks for next to get the rest.
    pub(super) rest: Option<Waiting>,
}

impl Answered {
    /// The same of every part.
    pub(super) fn alike(waiting: &Waiting, told: Told) -> Answered {
        Answered { told: vec![told; waiting.parts.len()], rest: None }
    }
}

/// Reads an answer; `None` for one that no client should ever get. `keys` are the table's, by number.
pub(super) fn interpret(
    keys: &[Item],
    waiting: &Waiting,
    result: &Result<Answer, Error>,
) -> Option<Answered> {
    let marker = |item: &Item| history::marker_of(item);
    let alike = |told| Some(Answered::alike(waiting, told));
    let outcome = match result {
        Ok(Answer::Item(outcome)) => outcome,
        Ok(_) => return None,
        Err(Error::ConditionFailed { item }) => {
            return alike(Told::ConditionFailed { shown: item.as_deref().and_then(marker) });
        }
        Err(Error::TableNotFound { .. } | Error::TableInUse { .. }) => return alike(Told::Refused),
        Err(error) => match error.kind() {
            Kind::Retryable => return alike(Told::Refused),
            Kind::Unknown => return alike(Told::Unknown),
            Kind::Client => return None,
        },
    };
    match (&waiting.operation, outcome) {
        (Operation::Get(_), Outcome::Stored(item)) => {
            alike(Told::Read(item.as_ref().and_then(|item| marker(&item.item()))))
        }
        (Operation::Put(_) | Operation::Update(_) | Operation::Delete(_), Outcome::Written(item)) => {
            alike(Told::Written { shown: item.as_ref().and_then(marker) })
        }
        (Operation::BatchWrite(batch), Outcome::Wrote(unprocessed)) => {
            let asked: Vec<_> = batch.tables.values().flatten().collect();
            wrote(&asked, &unprocessed.values().flatten().collect::<Vec<_>>())
        }
        (Operation::BatchGet(_), Outcome::Got(got)) => batch_got(keys, &waiting.parts, got),
        (Operation::Query(_) | Operation::Scan(_), Outcome::Page(page)) => page_shown(keys, waiting, page),
        _ => None,
    }
}

/// Writes that were handed back were not done, all others were.
fn wrote(asked: &[&BatchWriteEntry], unprocessed: &[&BatchWriteEntry]) -> Option<Answered> {
    let told = asked.iter().map(|entry| match unprocessed.contains(entry) {
        true => Told::Refused,
        false => Told::Written { shown: None },
    });
    let told: Vec<_> = told.collect();
    let refused = told.iter().filter(|told| **told == Told::Refused).count();
    (refused == unprocessed.len()).then_some(Answered { told, rest: None })
}

fn batch_got(keys: &[Item], parts: &[Issued], got: &BatchGot) -> Option<Answered> {
    let items: Vec<_> = got.items.values().flatten().collect();
    let shown: BTreeMap<_, _> = shown(keys, parts, &items)?.into_iter().collect();
    let left: Vec<_> = got.unprocessed.values().flat_map(|left| &left.keys).collect();
    let told =
        parts.iter().enumerate().map(|(at, part)| match (left.contains(&&keys[part.key]), shown.get(&at)) {
            (true, None) => Some(Told::Refused),
            (true, Some(_)) => None,
            (false, shown) => Some(Told::Read(shown.copied())),
        });
    let told: Vec<_> = told.collect::<Option<_>>()?;
    let refused = told.iter().filter(|told| **told == Told::Refused).count();
    (refused == left.len() && shown.len() == items.len()).then_some(Answered { told, rest: None })
}

/// A page covers the keys up to its last one, or all of them; its items come in the order asked for. One that
/// ends where somebody else holds what follows covers at least what it shows, and nobody asks on.
fn page_shown(keys: &[Item], waiting: &Waiting, page: &Page) -> Option<Answered> {
    let parts = &waiting.parts;
    let covered = match &page.last {
        Some(last) => 1 + parts.iter().position(|part| keys[part.key] == *last)?,
        None if page.rest.is_some() => match page.items.last() {
            Some(item) => 1 + shown(keys, parts, &[item])?[0].0,
            None => 0,
        },
        None => parts.len(),
    };
    let shown = shown(keys, &parts[..covered], &page.items.iter().collect::<Vec<_>>())?;
    if !shown.is_sorted_by(|(one, _), (other, _)| one < other) || page.count != shown.len() as u64 {
        return None;
    }
    let shown: BTreeMap<_, _> = shown.into_iter().collect();
    let told = (0..parts.len()).map(|at| match at < covered {
        true => Told::Read(shown.get(&at).copied()),
        false => Told::Refused,
    });
    let mut rest = Waiting { parts: parts[covered..].to_vec(), ..waiting.clone() };
    if let Operation::Query(query) = &mut rest.operation {
        query.page.after.clone_from(&page.last);
    } else if let Operation::Scan(scan) = &mut rest.operation {
        scan.page.after.clone_from(&page.last);
    }
    let goes_on = page.rest.is_none() && !rest.parts.is_empty();
    Some(Answered { told: told.collect(), rest: goes_on.then_some(rest) })
}

/// Which part each item is of, and the marker of the write that put it; `None` when one is of no part, or
/// was put by no write.
fn shown(keys: &[Item], parts: &[Issued], items: &[&Item]) -> Option<Vec<(usize, u64)>> {
    let is_of = |key: &Item, item: &Item| key.iter().all(|(name, value)| item.get(name) == Some(value));
    let place = |item: &&Item| {
        let at = parts.iter().position(|part| is_of(&keys[part.key], item))?;
        Some((at, history::marker_of(item)?))
    };
    items.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use item::AttributeValue;
    use item::operation::{BatchGet, BatchWrite, KeysAndOptions, PageOptions, Scan};
    use types::TableName;

    use super::*;
    use crate::history::{Guard, Intent, MARKER};

    fn table() -> TableName {
        TableName::new("movies").unwrap()
    }

    fn key(number: i64) -> Item {
        Item::from([("k".to_owned(), AttributeValue::N(number.into()))])
    }

    fn item(number: i64, marker: i64) -> Item {
        let mut item = key(number);
        item.insert(MARKER.to_owned(), AttributeValue::N(marker.into()));
        item
    }

    fn keys() -> Vec<Item> {
        (0..3).map(key).collect()
    }

    fn waiting(operation: Operation) -> Waiting {
        let intent = Intent::Get;
        let part = |key| Issued { number: 0, key, intent, guard: Guard::Always, marker: 0, request: None };
        Waiting { client: 0, parts: (0..3).map(part).collect(), operation, retries: 0 }
    }

    fn scan() -> Waiting {
        waiting(Operation::Scan(Scan {
            table: table(),
            segment: None,
            from: None,
            page: PageOptions::default(),
        }))
    }

    fn interpreted(waiting: &Waiting, outcome: Outcome) -> Option<Answered> {
        interpret(&keys(), waiting, &Ok(Answer::Item(outcome)))
    }

    fn page(items: &[Item], last: Option<i64>) -> Outcome {
        let (items, count) = (items.to_vec(), items.len() as u64);
        Outcome::Page(Page { items, count, scanned: count, last: last.map(key), rest: None })
    }

    #[test]
    fn a_key_that_a_page_leaves_out_is_absent() {
        let answered = interpreted(&scan(), page(&[item(0, 7), item(2, 9)], None)).unwrap();
        assert_eq!(answered.told, [Told::Read(Some(7)), Told::Read(None), Told::Read(Some(9))]);
        assert!(answered.rest.is_none());
    }

    #[test]
    fn a_page_that_ends_where_others_go_on_tells_of_what_it_shows_and_no_more() {
        let rest = Some((types::NodeId(2), types::KeyHash(9)));
        let (items, last) = (vec![item(1, 7)], None);
        let part = Outcome::Page(Page { items, count: 1, scanned: 1, last, rest });
        let answered = interpreted(&scan(), part).unwrap();
        assert_eq!(answered.told, [Told::Read(None), Told::Read(Some(7)), Told::Refused]);
        assert!(answered.rest.is_none());
    }

    #[test]
    fn a_page_that_ends_early_leaves_the_rest_to_the_next() {
        let answered = interpreted(&scan(), page(&[item(1, 7)], Some(1))).unwrap();
        assert_eq!(answered.told, [Told::Read(None), Told::Read(Some(7)), Told::Refused]);
        let rest = answered.rest.unwrap();
        let Operation::Scan(scan) = rest.operation else { panic!("{:?}", rest.operation) };
        assert_eq!((rest.parts[0].key, scan.page.after), (2, Some(key(1))));
    }

    #[test]
    fn a_page_of_other_items_or_in_another_order_is_found() {
        let wrong = [
            page(&[item(3, 7)], None),
            page(&[key(1)], None),
            page(&[item(1, 7), item(0, 7)], None),
            page(&[item(1, 7), item(1, 7)], None),
            page(&[item(2, 7)], Some(1)),
            page(&[], Some(3)),
        ];
        for outcome in wrong {
            assert!(interpreted(&scan(), outcome.clone()).is_none(), "{outcome:?}");
        }
    }

    #[test]
    fn keys_of_a_batch_are_read_handed_back_or_absent() {
        let wanted = |keys| KeysAndOptions { keys, consistent: true, projection: None };
        let tables = |keys| [(table(), wanted(keys))].into();
        let waiting = waiting(Operation::BatchGet(BatchGet { tables: tables(keys()) }));
        let got = |items, left| {
            let items = [(table(), items)].into();
            interpreted(&waiting, Outcome::Got(BatchGot { items, unprocessed: tables(left) }))
        };
        let told = got(vec![item(2, 9)], vec![key(0)]).unwrap().told;
        assert_eq!(told, [Told::Refused, Told::Read(None), Told::Read(Some(9))]);
        assert!(got(vec![item(0, 9)], vec![key(0)]).is_none(), "read and handed back");
        assert!(got(vec![item(0, 9), item(0, 9)], vec![]).is_none(), "read twice");
        assert!(got(vec![], vec![key(3)]).is_none(), "not asked for");
    }

    #[test]
    fn writes_of_a_batch_are_done_or_handed_back() {
        let entry = |number| BatchWriteEntry::Delete(key(number));
        let tables = [(table(), (0..3).map(entry).collect())].into();
        let waiting = waiting(Operation::BatchWrite(BatchWrite { tables }));
        let left = |left: Vec<_>| interpreted(&waiting, Outcome::Wrote([(table(), left)].into()));
        let done = Told::Written { shown: None };
        assert_eq!(left(vec![entry(1)]).unwrap().told, [done, Told::Refused, done]);
        assert!(left(vec![entry(3)]).is_none(), "not asked for");
        assert!(left(vec![entry(1), entry(1)]).is_none(), "handed back twice");
    }

    #[test]
    fn an_answer_to_something_else_is_found() {
        assert!(interpreted(&scan(), Outcome::Item(None)).is_none());
        assert!(interpreted(&scan(), Outcome::Written(None)).is_none());
    }
}
