//! Laws that hold of every expression: no text is too strange to be refused properly, what is printed is read
//! back, conditions obey logic, and an update does all that it says or nothing.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::condition_parser::parse_condition;
use super::notation;
use super::projection::parse_projection;
use super::update_parser::parse_update;
use super::{Cause, Condition, Error, KeyCondition, Kind, Projection, Substitutions, Update};
use crate::{AttributeValue, Item};

/// Words that mean something to one grammar or another, and some that mean nothing.
const WORDS: &[&str] = &[
    "a",
    "b",
    "#n",
    ":v",
    ":w",
    "(",
    ")",
    "[",
    "]",
    "0",
    "1",
    ".",
    ",",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "AND",
    "or",
    "NOT",
    "BETWEEN",
    "in",
    "SET",
    "remove",
    "ADD",
    "delete",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
    "if_not_exists",
    "list_append",
    "name",
    "é",
    "$",
    "",
];

fn with() -> Substitutions {
    notation::substitutions("{#n: 'c', :v: 1, :w: 'x', :l: [1], :s: <1, 2>, :t: 'S'}")
}

/// With the substitutions that a text does not mention taken away, so that they are no error.
fn mentioned(text: &str) -> Substitutions {
    let mut with = with();
    with.names.retain(|key, _| text.contains(key.as_str()));
    with.values.retain(|key, _| text.contains(key.as_str()));
    with
}

fn words() -> impl Strategy<Value = String> {
    vec(proptest::sample::select(WORDS), 0..25).prop_map(|words| words.join(" "))
}

fn any_value() -> impl Strategy<Value = AttributeValue> {
    let scalar = prop_oneof![
        (-2_i64..3).prop_map(|number| AttributeValue::N(number.into())),
        "[xy]{0,2}".prop_map(AttributeValue::S),
        vec(0_u8..2, 0..3).prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
        btree_set("[xy]", 1..3).prop_map(AttributeValue::Ss),
        btree_set((0_i64..3).prop_map(Into::into), 1..3).prop_map(AttributeValue::Ns),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(AttributeValue::L),
            btree_map("[abc]", inner, 0..3).prop_map(AttributeValue::M),
        ]
    })
}

fn any_item() -> impl Strategy<Value = Item> {
    btree_map("[abc]", any_value(), 0..4)
}

fn path() -> impl Strategy<Value = String> {
    ("(a|b|#n)", "(\\.a|\\.b|\\.#n|\\[0\\]|\\[1\\]){0,2}").prop_map(|(head, rest)| head + &rest)
}

fn operand() -> impl Strategy<Value = String> {
    prop_oneof![4 => path(), 2 => "(:v|:w)", 1 => path().prop_map(|path| format!("size({path})"))]
}

/// Well-formed conditions, some of which `condition_check` refuses.
fn condition() -> impl Strategy<Value = String> {
    let comparator = proptest::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        (operand(), comparator, operand()).prop_map(|(left, comparator, right)| left
            + " "
            + comparator
            + " "
            + &right),
        (operand(), operand(), operand()).prop_map(|(a, b, c)| format!("{a} BETWEEN {b} AND {c}")),
        (operand(), vec(operand(), 1..4)).prop_map(|(a, list)| format!("{a} IN ({})", list.join(", "))),
        ("attribute_(not_)?exists", path()).prop_map(|(function, path)| format!("{function}({path})")),
        path().prop_map(|path| format!("attribute_type({path}, :t)")),
        (path(), Just("w")).prop_map(|(path, prefix)| format!("begins_with({path}, :{prefix})")),
        (operand(), operand()).prop_map(|(left, right)| format!("contains({left}, {right})")),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(") AND ("))),
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(") or ("))),
            vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" OR ")),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn update() -> impl Strategy<Value = String> {
    let operand = prop_oneof![
        path().boxed(),
        "(:v|:w|:l)".boxed(),
        (path(), "(:v|:l|a)").prop_map(|(path, other)| format!("if_not_exists({path}, {other})")).boxed(),
    ];
    let set = prop_oneof![
        operand.clone().boxed(),
        (operand.clone(), "[+-]", operand.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")).boxed(),
        (operand.clone(), operand).prop_map(|(a, b)| format!("list_append({a}, {b})")).boxed(),
    ];
    let section = |keyword: &'static str, action: BoxedStrategy<String>| {
        vec(action, 0..3).prop_map(move |actions| match actions.is_empty() {
            true => String::new(),
            false => format!("{keyword} {} ", actions.join(", ")),
        })
    };
    (
        section("SET", (path(), set).prop_map(|(path, value)| format!("{path} = {value}")).boxed()),
        section("remove", path().boxed()),
        section("ADD", (path(), "(:v|:s)").prop_map(|(path, value)| format!("{path} {value}")).boxed()),
        section("DELETE", path().prop_map(|path| format!("{path} :s")).boxed()),
    )
        .prop_map(|(set, remove, add, delete)| set + &remove + &add + &delete)
}

