//! Every limit, just kept and just passed, and what a bound expression shows of itself.

use types::limits::{
    EXPRESSION_BYTES_MAX, EXPRESSION_CALL_NESTING_MAX, EXPRESSION_NESTING_MAX, EXPRESSION_OPERATORS_MAX,
    IN_OPERANDS_MAX, NESTING_MAX, SUBSTITUTION_BYTES_MAX, SUBSTITUTION_TOKEN_BYTES_MAX,
};

use super::condition_parser::parse_condition;
use super::notation;
use super::{Cause, Condition, Error, KeyCondition, Kind, Projection, Substitutions, Update};
use crate::{AttributeValue, Item};

fn cause(result: Result<impl Sized, Error>) -> Cause {
    match result {
        Err(Error::Invalid { cause, .. }) => cause,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("no error"),
    }
}

#[test]
fn four_kilobytes_of_nesting_are_refused() {
    let none = Substitutions::default();
    let (nesting, calls) = (EXPRESSION_NESTING_MAX, EXPRESSION_CALL_NESTING_MAX);
    for (part, max) in [
        ("(", nesting),
        ("NOT ", nesting),
        ("NOT (", nesting),
        ("a = b AND (", nesting),
        ("not(a=b or ", nesting),
        ("size(", calls),
        ("f(", calls),
    ] {
        let text = part.repeat(EXPRESSION_BYTES_MAX / part.len());
        assert_eq!(cause(Condition::parse(&text, &none)), Cause::Nesting { max }, "{part}");
        assert_eq!(cause(KeyCondition::parse(&text, &none)), Cause::Nesting { max }, "{part}");
    }
    for part in ["(", "f(", "list_append(", "if_not_exists(a, "] {
        let text = format!("SET a = {}", part.repeat((EXPRESSION_BYTES_MAX - 8) / part.len()));
        assert_eq!(cause(Update::parse(&text, &none)), Cause::Nesting { max: calls }, "{part}");
    }
    let text = format!("a = {}b", "(".repeat(EXPRESSION_BYTES_MAX - 5));
    assert!(matches!(cause(Condition::parse(&text, &none)), Cause::Syntax { .. }));
}

#[test]
fn the_deepest_nesting_allowed_is_usable() {
    let none = Substitutions::default();
    // A chain of comparisons spends two operators for each pair of parentheses.
    let depth = EXPRESSION_NESTING_MAX.min((EXPRESSION_OPERATORS_MAX - 1) / 2);
    let item = notation::item("{a: 1, b: 2}");
    let chained = format!("{}a < b{}", "(".repeat(depth), " OR a < b)".repeat(depth));
    assert!(Condition::parse(&chained, &none).unwrap().evaluate(&item));
    let max = EXPRESSION_NESTING_MAX;
    let negated = format!("{}a < b", "NOT ".repeat(max));
    assert_eq!(Condition::parse(&negated, &none).unwrap().evaluate(&item), max.is_multiple_of(2));
    let deeper = format!("NOT {negated}");
    assert_eq!(cause(Condition::parse(&deeper, &none)), Cause::Nesting { max });
    let tree = parse_condition(Kind::Condition, &chained).unwrap();
    assert_eq!(parse_condition(Kind::Condition, &tree.to_string()).unwrap().root, tree.root);

    let depth = EXPRESSION_CALL_NESTING_MAX;
    let fallbacks = format!("SET c = {}a{}", "if_not_exists(c, ".repeat(depth), ")".repeat(depth));
    let mut changed = item.clone();
    Update::parse(&fallbacks, &none).unwrap().apply(&mut changed).unwrap();
    assert_eq!(changed.get("c"), item.get("a"));
}

#[test]
fn sizes_and_counts_are_limited() {
    let none = Substitutions::default();
    let longest = "x".repeat(EXPRESSION_BYTES_MAX);
    assert!(Projection::parse(&longest, &none).is_ok());
    let bytes = EXPRESSION_BYTES_MAX + 1;
    assert_eq!(cause(Projection::parse(&format!("{longest}x"), &none)), Cause::Size { bytes });

    let chain = |count: usize| vec!["a<b"; count].join(" OR ");
    let half = EXPRESSION_OPERATORS_MAX / 2;
    assert!(Condition::parse(&format!("NOT {}", chain(half)), &none).is_ok());
    let count = 2 * (half + 1) - 1;
    assert_eq!(cause(Condition::parse(&chain(half + 1), &none)), Cause::Operators { count });

    let list = |count: usize| format!("a IN ({})", vec!["b"; count].join(","));
    assert!(Condition::parse(&list(IN_OPERANDS_MAX), &none).is_ok());
    let count = IN_OPERANDS_MAX + 1;
    assert_eq!(cause(Condition::parse(&list(count), &none)), Cause::InOperands { count });

    let deep = |levels: usize| format!("a{}", "[0]".repeat(levels - 1));
    assert!(Projection::parse(&deep(NESTING_MAX), &none).is_ok());
    let levels = NESTING_MAX + 1;
    assert_eq!(cause(Projection::parse(&deep(levels), &none)), Cause::PathDepth { levels });
}

