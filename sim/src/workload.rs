//! Clients of every region, writing to the same few keys at once.
//!
//! Each client waits for its answer before it goes on, but not for ever; a write whose outcome it does not
//! know it may try again under the same request id. At any time the clients care for a few keys only: the
//! others rest, deleted ones long enough to be collected, until attention comes back to them.

mod operations;

use std::collections::BTreeMap;

use item::operation::Command;
use item::outcome::Answer;
use item::{Error, Item, Kind, Outcome};
use shard::{Reply, Request};
use types::{KeySchema, TableName};

use crate::chance::{Chance, Stream};
use crate::clock::MILLISECOND_NS;
use crate::event::{NodeId, Timer};
use crate::history::{self, Issued, KeyId, Told, What};
use crate::world::World;

/// Clients of each region.
const CLIENTS_PER_REGION: usize = 4;
/// How long a client waits for an answer.
const PATIENCE_MS: u64 = 5000;
/// How often a client tries one write again.
const RETRIES_MAX: u32 = 3;

/// The clients of a run and the table that they use.
pub struct Workload {
    /// The table.
    pub table: TableName,
    /// Its key.
    pub schema: KeySchema,
    keys: Vec<Item>,
    clients: Vec<Client>,
    focus: Vec<KeyId>,
    waiting: BTreeMap<u64, Waiting>,
    numbers: u64,
    markers: u64,
    stopped: bool,
    chance: Chance,
}

#[derive(Debug)]
struct Client {
    node: NodeId,
    waits_for: Option<u64>,
    again: Option<Waiting>,
}

/// A request that was handed over.
#[derive(Clone, Debug)]
struct Waiting {
    client: usize,
    issued: Issued,
    command: Command,
    retries: u32,
}

impl Workload {
    /// Clients for every node of a world, and a table of a few keys that they will use.
    pub fn new(seed: u64, world: &mut World) -> Self {
        let mut chance = Chance::new(seed, Stream::Workload);
        let schema = operations::schema(&mut chance);
        let keys = operations::keys(&schema, &mut chance);
        let places = keys.iter().map(|key| {
            let key = item::Key::of_key(&schema, key).expect("the keys are made for the schema");
            (key.hash, key.bytes)
        });
        world.history.set_keys(places.collect());
        let nodes = (0..world.nodes.len()).flat_map(|node| std::iter::repeat_n(node, CLIENTS_PER_REGION));
        Workload {
            table: TableName::new("few-keys").expect("the name is valid"),
            schema,
            keys,
            clients: nodes.map(|node| Client { node, waits_for: None, again: None }).collect(),
            focus: Vec::new(),
            waiting: BTreeMap::new(),
            numbers: 0,
            markers: 0,
            stopped: false,
            chance,
        }
    }

    /// Sets the clients going.
    pub fn start(&mut self, world: &mut World) {
        self.refocus(world);
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
        self.clients.iter().all(|client| client.waits_for.is_none())
    }

    /// A number for a request that is not about items.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The clients turn to other keys for a while.
    pub fn refocus(&mut self, world: &mut World) {
        let count = self.chance.between(2, 5);
        self.focus = (0..count).map(|_| self.chance.below(self.keys.len() as u64) as KeyId).collect();
        if !self.stopped {
            world.set_timer(self.chance.between(1500, 6000) * MILLISECOND_NS, Timer::Focus);
        }
    }

    /// A client does what is next: a write again whose outcome it does not know, or something else.
    pub fn wake(&mut self, world: &mut World, client: usize) {
        if self.clients[client].waits_for.is_some() {
            return;
        }
        if let Some(again) = self.clients[client].again.take() {
            return self.issue(world, again);
        }
        if self.stopped {
            return;
        }
        let waiting = self.choose(client);
        if waiting.issued.request.is_some() && self.chance.permille(30) {
            self.issue(world, waiting.clone());
        }
        self.issue(world, waiting);
    }

    /// A client's patience with a request is over.
    pub fn lose_patience(&mut self, world: &mut World, number: u64) {
        if self.waiting.contains_key(&number) {
            self.told(world, number, Told::Unknown);
        }
    }

