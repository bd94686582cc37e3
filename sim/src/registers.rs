//! Clients that use each key as a register: strong reads, puts, deletes, conditional puts and counting, each
//! key in one region only, so that its history can be judged by itself.
//!
//! A client asks any node of its region, and waits, though not for ever. What it does not know the outcome of
//! it may try again under the same request id; to whoever judges, all of that is one operation. Nothing is
//! judged here.

use std::collections::BTreeMap;

use item::expression::{Condition, KeyCondition, Substitutions, Update};
use item::operation::{
    Command, Delete, Get, Operation, PageOptions, Put, Query, ReturnValues, Scan, UpdateItem, WriteOptions,
};
use item::outcome::Answer;
use item::{AttributeValue, Error, Item, Kind, Number, Outcome};
use shard::{Reply, Request};
use types::{KeyAttribute, KeySchema, KeyType, RequestId, TableName};

use crate::chance::{Chance, Stream};
use crate::clock::MILLISECOND_NS;
use crate::event::Timer;
use crate::world::World;
use linearize::{self, Action, State};

/// Clients of each region.
const CLIENTS: usize = 6;
/// Registers of each region.
const KEYS: usize = 3;
/// How long a client waits for an answer.
const PATIENCE_MS: u64 = 4000;
/// How often a client tries one operation.
const TRIES_MAX: u32 = 6;
/// The key attribute of the table.
pub const KEY: &str = "k";
const VALUE: &str = "v";

/// The clients of a run, their registers, and what they were told.
pub struct Registers {
    /// The table.
    pub table: TableName,
    /// What was asked of each register and told, by region and number.
    pub histories: BTreeMap<(usize, usize), Vec<linearize::Operation>>,
    clients: Vec<Client>,
    /// Who waits for which request.
    waiting: BTreeMap<u64, usize>,
    numbers: u64,
    values: u64,
    stopped: bool,
    chance: Chance,
}

struct Client {
    region: usize,
    asked: Option<Asked>,
    /// What it saw last of each register.
    seen: [State; KEYS],
}

/// An operation under way.
struct Asked {
    /// The registers that it is about, with what is asked of each.
    about: Vec<(usize, Action)>,
    operation: Operation,
    begun_ns: u64,
    number: u64,
    tries: u32,
    /// Whether it may be tried again though it may have been done.
    is_named: bool,
    /// Whether a try may have been done.
    is_doubted: bool,
}

impl Registers {
    /// Clients for every region of a world.
    pub fn new(seed: u64, world: &World) -> Self {
        let regions = (0..world.regions()).flat_map(|region| std::iter::repeat_n(region, CLIENTS));
        Registers {
            table: TableName::new("registers").expect("the name is valid"),
            histories: BTreeMap::new(),
            clients: regions.map(|region| Client { region, asked: None, seen: [None; KEYS] }).collect(),
            waiting: BTreeMap::new(),
            numbers: 0,
            values: 0,
            stopped: false,
            chance: Chance::new(seed, Stream::Workload),
        }
    }

    /// The table's key.
    pub fn schema() -> KeySchema {
        KeySchema { partition: KeyAttribute { name: KEY.to_string(), key_type: KeyType::S }, sort: None }
    }

    /// Sets the clients going.
    pub fn start(&mut self, world: &mut World) {
        for client in 0..self.clients.len() {
            world.set_timer(self.chance.between(500, 1500) * MILLISECOND_NS, Timer::Client(client));
        }
    }

    /// Nobody begins anything any more.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether no answer is awaited.
    pub fn is_quiet(&self) -> bool {
        self.clients.iter().all(|client| client.asked.is_none())
    }

    /// A register of some region that has not been written since a time.
    pub fn unwritten_since(&self, since_ns: u64) -> Option<(usize, usize)> {
        let wrote = |operation: &linearize::Operation| {
            operation.ended > Some(since_ns) && !matches!(operation.action, Action::Read { .. })
        };
        let regions = self.clients.iter().map(|client| client.region + 1).max().unwrap_or(0);
        let mut all = (0..regions).flat_map(|region| (0..KEYS).map(move |key| (region, key)));
        let written = |register| self.histories.get(&register).is_some_and(|all| all.iter().rev().any(wrote));
        all.find(|register| !written(*register))
    }

    /// A number for a request that is not about registers.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// A client begins something, or tries again.
    pub fn wake(&mut self, world: &mut World, client: usize) {
        if self.clients[client].asked.as_ref().is_some_and(|asked| self.waiting.contains_key(&asked.number)) {
            return;
        }
        if self.clients[client].asked.is_none() {
            if self.stopped {
                return;
            }
            let asked = self.choose(world, client);
            self.clients[client].asked = Some(asked);
        }
        self.ask(world, client);
    }

