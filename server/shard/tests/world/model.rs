//! A model of a few keys under failures: what is read of one is what was acknowledged last, or a write since
//! then whose outcome nobody knew.

use std::collections::{BTreeMap, BTreeSet};

use item::operation::{Command, Operation, PageOptions, Scan};
use item::outcome::Answer;
use item::{AttributeValue, Error, Item, Outcome};
use proptest::prelude::*;
use types::TableName;

use super::{World, get, put};

const TABLE: &str = "movies";
const KEYS: [&str; 3] = ["a", "b", "c"];

/// Something asked of one node.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Writes a key.
    Put(usize, usize),
    /// Reads a key strongly.
    Get(usize, usize),
    /// Reads all keys strongly.
    Scan(usize),
}

/// How many parts of all that happens in a world are asked.
pub const PARTS: u32 = 19;

/// Something asked of one of so many nodes.
pub fn ask(nodes: usize) -> impl Strategy<Value = Ask> {
    let (node, key) = (move || 0..nodes, || 0..KEYS.len());
    prop_oneof![
        8 => (node(), key()).prop_map(|(node, key)| Ask::Put(node, key)),
        8 => (node(), key()).prop_map(|(node, key)| Ask::Get(node, key)),
        3 => node().prop_map(Ask::Scan),
    ]
}

/// What may be read of a key: the state acknowledged last, or a later one of unknown fate.
#[derive(Default)]
pub struct Model {
    possible: BTreeMap<usize, BTreeSet<Option<u64>>>,
    written: u64,
}

impl Model {
    /// Asks, if the node runs.
    pub fn run(&mut self, world: &mut World, ask: &Ask) {
        let (Ask::Put(node, _) | Ask::Get(node, _) | Ask::Scan(node)) = *ask;
        if node >= world.shards.len() || world.down.contains(&node) {
            return;
        }
        match *ask {
            Ask::Put(_, key) => self.put(world, node, key),
            Ask::Get(_, key) => {
                if let Some(Ok(Answer::Item(outcome))) = world.wait_for(node, item(get(TABLE, KEYS[key]))) {
                    self.check(key, &outcome);
                }
            }
            Ask::Scan(_) => {
                let page = PageOptions { consistent: true, ..PageOptions::default() };
                let table = TableName::new(TABLE).expect("a table's name");
                let scan = Operation::Scan(Scan { table, segment: None, from: None, page });
                if let Some(Ok(Answer::Item(Outcome::Page(page)))) = world.wait_for(node, item(scan)) {
                    let is_whole = page.last.is_none() && page.rest.is_none();
                    for (key, name) in KEYS.iter().enumerate() {
                        let is_it = |item: &&Item| item["k"] == AttributeValue::S((*name).to_owned());
                        let found = page.items.iter().find(is_it);
                        // What is not on a part of the table may be on another.
                        if is_whole || found.is_some() {
                            self.check_item(key, found);
                        }
                    }
                }
            }
        }
    }

    /// Reads every key from whoever leads.
    pub fn check_all(&mut self, world: &mut World) {
        for (key, name) in KEYS.iter().enumerate() {
            let (_, outcome) = world.ask_cluster(&get(TABLE, name));
            self.check(key, &outcome);
        }
    }

    fn put(&mut self, world: &mut World, node: usize, key: usize) {
        self.written += 1;
        let state = Some(self.written);
        let possible = self.possible.entry(key).or_insert_with(|| BTreeSet::from([None]));
        match world.wait_for(node, item(put(TABLE, KEYS[key], &self.written.to_string()))) {
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

fn item(operation: Operation) -> Command {
    Command::Item(operation)
}

impl World {
    /// Asks one node, and waits a while for what it says.
    pub fn wait_for(&mut self, node: usize, command: Command) -> Option<Result<Answer, Error>> {
        let number = self.start(node, command);
        for _ in 0..1200 {
            self.run_ms(5);
            if let Some(reply) = self.reply(number) {
                return Some(reply);
            }
        }
        None
    }
}
