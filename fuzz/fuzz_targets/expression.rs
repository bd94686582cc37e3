//! Expressions: no text makes parsing, binding or evaluating panic, and an update does all or nothing.
#![no_main]

use std::sync::LazyLock;

use item::expression::{Binder, Cache, Substitutions};
use item::{Item, json};
use libfuzzer_sys::fuzz_target;

/// An item with attributes of all types, under names that are no reserved words.
const ITEM: &str = r#"{
    "a": {"S": "text"}, "b": {"N": "-1.5"}, "c": {"B": "AP8="}, "d": {"BOOL": true}, "e": {"NULL": true},
    "f": {"SS": ["x", "y"]}, "g": {"NS": ["1", "2"]}, "h": {"BS": ["AA==", "AQ=="]},
    "i": {"L": [{"N": "1"}, {"L": [{"S": "deep"}]}, {"M": {"a": {"N": "9"}}}]},
    "j": {"M": {"a": {"S": "x"}, "b": {"M": {"c": {"L": [{"NULL": true}]}}}}}
}"#;

static STORED: LazyLock<Item> = LazyLock::new(|| {
    let value = json::parse(ITEM.as_bytes()).expect("the constant is JSON");
    json::dynamodb::read_item(value).expect("the constant is an item")
});

/// `#a` stands for `a`, `:a` for the item's `a`, and so on.
static SUBSTITUTIONS: LazyLock<Substitutions> = LazyLock::new(|| Substitutions {
    names: STORED.keys().map(|name| (format!("#{name}"), name.clone())).collect(),
    values: STORED.iter().map(|(name, value)| (format!(":{name}"), value.clone())).collect(),
});

fuzz_target!(|text: &str| {
    let mut cache = Cache::new();
    let mut binder =
        Binder::new(&SUBSTITUTIONS, &mut cache).expect("the substitutions are small and well formed");
    if let Ok(condition) = binder.condition(text) {
        let held = condition.evaluate(&STORED);
        assert_eq!(condition.evaluate(&STORED), held);
    }
    if let Ok(condition) = binder.key_condition(text) {
        assert!((1..=2).contains(&condition.terms().len()));
    }
    if let Ok(projection) = binder.projection(text) {
        let part = projection.apply(&STORED);
        assert!(item::size::item_size(&part) <= item::size::item_size(&STORED));
    }
    if let Ok(update) = binder.update(text) {
        let mut changed = STORED.clone();
        match update.apply(&mut changed) {
            Ok(()) => drop(update.updated_attributes(&changed)),
            Err(_) => assert_eq!(changed, *STORED),
        }
    }
});