    fn ask(&mut self, world: &mut World, client: usize) {
        let number = self.number();
        let region = self.clients[client].region;
        let node = world.any_node(region, &mut self.chance);
        let asked = self.clients[client].asked.as_mut().expect("the client has something to ask");
        (asked.number, asked.tries) = (number, asked.tries + 1);
        let command = Command::Item(asked.operation.clone());
        match world.request(node, Request { number, deadline_ns: None, bytes: 0, command }) {
            true => {
                self.waiting.insert(number, client);
                world.set_timer(PATIENCE_MS * MILLISECOND_NS, Timer::Patience(number));
            }
            false => self.not_done(world, client),
        }
    }

    /// A client's patience with a request is over.
    pub fn lose_patience(&mut self, world: &mut World, number: u64) {
        if let Some(client) = self.waiting.remove(&number) {
            self.doubt(world, client);
        }
    }

    /// A node's process ended before it answered these.
    pub fn broken(&mut self, world: &mut World, numbers: &[u64]) {
        numbers.iter().for_each(|number| self.lose_patience(world, *number));
    }

    /// An answer; false when nobody here waits for it.
    pub fn reply(&mut self, world: &mut World, reply: &Reply) -> bool {
        let Some(client) = self.waiting.remove(&reply.number) else { return false };
        match &reply.result {
            Ok(Answer::Item(outcome)) => self.done(world, client, Some(outcome)),
            Err(Error::ConditionFailed { .. }) => self.done(world, client, None),
            Err(Error::TableNotFound { .. } | Error::TableInUse { .. }) => self.not_done(world, client),
            Err(error) => match error.kind() {
                Kind::Retryable => self.not_done(world, client),
                Kind::Unknown => self.doubt(world, client),
                Kind::Client => world.violate("replies", format!("a client was told: {error}")),
            },
            Ok(other) => world.violate("replies", format!("a client was told: {other:?}")),
        }
        true
    }

    /// Nothing came of a try.
    fn not_done(&mut self, world: &mut World, client: usize) {
        world.tally.refused += 1;
        self.again_or_end(world, client);
    }

    /// A try may have been done.
    fn doubt(&mut self, world: &mut World, client: usize) {
        world.tally.unknown += 1;
        if let Some(asked) = &mut self.clients[client].asked {
            asked.is_doubted = true;
        }
        self.again_or_end(world, client);
    }

    fn again_or_end(&mut self, world: &mut World, client: usize) {
        let Some(asked) = &self.clients[client].asked else { return };
        let may = asked.tries < TRIES_MAX && (asked.is_named || !asked.is_doubted);
        if !may || self.chance.permille(100) {
            let asked = self.clients[client].asked.take().expect("seen above");
            if asked.is_doubted {
                self.keep(client, &asked, None);
            }
        }
        world.set_timer(self.chance.between(20, 600) * MILLISECOND_NS, Timer::Client(client));
    }

    /// An operation is answered; without outcome, its condition did not hold.
    fn done(&mut self, world: &mut World, client: usize, outcome: Option<&Outcome>) {
        let Some(mut asked) = self.clients[client].asked.take() else { return };
        world.tally.operations += 1;
        if let Some(Outcome::Page(page)) = outcome
            && (page.last.is_some() || page.rest.is_some())
        {
            // What is not on this part may be on another.
            let region = self.clients[client].region;
            asked.about.retain(|(key, _)| page.items.iter().any(is(&name(region, *key))));
        }
        for (key, action) in &mut asked.about {
            if let Err(detail) = tell(action, &name(self.clients[client].region, *key), outcome) {
                return world.violate("replies", detail);
            }
            self.clients[client].seen[*key] = match *action {
                Action::Read { saw } => saw,
                Action::Write { new } | Action::Swap { new, done: true, .. } => new,
                Action::Add { gave, .. } => Some(gave),
                Action::Swap { done: false, .. } => self.clients[client].seen[*key],
            };
        }
        let writes = |(_, action): &(usize, Action)| !matches!(action, Action::Read { .. });
        world.tally.writes += u64::from(asked.about.first().is_some_and(writes));
        self.keep(client, &asked, Some(world.now_ns));
        world.set_timer(self.chance.between(5, 200) * MILLISECOND_NS, Timer::Client(client));
    }

    fn keep(&mut self, client: usize, asked: &Asked, ended: Option<u64>) {
        for (key, action) in &asked.about {
            let history = self.histories.entry((self.clients[client].region, *key)).or_default();
            let (client, begun, action) = (client as u64, asked.begun_ns, *action);
            history.push(linearize::Operation { client, begun, ended, action });
        }
    }

