//! What the pieces of a request cost: expressions, items as bytes, keys in order.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use item::expression::{Binder, Cache, Substitutions};
use item::{AttributeValue, Item, Key, codec};
use types::{KeyAttribute, KeySchema, KeyType};

const CONDITION: &str = "attribute_exists(title) AND #y BETWEEN :from AND :to OR contains(genres, :genre)";
const UPDATE: &str = "SET rating = if_not_exists(rating, :from) + :to REMOVE draft ADD views :to";

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn substitutions() -> Substitutions {
    Substitutions {
        names: [("#y".to_owned(), "year".to_owned())].into(),
        values: [
            (":from".to_owned(), AttributeValue::N(1970_i64.into())),
            (":to".to_owned(), AttributeValue::N(1980_i64.into())),
            (":genre".to_owned(), text("drama")),
        ]
        .into(),
    }
}

fn expressions(criterion: &mut Criterion) {
    let substitutions = substitutions();
    let bind = |cache: &mut Cache| {
        let mut binder = Binder::new(&substitutions, cache).expect("the substitutions are well formed");
        black_box(binder.condition(CONDITION).expect("the condition parses"));
        black_box(binder.update(UPDATE).expect("the update parses"));
    };
    criterion.bench_function("parse condition and update", |bencher| {
        bencher.iter(|| bind(&mut Cache::new()));
    });
    let mut cache = Cache::new();
    criterion.bench_function("bind condition and update from the cache", |bencher| {
        bencher.iter(|| bind(&mut cache));
    });
}

/// An item of one text.
fn plain() -> Item {
    [("id".to_owned(), text("k0000001")), ("payload".to_owned(), text(&"x".repeat(280)))].into()
}

/// An item of many small attributes.
fn wide() -> Item {
    let attribute = |number: u32| match number % 2 {
        0 => (format!("name{number}"), text("a short text")),
        _ => (format!("name{number}"), AttributeValue::N(i64::from(number).into())),
    };
    (0..20).map(attribute).collect()
}

fn items(criterion: &mut Criterion) {
    for (name, item) in [("300 bytes", plain()), ("20 attributes", wide())] {
        let bytes = codec::encode(&item);
        criterion.bench_function(&format!("encode an item of {name}"), |bencher| {
            bencher.iter(|| codec::encode(black_box(&item)));
        });
        criterion.bench_function(&format!("decode an item of {name}"), |bencher| {
            bencher.iter(|| codec::decode(black_box(&bytes)));
        });
    }
}

fn keys(criterion: &mut Criterion) {
    let attribute = |name: &str, key_type| KeyAttribute { name: name.to_owned(), key_type };
    let schema =
        KeySchema { partition: attribute("id", KeyType::S), sort: Some(attribute("at", KeyType::N)) };
    let item = |number: i64| {
        Item::from([
            ("id".to_owned(), text(&format!("sensor-{}", number % 10))),
            ("at".to_owned(), AttributeValue::N((number * 7919 % 1000).into())),
        ])
    };
    let key = |item: &Item| Key::of_item(&schema, item).expect("it has a key");
    let one = item(1);
    criterion.bench_function("encode a key", |bencher| bencher.iter(|| key(black_box(&one))));
    let keys: Vec<Key> = (0..1000).map(|number| key(&item(number))).collect();
    criterion.bench_function("sort 1,000 keys", |bencher| {
        bencher.iter(|| {
            let mut sorted = keys.clone();
            sorted.sort();
            sorted
        });
    });
}

criterion_group!(benches, expressions, items, keys);
criterion_main!(benches);