#[test]
fn substitutions_are_limited() {
    let key = |bytes: usize| format!("#{}", "k".repeat(bytes - 1));
    let named = |key: &str| {
        let names = [(key.to_owned(), "a".to_owned())].into();
        Projection::parse(key, &Substitutions { names, ..Substitutions::default() })
    };
    assert!(named(&key(SUBSTITUTION_TOKEN_BYTES_MAX)).is_ok());
    let bytes = SUBSTITUTION_TOKEN_BYTES_MAX + 1;
    let field = "ExpressionAttributeNames";
    assert_eq!(named(&key(bytes)).unwrap_err(), Error::SubstitutionKeyLength { field, bytes });
    let none = Substitutions::default();
    assert_eq!(cause(Projection::parse(&key(bytes), &none)), Cause::TokenLength { bytes });

    let valued = |bytes: usize| {
        let values = [(":v".to_owned(), AttributeValue::B(vec![0; bytes - 2]))].into();
        Condition::parse("a = :v", &Substitutions { values, ..Substitutions::default() })
    };
    assert!(valued(SUBSTITUTION_BYTES_MAX).is_ok());
    let bytes = SUBSTITUTION_BYTES_MAX + 1;
    assert_eq!(valued(bytes).unwrap_err(), Error::SubstitutionsSize { bytes });
}

#[test]
fn messages_cut_long_names() {
    let names = [("#a".to_owned(), "é".repeat(30_000))].into();
    let with = Substitutions { names, ..Substitutions::default() };
    let path = vec!["#a"; NESTING_MAX].join(".");
    let error = Projection::parse(&format!("{path}, {path}"), &with).unwrap_err();
    assert!(error.to_string().len() < 2 * NESTING_MAX * (SUBSTITUTION_TOKEN_BYTES_MAX + 5) + 200);
}

#[test]
fn an_update_writes_no_more_than_an_item_holds() {
    let half = AttributeValue::B(vec![0; 200 * 1024]);
    let nested = (0..NESTING_MAX - 1).fold(half.clone(), |inner, _| AttributeValue::L(vec![inner]));
    let apply = |text: &str, value: &AttributeValue, item: &mut Item| {
        let values = [(":v".to_owned(), value.clone())].into();
        let with = Substitutions { values, ..Substitutions::default() };
        Update::parse(text, &with).unwrap().apply(item)
    };
    let mut item = Item::new();
    assert_eq!(apply("SET a = :v, b = :v", &half, &mut item), Ok(()));
    let before = item.clone();
    assert_eq!(apply("SET a = :v, b = :v, c = :v", &half, &mut item), Err(Error::ItemSize));
    let many: Vec<String> = (0..500).map(|number| format!("a{number}=a")).collect();
    assert_eq!(
        Update::parse(&format!("SET {}", many.join(",")), &Substitutions::default())
            .unwrap()
            .apply(&mut item),
        Err(Error::ItemSize)
    );
    assert_eq!(item, before);

    let mut item = notation::item("{m: {}}");
    assert_eq!(apply("SET m.a = :v", &nested, &mut item), Ok(()));
    assert_eq!(apply("SET m.b = :v", &AttributeValue::L(vec![nested]), &mut item), Err(Error::ItemNesting));
}

#[test]
fn what_is_given_back_binds_again() {
    let with = notation::substitutions("{#n: 'c', :v: 1, :w: 'x'}");
    let update = Update::parse("SET #n = :v, a = :w", &with).unwrap();
    let mut given_back = Substitutions::default();
    update.give_back(&mut given_back);
    assert_eq!(given_back, with);
    assert!(Update::parse(update.text(), &given_back).is_ok());
}

#[test]
fn nothing_shown_holds_values() {
    let with = notation::substitutions("{:w: 'x'}");
    let condition = Condition::parse("a = :w", &with).unwrap();
    assert_eq!(format!("{condition:?} {with:?}"), "Condition(\"a = :w\") [\":w\"]");
}

#[test]
fn bound_expressions_go_anywhere() {
    fn check<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    check::<Condition>();
    check::<KeyCondition>();
    check::<Projection>();
    check::<Update>();
    check::<Error>();
}