    fn choose(&mut self, world: &World, client: usize) -> Asked {
        let (region, key) = (self.clients[client].region, self.chance.below(KEYS as u64) as usize);
        let kind = self.chance.weighted(&[300, 40, 40, 200, 60, 160, 200]);
        self.values += 1;
        // Sums do not collide with what is put.
        let value = 1000 * self.values;
        let expected = self.clients[client].seen[key];
        let request = RequestId(u128::from(self.chance.number()).to_be_bytes());
        let is_named = kind >= 3 && self.chance.permille(500);
        let options = WriteOptions { request: is_named.then_some(request), ..WriteOptions::default() };
        let (action, operation) = match kind {
            0 => (Action::Read { saw: None }, Operation::Get(self.get(region, key))),
            1 => (Action::Read { saw: None }, Operation::Query(self.query(region, key))),
            2 => (Action::Read { saw: None }, Operation::Scan(self.scan())),
            3 => (Action::Write { new: Some(value) }, Operation::Put(self.put(region, key, value, options))),
            4 => {
                let (table, key) = (self.table.clone(), key_item(region, key));
                (Action::Write { new: None }, Operation::Delete(Delete { table, key, options }))
            }
            5 => {
                let options = WriteOptions { condition: Some(holds(expected)), ..options };
                let action = Action::Swap { expected, new: Some(value), done: true };
                (action, Operation::Put(self.put(region, key, value, options)))
            }
            _ => {
                let by = self.chance.between(1, 3);
                (Action::Add { by, gave: 0 }, Operation::Update(self.add(region, key, by, options)))
            }
        };
        let about = match operation {
            Operation::Scan(_) => (0..KEYS).map(|key| (key, action)).collect(),
            _ => vec![(key, action)],
        };
        let is_named = is_named || matches!(action, Action::Read { .. });
        Asked { about, operation, begun_ns: world.now_ns, number: 0, tries: 0, is_named, is_doubted: false }
    }

    fn get(&self, region: usize, key: usize) -> Get {
        Get { table: self.table.clone(), key: key_item(region, key), consistent: true, projection: None }
    }

    fn query(&self, region: usize, key: usize) -> Query {
        let mut substitutions = Substitutions::default();
        substitutions.values.insert(":k".to_string(), AttributeValue::S(name(region, key)));
        let condition = KeyCondition::parse("k = :k", &substitutions).expect("the expression is valid");
        Query { table: self.table.clone(), condition, forward: true, page: strongly() }
    }

    fn scan(&self) -> Scan {
        Scan { table: self.table.clone(), segment: None, from: None, page: strongly() }
    }

    fn put(&self, region: usize, key: usize, value: u64, options: WriteOptions) -> Put {
        let mut item = key_item(region, key);
        item.insert(VALUE.to_string(), number(value));
        Put { table: self.table.clone(), item, options }
    }

    fn add(&self, region: usize, key: usize, by: u64, options: WriteOptions) -> UpdateItem {
        let mut substitutions = Substitutions::default();
        substitutions.values.insert(":by".to_string(), number(by));
        let update = Update::parse("ADD v :by", &substitutions).expect("the expression is valid");
        let options = WriteOptions { return_values: ReturnValues::AllNew, ..options };
        let (table, key) = (self.table.clone(), key_item(region, key));
        UpdateItem { table, key, update: Some(update), options }
    }
}

/// The name of a register.
pub fn name(region: usize, key: usize) -> String {
    format!("{region}-{key}")
}

fn strongly() -> PageOptions {
    PageOptions { consistent: true, ..PageOptions::default() }
}

fn key_item(region: usize, key: usize) -> Item {
    Item::from([(KEY.to_string(), AttributeValue::S(name(region, key)))])
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(Number::from(value))
}

/// The condition that a register holds something.
fn holds(expected: State) -> Condition {
    let mut substitutions = Substitutions::default();
    let text = match expected {
        None => "attribute_not_exists(k)",
        Some(value) => {
            substitutions.values.insert(":v".to_string(), number(value));
            "v = :v"
        }
    };
    Condition::parse(text, &substitutions).expect("the expression is valid")
}

/// Whether an item is a register's.
fn is(name: &str) -> impl Fn(&Item) -> bool {
    move |item| item.get(KEY) == Some(&AttributeValue::S(name.to_owned()))
}

/// Puts what an answer says into what was asked of a register.
fn tell(action: &mut Action, name: &str, outcome: Option<&Outcome>) -> Result<(), String> {
    let strange = || Err(format!("{action:?} was answered with {outcome:?}"));
    let item = match (&*action, outcome) {
        (Action::Swap { .. }, None) => {
            if let Action::Swap { done, .. } = action {
                *done = false;
            }
            return Ok(());
        }
        (Action::Read { .. }, Some(Outcome::Stored(stored))) => stored.as_ref().map(item::Stored::item),
        (Action::Read { .. }, Some(Outcome::Page(page))) => {
            page.items.iter().find(|item| is(name)(item)).cloned()
        }
        (Action::Add { .. }, Some(Outcome::Written(Some(item)))) => Some(item.clone()),
        (Action::Write { .. } | Action::Swap { .. }, Some(Outcome::Written(None))) => return Ok(()),
        _ => return strange(),
    };
    let value = match item.as_ref().map(|item| item.get(VALUE)) {
        None => None,
        Some(Some(AttributeValue::N(number))) => number.to_u64(),
        Some(_) => return strange(),
    };
    match (action, value) {
        (Action::Read { saw }, value) => *saw = value,
        (Action::Add { gave, .. }, Some(value)) => *gave = value,
        _ => return Err(format!("{name} was answered without a value")),
    }
    Ok(())
}
