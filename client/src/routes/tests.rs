//! What a client knows of leaders, by examples and by any sequence of what it may hear.

use proptest::prelude::*;
use types::KeyType;

use super::*;

const TABLE: &str = "movies";

fn text(value: &str) -> Option<AttributeValue> {
    Some(AttributeValue::S(value.to_owned()))
}

fn part(first: u64, node: u64, leads: bool) -> Part {
    Part { first, node, leads }
}

fn answer(parts: &[Part]) -> Answer {
    Answer {
        id: "1".to_owned(),
        region: "us".to_owned(),
        partition_key: KeyAttribute { name: "id".to_owned(), key_type: KeyType::S },
        parts: parts.to_vec(),
        nodes: (1..=3).map(|node| (node, format!("h:{node}"))).collect(),
    }
}

fn find(routes: &mut Routes, now_ms: u64) -> Found {
    routes.find(TABLE, now_ms, |name| if name == "id" { text("a") } else { None })
}

/// Calls until it is told to ask, at most as often as it takes a fresh table.
fn asks(routes: &mut Routes, now_ms: u64) -> bool {
    (0..ROUTES_CALLS_MIN).any(|_| find(routes, now_ms).ask)
}

/// A client that was answered so, at 0 ms.
fn knowing(parts: &[Part]) -> Routes {
    let mut routes = Routes::default();
    assert!(asks(&mut routes, 0));
    routes.answered(TABLE, answer(parts), 0);
    routes
}

fn leader(routes: &mut Routes) -> Option<u64> {
    find(routes, 0).leader.map(|leader| leader.node)
}

#[test]
fn a_table_in_use_is_asked_about_once() {
    let mut routes = Routes::default();
    for _ in 1..ROUTES_CALLS_MIN {
        assert_eq!(find(&mut routes, 0), Found::default());
    }
    assert!(find(&mut routes, 0).ask);
    assert!(!find(&mut routes, 10 * ROUTES_INTERVAL_MS).ask, "the answer is on its way");
    routes.answered(TABLE, answer(&[part(0, 2, true)]), 0);
    let found = find(&mut routes, 10 * ROUTES_INTERVAL_MS);
    assert_eq!((found.leader.unwrap().address.as_ref(), found.ask), ("h:2", false));
}

#[test]
fn without_an_answer_it_asks_again_a_second_later() {
    let mut routes = Routes::default();
    assert!(asks(&mut routes, 0));
    routes.unanswered(TABLE);
    assert!(!asks(&mut routes, ROUTES_INTERVAL_MS - 1));
    assert!(asks(&mut routes, ROUTES_INTERVAL_MS));
    routes.answered(TABLE, answer(&[part(5, 1, true)]), 0);
    routes.unanswered(TABLE);
    assert_eq!(leader(&mut routes), None, "an answer that lacks the lowest hashes is none");
    assert!(asks(&mut routes, 2 * ROUTES_INTERVAL_MS));
}

#[test]
fn who_answered_in_anothers_place_is_believed_at_once_and_asked_about() {
    let mut routes = knowing(&[part(0, 1, true)]);
    let hash = find(&mut routes, 0).hash.unwrap();
    routes.told(TABLE, hash, 1);
    assert!(!asks(&mut routes, ROUTES_INTERVAL_MS), "that was known");
    routes.told(TABLE, hash, 3);
    assert_eq!(leader(&mut routes), Some(3));
    assert!(asks(&mut routes, ROUTES_INTERVAL_MS));
    // Who was asked knows less, and next who knows better.
    routes.answered(TABLE, answer(&[part(0, 1, false)]), 0);
    assert_eq!(leader(&mut routes), Some(3));
    routes.answered(TABLE, answer(&[part(0, 2, true)]), 0);
    assert_eq!(leader(&mut routes), Some(2));
    routes.told(TABLE, hash, 9);
    assert_eq!(leader(&mut routes), None, "nobody said where that is");
}

#[test]
fn who_does_not_answer_is_no_leader_by_hearsay() {
    let mut routes = knowing(&[part(0, 1, true)]);
    routes.lost(2);
    assert!(!asks(&mut routes, ROUTES_INTERVAL_MS));
    routes.lost(1);
    assert!(asks(&mut routes, ROUTES_INTERVAL_MS));
    routes.answered(TABLE, answer(&[part(0, 2, false)]), 0);
    assert_eq!(leader(&mut routes), Some(2));
    routes.doubt(TABLE);
    assert!(asks(&mut routes, 2 * ROUTES_INTERVAL_MS));
}

#[test]
fn a_region_of_one_node_is_left_alone() {
    let mut routes = knowing(&[part(0, 1, true)]);
    let alone = Answer { nodes: vec![(1, "h:1".to_owned())], ..answer(&[part(0, 1, true)]) };
    routes.answered(TABLE, alone, 0);
    assert!(!asks(&mut routes, ROUTES_REST_MS - 1));
    assert_eq!(leader(&mut routes), None);
    assert!(asks(&mut routes, ROUTES_REST_MS));
}