    /// A node's process ended before it answered these.
    pub fn broken(&mut self, world: &mut World, numbers: &[u64]) {
        for number in numbers {
            self.told(world, *number, Told::Unknown);
            self.waiting.remove(number);
        }
    }

    /// An answer; false when it is to nobody here.
    pub fn reply(&mut self, world: &mut World, reply: &Reply) -> bool {
        if !self.waiting.contains_key(&reply.number) {
            return false;
        }
        match interpret(&reply.result) {
            Some(told) => self.told(world, reply.number, told),
            None => {
                let issued = &self.waiting[&reply.number].issued;
                world.violate("replies", format!("{issued:?} was answered with {:?}", reply.result));
            }
        }
        self.waiting.remove(&reply.number);
        true
    }

    /// A client learns what became of its request, and goes on.
    fn told(&mut self, world: &mut World, number: u64, told: Told) {
        let Some(waiting) = self.waiting.get(&number) else { return };
        let client = waiting.client;
        let tally = &mut world.tally;
        match told {
            Told::Written { .. } => tally.writes += 1,
            Told::Unknown => tally.unknown += 1,
            Told::Refused => tally.refused += 1,
            Told::ConditionFailed { .. } | Told::Read(_) => {}
        }
        tally.operations += u64::from(!matches!(told, Told::Unknown | Told::Refused));
        world.history.add(world.now_ns, self.clients[client].node, What::Told { number, told });
        if self.clients[client].waits_for != Some(number) {
            return;
        }
        let again = told == Told::Unknown
            && waiting.issued.request.is_some()
            && waiting.retries < RETRIES_MAX
            && self.chance.permille(800);
        let again = again.then(|| Waiting { retries: waiting.retries + 1, ..waiting.clone() });
        self.clients[client].waits_for = None;
        self.clients[client].again = again;
        let pause_ms = match told {
            Told::Refused | Told::Unknown => self.chance.between(100, 600),
            _ => self.chance.between(5, 400),
        };
        world.set_timer(pause_ms * MILLISECOND_NS, Timer::Client(client));
    }

    fn issue(&mut self, world: &mut World, mut waiting: Waiting) {
        let (client, number) = (waiting.client, self.number());
        let node = self.clients[client].node;
        waiting.issued.number = number;
        let deadline_ns = self.chance.permille(100).then(|| {
            let now = world.nodes[node].clock.read(world.now_ns);
            now.monotonic_ns + self.chance.between(1, 500) * MILLISECOND_NS
        });
        let request = Request { number, deadline_ns, bytes: 0, command: waiting.command.clone() };
        if !world.request(node, request) {
            self.clients[client].again = (waiting.retries > 0).then_some(waiting);
            world.set_timer(self.chance.between(100, 600) * MILLISECOND_NS, Timer::Client(client));
            return;
        }
        world.history.add(world.now_ns, node, What::Issued(waiting.issued));
        self.waiting.insert(number, waiting);
        self.clients[client].waits_for = Some(number);
        world.set_timer(PATIENCE_MS * MILLISECOND_NS, Timer::Patience(number));
    }
}

/// What an answer tells a client; `None` for an answer that no client should ever get.
fn interpret(result: &Result<Answer, Error>) -> Option<Told> {
    let marker = |item: &Item| history::marker_of(item);
    Some(match result {
        Ok(Answer::Item(Outcome::Item(item))) => Told::Read(item.as_ref().and_then(marker)),
        Ok(Answer::Item(Outcome::Written(item))) => Told::Written { shown: item.as_ref().and_then(marker) },
        Ok(_) => return None,
        Err(Error::ConditionFailed { item }) => {
            Told::ConditionFailed { shown: item.as_deref().and_then(marker) }
        }
        Err(Error::TableNotFound { .. } | Error::TableInUse { .. }) => Told::Refused,
        Err(error) => match error.kind() {
            Kind::Retryable => Told::Refused,
            Kind::Unknown => Told::Unknown,
            Kind::Client => return None,
        },
    })
}
