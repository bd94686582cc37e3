//! Clients of every region, writing to the same few keys at once, one by one and in batches, and reading them
//! one by one, in batches, by query and by scan.
//!
//! Each client waits for its answer before it goes on, but not for ever; a write whose outcome it does not
//! know it may try again under the same request id. At any time the clients care for a few keys only: the
//! others rest, deleted ones long enough to be collected, until attention comes back to them.

mod answers;
mod operations;
mod several;

use std::collections::BTreeMap;

use item::operation::{Command, Operation};
use item::{Item, Key};
use shard::{Reply, Request};
use types::{KeySchema, TableName};

use crate::chance::{Chance, Stream};
use crate::clock::MILLISECOND_NS;
use crate::event::Timer;
use crate::history::{Issued, KeyId, Told, What};
use crate::tally::Tally;
use crate::world::World;

use self::answers::Answered;

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
    places: Vec<Key>,
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
    region: usize,
    waits_for: Option<u64>,
    again: Option<Waiting>,
}

/// A request that was handed over. A batch, a query or a scan is a write or a read of each of its keys.
#[derive(Clone, Debug)]
struct Waiting {
    client: usize,
    /// One for each key; the first has the number of the request.
    parts: Vec<Issued>,
    operation: Operation,
    retries: u32,
}

impl Waiting {
    /// Whether it may be tried again though it may have been done.
    fn is_named(&self) -> bool {
        self.parts.iter().all(|part| part.request.is_some())
    }
}

impl Workload {
    /// Clients for every region of a world, and a table of a few keys that they will use.
    pub fn new(seed: u64, world: &mut World) -> Self {
        let mut chance = Chance::new(seed, Stream::Workload);
        let schema = operations::schema(&mut chance);
        let keys = operations::keys(&schema, &mut chance);
        let place = |key| Key::of_key(&schema, key).expect("the keys are made for the schema");
        let places: Vec<_> = keys.iter().map(place).collect();
        world.history.set_keys(places.iter().map(|key| (key.hash, key.bytes.clone())).collect());
        let regions = (0..world.regions()).flat_map(|region| std::iter::repeat_n(region, CLIENTS_PER_REGION));
        Workload {
            table: TableName::new("few-keys").expect("the name is valid"),
            schema,
            keys,
            places,
            clients: regions.map(|region| Client { region, waits_for: None, again: None }).collect(),
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
        if waiting.is_named() && self.chance.permille(30) {
            self.issue(world, waiting.clone());
        }
        self.issue(world, waiting);
    }

    /// A client's patience with a request is over.
    pub fn lose_patience(&mut self, world: &mut World, number: u64) {
        if let Some(waiting) = self.waiting.get(&number) {
            self.told(world, number, Answered::alike(waiting, Told::Unknown));
        }
    }

    /// A node's process ended before it answered these.
    pub fn broken(&mut self, world: &mut World, numbers: &[u64]) {
        for number in numbers {
            self.lose_patience(world, *number);
            self.waiting.remove(number);
        }
    }

    /// An answer; false when it is to nobody here.
    pub fn reply(&mut self, world: &mut World, reply: &Reply) -> bool {
        let Some(waiting) = self.waiting.get(&reply.number) else { return false };
        match answers::interpret(&self.keys, waiting, &reply.result) {
            Some(answered) => self.told(world, reply.number, answered),
            None => {
                let parts = &waiting.parts;
                world.violate("replies", format!("{parts:?} was answered with {:?}", reply.result));
            }
        }
        self.waiting.remove(&reply.number);
        true
    }

    /// A client learns what became of its request, and goes on.
    fn told(&mut self, world: &mut World, number: u64, answered: Answered) {
        let Some(waiting) = self.waiting.get(&number) else { return };
        let client = waiting.client;
        count(&mut world.tally, waiting, &answered.told);
        for (part, told) in waiting.parts.iter().zip(&answered.told) {
            let told = What::Told { number: part.number, told: *told };
            world.history.add(world.now_ns, self.clients[client].region, told);
        }
        if self.clients[client].waits_for != Some(number) {
            return;
        }
        let undone = answered.told.iter().all(|told| matches!(told, Told::Refused | Told::Unknown));
        let again = answered.told.contains(&Told::Unknown)
            && waiting.is_named()
            && waiting.retries < RETRIES_MAX
            && self.chance.permille(800);
        let again = again.then(|| Waiting { retries: waiting.retries + 1, ..waiting.clone() });
        self.clients[client].waits_for = None;
        self.clients[client].again = again.or(answered.rest);
        let pause_ms = match undone {
            true => self.chance.between(100, 600),
            false => self.chance.between(5, 400),
        };
        world.set_timer(pause_ms * MILLISECOND_NS, Timer::Client(client));
    }

    fn issue(&mut self, world: &mut World, mut waiting: Waiting) {
        let client = waiting.client;
        let region = self.clients[client].region;
        let node = world.any_node(region, &mut self.chance);
        for part in &mut waiting.parts {
            part.number = self.number();
        }
        let number = waiting.parts[0].number;
        let deadline_ns = self.chance.permille(100).then(|| {
            let now = world.nodes[node].clock.read(world.now_ns);
            now.monotonic_ns + self.chance.between(1, 500) * MILLISECOND_NS
        });
        let request =
            Request { number, deadline_ns, bytes: 0, command: Command::Item(waiting.operation.clone()) };
        if !world.request(node, request) {
            self.clients[client].again = (waiting.retries > 0).then_some(waiting);
            world.set_timer(self.chance.between(100, 600) * MILLISECOND_NS, Timer::Client(client));
            return;
        }
        for part in &waiting.parts {
            world.history.add(world.now_ns, region, What::Issued(*part));
        }
        self.waiting.insert(number, waiting);
        self.clients[client].waits_for = Some(number);
        world.set_timer(PATIENCE_MS * MILLISECOND_NS, Timer::Patience(number));
    }
}

/// Counts an answer: once, however many keys it is about.
fn count(tally: &mut Tally, waiting: &Waiting, told: &[Told]) {
    tally.writes += told.iter().filter(|told| matches!(told, Told::Written { .. })).count() as u64;
    if told.contains(&Told::Unknown) {
        tally.unknown += 1;
        return;
    }
    if told.iter().all(|told| *told == Told::Refused) {
        tally.refused += 1;
        return;
    }
    tally.operations += 1;
    match waiting.operation {
        Operation::BatchWrite(_) => tally.batch_writes += 1,
        Operation::BatchGet(_) => tally.batch_gets += 1,
        Operation::Query(_) => tally.queries += 1,
        Operation::Scan(_) => tally.scans += 1,
        Operation::Get(_) | Operation::Put(_) | Operation::Update(_) | Operation::Delete(_) => {}
    }
}