#[test]
fn a_table_is_the_same_by_its_id_and_region() {
    let routes = knowing(&[part(0, 1, true)]);
    let same = answer(&[]);
    assert!(routes.is_same(TABLE, &same) && !routes.is_same("other", &same));
    assert!(!routes.is_same(TABLE, &Answer { id: "2".to_owned(), ..same.clone() }));
    assert!(!routes.is_same(TABLE, &Answer { region: "eu".to_owned(), ..same }));
}

#[test]
fn what_is_no_key_has_no_place() {
    let mut routes = knowing(&[part(0, 1, true)]);
    for value in [None, Some(AttributeValue::Null), text("")] {
        assert_eq!(routes.find(TABLE, 0, |_| value), Found::default());
    }
    routes.answered(TABLE, answer(&[]), 0);
    let found = find(&mut routes, 0);
    assert!(found.hash.is_some() && found.leader.is_none(), "the region has no copy");
}

#[test]
fn so_many_tables_are_kept_and_the_one_in_use_among_them() {
    let mut routes = knowing(&[part(0, 1, true)]);
    for at in 1..=2 * ROUTES_TABLES_MAX as u64 {
        routes.find(&format!("table{at}"), at, |_| None);
        find(&mut routes, at);
        assert!(routes.tables.len() <= ROUTES_TABLES_MAX);
    }
    assert_eq!(leader(&mut routes), Some(1));
}

#[derive(Clone, Debug)]
enum Event {
    Call(u64),
    Answer(Vec<(u64, u64, bool)>),
    Unanswered,
    Told(u64, u64),
    Doubt,
    Lost(u64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let parts = proptest::collection::vec((0..4u64, 0..5u64, any::<bool>()), 0..4);
    prop_oneof![
        6 => (0..2 * ROUTES_INTERVAL_MS).prop_map(Event::Call),
        2 => parts.prop_map(Event::Answer),
        1 => Just(Event::Unanswered),
        2 => (any::<u64>(), 0..5u64).prop_map(|(hash, node)| Event::Told(hash, node)),
        1 => Just(Event::Doubt),
        1 => (0..5u64).prop_map(Event::Lost),
    ]
}

proptest! {
    #[test]
    fn a_hash_is_led_by_the_last_partition_that_begins_at_or_below_it(
        firsts in proptest::collection::btree_set(any::<u64>(), 0..20),
        key in "[a-z]{1,8}",
    ) {
        let firsts = std::iter::once(0).chain(firsts.into_iter().filter(|first| *first > 0));
        let led = |(at, first)| part(first, at as u64 % 3 + 1, true);
        let parts: Vec<_> = firsts.enumerate().map(led).collect();
        let mut routes = knowing(&parts);
        let found = routes.find(TABLE, 0, |_| text(&key));
        let bytes = item::Key::of_item(
            &KeySchema { partition: answer(&[]).partition_key, sort: None },
            &item::Item::from([("id".to_owned(), AttributeValue::S(key))]),
        );
        let hash = bytes.unwrap().hash;
        let wanted = parts.iter().rfind(|part| part.first <= hash.0).unwrap().node;
        prop_assert_eq!((found.hash, found.leader.unwrap().node), (Some(hash), wanted));
    }

    #[test]
    fn whatever_happens_it_asks_no_oftener_than_it_may_and_names_only_nodes_that_it_was_told_of(
        events in proptest::collection::vec(any_event(), 0..200),
    ) {
        let (mut routes, mut now_ms, mut asked_ms) = (Routes::default(), 0, None);
        for event in events {
            match event {
                Event::Call(later_ms) => {
                    now_ms += later_ms;
                    let found = find(&mut routes, now_ms);
                    if found.ask {
                        prop_assert!(asked_ms.is_none_or(|asked| asked + ROUTES_INTERVAL_MS <= now_ms));
                        asked_ms = Some(now_ms);
                    }
                    if let Some(Leader { node, address }) = found.leader {
                        prop_assert!(node <= 3);
                        prop_assert_eq!(address.to_string(), format!("h:{node}"));
                    }
                }
                Event::Answer(parts) => {
                    let parts = parts.into_iter().map(|(at, node, leads)| part(at, node, leads));
                    let parts: Vec<_> = parts.collect();
                    routes.answered(TABLE, answer(&parts), now_ms);
                }
                Event::Unanswered => routes.unanswered(TABLE),
                Event::Told(hash, node) => routes.told(TABLE, KeyHash(hash), node),
                Event::Doubt => routes.doubt(TABLE),
                Event::Lost(node) => routes.lost(node),
            }
        }
    }
}
