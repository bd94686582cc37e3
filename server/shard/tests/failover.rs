//! Three nodes of one region under random crashes and cuts, asked one thing at a time: what is read is what
//! was acknowledged last, or a write since then whose outcome nobody knew.

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use item::operation::{Command, Operation, PageOptions, Scan};
use item::outcome::Answer;
use item::{AttributeValue, Error, Item, Outcome};
use proptest::prelude::*;
use types::TableName;
use world::fault::{self, Fault, fault};
use world::{World, get, put};

const KEYS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Act {
    /// Writes a key, asking one node.
    Put(usize, usize),
    /// Reads a key strongly, asking one node.
    Get(usize, usize),
    /// Reads all keys strongly, asking one node.
    Scan(usize),
    Fault(Fault),
}

fn act() -> impl Strategy<Value = Act> {
    let (node, key) = (|| 0..3usize, || 0..KEYS.len());
    prop_oneof![
        8 => (node(), key()).prop_map(|(node, key)| Act::Put(node, key)),
        8 => (node(), key()).prop_map(|(node, key)| Act::Get(node, key)),
        3 => node().prop_map(Act::Scan),
        fault::PARTS => fault(3, 2).prop_map(Act::Fault),
    ]
}

/// What may be read of a key: the state acknowledged last, or a later one of unknown fate.
#[derive(Default)]
struct Model {
    possible: BTreeMap<usize, BTreeSet<Option<u64>>>,
    written: u64,
}

impl Model {
    fn run(&mut self, world: &mut World, act: &Act) {
        match *act {
            Act::Put(node, key) if !world.down.contains(&node) => self.put(world, node, key),
            Act::Get(node, key) if !world.down.contains(&node) => {
                if let Some(Ok(Answer::Item(outcome))) = ask(world, node, get("movies", KEYS[key])) {
                    self.check(key, &outcome);
                }
            }
            Act::Scan(node) if !world.down.contains(&node) => {
                let page = PageOptions { consistent: true, ..PageOptions::default() };
                let table = TableName::new("movies").expect("a table's name");
                let scan = Operation::Scan(Scan { table, segment: None, page });
                if let Some(Ok(Answer::Item(Outcome::Page(page)))) = ask(world, node, scan) {
                    for (key, name) in KEYS.iter().enumerate() {
                        let is_it = |item: &&Item| item["k"] == AttributeValue::S((*name).to_owned());
                        self.check_item(key, page.items.iter().find(is_it));
                    }
                }
            }
            Act::Fault(ref fault) => world.suffer(fault),
            Act::Put(..) | Act::Get(..) | Act::Scan(_) => {}
        }
    }

    fn put(&mut self, world: &mut World, node: usize, key: usize) {
        self.written += 1;
        let state = Some(self.written);
        let possible = self.possible.entry(key).or_insert_with(|| BTreeSet::from([None]));
        match ask(world, node, put("movies", KEYS[key], &self.written.to_string())) {
            Some(Ok(_)) => *possible = BTreeSet::from([state]),
            // Nothing was proposed.
            Some(Err(Error::NotLeader | Error::Elsewhere { .. })) => {}
            Some(Err(Error::OutcomeUnknown)) | None => drop(possible.insert(state)),
            Some(Err(other)) => panic!("{other}"),
        }
    }

    /// Once read, a state is decided: whatever else was possible never comes.
    fn check(&mut self, key: usize, outcome: &Outcome) {
        match outcome {
            Outcome::Stored(item) => self.check_item(key, item.as_ref().map(item::Stored::item).as_ref()),
            other => panic!("{other:?}"),
        }
    }

    fn check_item(&mut self, key: usize, item: Option<&Item>) {
        let state = item.map(|item| match &item["v"] {
            AttributeValue::S(text) => text.parse().expect("a number was written"),
            other => panic!("{other:?}"),
        });
        let possible = self.possible.entry(key).or_insert_with(|| BTreeSet::from([None]));
        assert!(possible.contains(&state), "key {key} holds {state:?}, which is none of {possible:?}");
        *possible = BTreeSet::from([state]);
    }
}

/// Asks one node, and waits a while for what it says.
fn ask(world: &mut World, node: usize, operation: Operation) -> Option<Result<Answer, Error>> {
    let number = world.start(node, Command::Item(operation));
    for _ in 0..1200 {
        world.run_ms(5);
        if let Some(reply) = world.reply(number) {
            return Some(reply);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_read_is_what_was_written(
        acts in proptest::collection::vec(act(), 1..80),
        delay_ms in 0..40u64,
    ) {
        let mut world = World::cluster(3);
        world.create_in_cluster("movies", 2);
        world.delay_ms = delay_ms;
        let mut model = Model::default();
        for act in &acts {
            model.run(&mut world, act);
        }
        // Once nothing fails any more, everything is served and all replicas are equal.
        world.recover();
        world.run_ms(5000);
        for (key, name) in KEYS.iter().enumerate() {
            let (_, outcome) = world.ask_cluster(&get("movies", name));
            model.check(key, &outcome);
        }
        world.run_ms(1000);
        world.assert_equal("movies");
    }
}