/// Parses a text by every grammar, and uses what comes out.
fn exercise(text: &str, item: &Item) {
    let with = mentioned(text);
    if let Ok(condition) = Condition::parse(text, &with) {
        condition.evaluate(item);
    }
    if let Ok(projection) = Projection::parse(text, &with) {
        projection.apply(item);
    }
    if let Ok(update) = Update::parse(text, &with) {
        let mut changed = item.clone();
        if update.apply(&mut changed).is_err() {
            assert_eq!(&changed, item, "{text}");
        }
    }
    let _ = KeyCondition::parse(text, &with);
    for reprinted in [
        parse_condition(Kind::Condition, text).map(|tree| tree.to_string()),
        parse_projection(text).map(|tree| tree.to_string()),
        parse_update(text).map(|tree| tree.to_string()),
    ] {
        drop(reprinted);
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".{0,60}", item in any_item()) {
        exercise(&text, &item);
    }

    #[test]
    fn no_order_of_words_is_too_strange(text in words(), item in any_item()) {
        exercise(&text, &item);
    }

    #[test]
    fn a_printed_condition_is_read_back(text in condition()) {
        let Ok(tree) = parse_condition(Kind::Condition, &text) else { return Ok(()) };
        let again = parse_condition(Kind::Condition, &tree.to_string()).unwrap();
        prop_assert_eq!(&tree.root, &again.root);
        prop_assert_eq!(&tree.symbols, &again.symbols);
        prop_assert_eq!(again.to_string(), tree.to_string());
    }

    #[test]
    fn a_printed_update_is_read_back(text in update()) {
        let Ok(tree) = parse_update(&text) else { return Ok(()) };
        let again = parse_update(&tree.to_string()).unwrap();
        prop_assert_eq!(&tree.actions, &again.actions);
        prop_assert_eq!(&tree.symbols, &again.symbols);
    }

    #[test]
    fn a_printed_projection_is_read_back(paths in vec(path(), 1..4)) {
        let tree = parse_projection(&paths.join(",")).unwrap();
        let again = parse_projection(&tree.to_string()).unwrap();
        prop_assert_eq!(&tree.paths, &again.paths);
    }

    #[test]
    fn conditions_obey_logic(left in condition(), right in condition(), item in any_item()) {
        let truth = |text: String| {
            Condition::parse(&text, &mentioned(&text)).map(|condition| condition.evaluate(&item))
        };
        let (Ok(a), Ok(b)) = (truth(left.clone()), truth(right.clone())) else { return Ok(()) };
        for (text, expected) in [
            (format!("NOT (NOT ({left}))"), a),
            (format!("({left}) AND ({right})"), a && b),
            (format!("NOT (({left}) AND ({right}))"), !a || !b),
            (format!("(NOT ({left})) OR (NOT ({right}))"), !a || !b),
            (format!("NOT (({left}) OR ({right}))"), !a && !b),
            (format!("(NOT ({left})) AND (NOT ({right}))"), !a && !b),
        ] {
            match truth(text.clone()) {
                Ok(found) => prop_assert_eq!(found, expected, "{}", text),
                // A part that is all in parentheses leaves one pair too many.
                Err(Error::Invalid { cause, .. }) => prop_assert_eq!(cause, Cause::RedundantParentheses),
                Err(other) => prop_assert!(false, "{other}: {text}"),
            }
        }
    }

    #[test]
    fn what_is_set_is_there(path in path(), value in any_value(), item in any_item()) {
        let mut with = mentioned(&path);
        with.values = [(":v".to_owned(), value.clone())].into();
        let update = Update::parse(&format!("SET {path} = :v"), &with).unwrap();
        let mut changed = item.clone();
        if update.apply(&mut changed).is_ok() {
            let condition = Condition::parse(&format!("{path} = :v"), &with).unwrap();
            let appended = path.ends_with(']') && update.updated_attributes(&changed).is_empty();
            prop_assert!(appended || condition.evaluate(&changed), "{path}");
            let same = |name: &String| item.get(name) == changed.get(name);
            prop_assert!(changed.keys().all(|name| update.touches(name) || same(name)));
        } else {
            prop_assert_eq!(changed, item);
        }
    }

    #[test]
    fn what_is_removed_is_not_there(text in path(), item in any_item()) {
        let with = mentioned(&text);
        let update = Update::parse(&format!("REMOVE {text}"), &with).unwrap();
        let mut changed = item.clone();
        let there = Condition::parse(&format!("attribute_exists({text})"), &with).unwrap();
        match (there.evaluate(&item), update.apply(&mut changed)) {
            (true, Ok(())) if !text.ends_with(']') => prop_assert!(!there.evaluate(&changed)),
            (true, result) => prop_assert_eq!(result, Ok(())),
            (false, _) => prop_assert_eq!(changed, item),
        }
    }

    #[test]
    fn random_updates_do_all_or_nothing(text in update(), item in any_item()) {
        exercise(&text, &item);
    }

    #[test]
    fn the_order_of_actions_does_not_matter(
        actions in subsequence(ACTIONS, 1..ACTIONS.len()).prop_shuffle(),
    ) {
        let mut sorted = actions.clone();
        sorted.sort();
        let item = notation::item("{n: 1, m: {x: 2, y: [3]}, l: [4, [5, 6], 7], s: <1, 2, 8>}");
        let results = [actions, sorted].map(|actions| {
            let text = update_text(&actions);
            let mut changed = item.clone();
            Update::parse(&text, &mentioned(&text)).unwrap().apply(&mut changed).unwrap();
            changed
        });
        prop_assert_eq!(&results[0], &results[1]);
    }

    #[test]
    fn lists_change_as_by_hand(
        length in 0_usize..6,
        set in btree_set(0_usize..9, 0..5),
        removed in btree_set(0_usize..9, 0..5),
    ) {
        let removed: Vec<usize> = removed.difference(&set).copied().collect();
        let section = |keyword: &str, indexes: Vec<usize>, value: &str| {
            let actions: Vec<String> =
                indexes.iter().rev().map(|index| format!("l[{index}]{value}")).collect();
            if actions.is_empty() { String::new() } else { format!("{keyword} {} ", actions.join(", ")) }
        };
        let set_text = section("SET", set.iter().copied().collect(), " = :v");
        let text = set_text + &section("REMOVE", removed.clone(), "");
        prop_assume!(!text.is_empty());
        let number = |number: usize| AttributeValue::N((number as u64).into());
        let list = AttributeValue::L((10..10 + length).map(number).collect());
        let mut item: Item = [("l".to_owned(), list)].into();
        Update::parse(&text, &mentioned(&text)).unwrap().apply(&mut item).unwrap();
        let kept = (0..length).filter(|index| !removed.contains(index));
        let kept = kept.map(|index| number(if set.contains(&index) { 1 } else { 10 + index }));
        let appended = set.iter().filter(|index| **index >= length).map(|_| number(1));
        prop_assert_eq!(&item["l"], &AttributeValue::L(kept.chain(appended).collect()), "{}", text);
    }
}

/// Actions that do not get in each other's way; each is its section and the rest.
const ACTIONS: &[(&str, &str)] = &[
    ("SET", "n = n + :v"),
    ("SET", "q = l[1]"),
    ("SET", "m.x = :w"),
    ("SET", "m.z = m.x"),
    ("SET", "l[1][7] = n"),
    ("SET", "l[1][5] = :v"),
    ("SET", "l[9] = :w"),
    ("SET", "l[8] = m"),
    ("REMOVE", "l[0]"),
    ("REMOVE", "l[1][0]"),
    ("REMOVE", "l[4]"),
    ("REMOVE", "m.y"),
    ("ADD", "l[2] :v"),
    ("ADD", "c :s"),
    ("DELETE", "s :s"),
];

fn update_text(actions: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for section in ["REMOVE", "SET", "DELETE", "ADD"] {
        let of_section: Vec<&str> =
            actions.iter().filter(|(keyword, _)| *keyword == section).map(|(_, action)| *action).collect();
        if !of_section.is_empty() {
            text += &format!("{section} {} ", of_section.join(", "));
        }
    }
    text
}
