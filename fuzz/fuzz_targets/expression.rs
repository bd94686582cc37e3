//! Expressions: no text makes parsing, binding or evaluating panic, and an update does all or nothing.
#![no_main]

use std::sync::LazyLock;

use item::Item;
use item::expression::{Binder, Cache, Substitutions};
use libfuzzer_sys::fuzz_target;
use types::KeySchema;

static STORED: LazyLock<Item> = LazyLock::new(fuzz::item);
static SCHEMA: LazyLock<KeySchema> = LazyLock::new(fuzz::schema);
static SUBSTITUTIONS: LazyLock<Substitutions> = LazyLock::new(fuzz::substitutions);

fuzz_target!(|text: &str| {
    let mut cache = Cache::new();
    let mut binder =
        Binder::new(&SUBSTITUTIONS, &mut cache).expect("the substitutions are small and well formed");
    if let Ok(condition) = binder.condition(text) {
        let held = condition.evaluate(&STORED);
        assert_eq!(condition.evaluate(&STORED), held);
    }
    if let Ok(filter) = binder.filter(text) {
        let _ = filter.check_filter(&SCHEMA);
    }
    if let Ok(condition) = binder.key_condition(text) {
        assert!((1..=2).contains(&condition.terms().len()));
        let _ = condition.check(&SCHEMA);
    }
    if let Ok(projection) = binder.projection(text) {
        let part = projection.apply(&STORED);
        assert!(item::size::item_size(&part) <= item::size::item_size(&STORED));
    }
    if let Ok(update) = binder.update(text) {
        let _ = update.check(&SCHEMA);
        let mut changed = STORED.clone();
        match update.apply(&mut changed) {
            Ok(()) => drop(update.updated_attributes(&changed)),
            Err(_) => assert_eq!(changed, *STORED),
        }
    }
});
