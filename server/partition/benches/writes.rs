//! What a write costs its leader beside raft and the disk: decide, encode, decode, apply.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use item::expression::{Binder, Cache, Substitutions};
use item::operation::{Put, UpdateItem, WriteOptions};
use item::{AttributeValue, Item};
use partition::{Decision, Effect, Home, Moment, Overlay, View, apply, put, update};
use storage::keys::PartitionState;
use storage::memory::Memory;
use storage::{Batch, Engine};
use types::{
    Faults, GroupId, HashRange, HybridTime, Incarnation, KeyAttribute, KeySchema, KeyType, TableId, TableName,
};

fn home() -> Home {
    let partition = KeyAttribute { name: "id".to_owned(), key_type: KeyType::S };
    Home {
        partition: GroupId::FIRST,
        root: GroupId::FIRST,
        table: TableId::default(),
        key: KeySchema { partition, sort: None },
        range: HashRange::ALL,
        incarnation: Incarnation::default(),
        others: vec![],
        faults: Faults::default(),
    }
}

fn moment() -> Moment {
    let now = HybridTime::from_millis(1_000_000);
    Moment { now, wall_ms: 1_000_000, floor: HybridTime::ZERO, closed: HybridTime::ZERO }
}

fn table() -> TableName {
    TableName::new("films").expect("the name is valid")
}

fn item() -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [
        ("id".to_owned(), text("k0000001")),
        ("views".to_owned(), AttributeValue::N(7_i64.into())),
        ("payload".to_owned(), text(&"x".repeat(270))),
    ]
    .into()
}

fn a_put() -> Put {
    Put { table: table(), item: item(), options: WriteOptions::default() }
}

fn decide_put(engine: &Memory, overlay: &Overlay, put: Put) -> Effect {
    let home = home();
    let key = put::check(&home, &put).expect("the item is valid");
    match put::decide(&View { engine, overlay }, &home, moment(), key, put) {
        Ok(Decision::Propose { effect, .. }) => effect,
        other => panic!("a put is proposed, not {other:?}"),
    }
}

/// An engine that holds the item already.
fn engine_with_item() -> Memory {
    let engine = Memory::new();
    let effect = decide_put(&engine, &Overlay::new(Incarnation::default()), a_put());
    engine.write(applied(&effect)).expect("memory does not fail");
    engine
}

fn applied(effect: &Effect) -> Batch {
    let mut batch = Batch::new();
    apply(&home(), 1, 1, effect, &mut PartitionState::default(), &mut batch);
    batch
}

fn writes(criterion: &mut Criterion) {
    let overlay = Overlay::new(Incarnation::default());
    for (name, engine) in [("a new item", Memory::new()), ("a known item", engine_with_item())] {
        criterion.bench_function(&format!("decide a put of {name}"), |bencher| {
            bencher.iter_batched(
                a_put,
                |put| decide_put(&engine, &overlay, put),
                criterion::BatchSize::SmallInput,
            );
        });
    }
    let effect = decide_put(&Memory::new(), &overlay, a_put());
    let bytes = effect.encode();
    criterion.bench_function("encode an effect", |bencher| bencher.iter(|| black_box(&effect).encode()));
    criterion
        .bench_function("decode an effect", |bencher| bencher.iter(|| Effect::decode(black_box(&bytes))));
    criterion.bench_function("apply an effect", |bencher| bencher.iter(|| applied(black_box(&effect))));
}

fn updates(criterion: &mut Criterion) {
    let (engine, overlay, home) = (engine_with_item(), Overlay::new(Incarnation::default()), home());
    let substitutions = Substitutions {
        values: [(":one".to_owned(), AttributeValue::N(1_i64.into()))].into(),
        ..Default::default()
    };
    let mut cache = Cache::new();
    let mut binder = Binder::new(&substitutions, &mut cache).expect("the substitutions are well formed");
    let condition = binder.condition("views < :one OR attribute_exists(id)").expect("it parses");
    let change = binder.update("SET views = views + :one").expect("it parses");
    let key: Item = item().into_iter().filter(|(name, _)| name == "id").collect();
    let make = || UpdateItem {
        table: table(),
        key: key.clone(),
        update: Some(change.clone()),
        options: WriteOptions { condition: Some(condition.clone()), ..Default::default() },
    };
    criterion.bench_function("decide a conditional update", |bencher| {
        let decide = |asked: UpdateItem| {
            let key = update::check(&home, &asked).expect("the key is valid");
            update::decide(&View { engine: &engine, overlay: &overlay }, &home, moment(), key, asked)
        };
        bencher.iter_batched(make, decide, criterion::BatchSize::SmallInput);
    });
}

criterion_group!(benches, writes, updates);
criterion_main!(benches);
