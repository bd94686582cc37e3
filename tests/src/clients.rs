//! 64 users of the client library who read and write keys together, several at each key, and record what they
//! are told.
//!
//! They stay connected over many rounds; each round has keys of its own. A key is left for a new one after so
//! many operations, so that the history of each stays short enough to be judged. Some users wait long and
//! have request ids, others have neither, so that the outcomes of some of their writes stay unknown. Readers
//! may go on asking a node that does not answer: what it says in the end is judged like everything else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use client::{Client, Error, Settings};
use linearize::{Action, State};
use proto::v1::attribute_value::Value;
use proto::v1::{
    DeleteItemRequest, GetItemRequest, PutItemRequest, ReturnValuesOnConditionCheckFailure, UpdateItemRequest,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::chance::Chance;
use crate::regions::Regions;
use crate::registers::{Asked, Clock, Histories};
use crate::watchdog::{SOON, within};
use crate::wire::{self, Item, item};

/// How many there are.
pub const CLIENTS: usize = 64;
/// How many share a key.
const SHARING: usize = 4;
/// After so many operations a key is left.
const OPERATIONS_PER_KEY: u64 = 1000;
/// How often a reader asks a node that may not answer.
const READ_EVERY: Duration = Duration::from_millis(100);
/// How long those wait who do not wait long.
const IMPATIENT: Duration = Duration::from_secs(2);
const VALUE: &str = "value";
/// No client writes it.
const NEVER_WRITTEN: u64 = 0;

/// Users of the library, each with connections of its own.
pub struct Clients {
    table: String,
    clock: Clock,
    users: Vec<Arc<Client>>,
    /// How many were begun.
    rounds: u64,
}

/// A round under way.
pub struct Round {
    stop: Arc<AtomicBool>,
    working: JoinSet<Histories>,
}

impl Clients {
    /// Makes them. Those that share a key prefer different nodes.
    pub fn new(nodes: &Regions, table: &str, clock: Clock) -> Clients {
        let count = nodes.count();
        let user = |at: usize| {
            let nodes = (0..count).map(|node| nodes.endpoint((node + at) % count));
            let endpoints: Vec<String> = nodes.collect();
            let usual = Settings { one_region: true, ..Settings::default() };
            let settings = match at % SHARING {
                0 => Settings { request_ids: false, deadline: IMPATIENT, ..usual },
                _ => usual,
            };
            Arc::new(Client::new(&endpoints, settings).expect("the endpoints are valid"))
        };
        Clients { table: table.to_owned(), clock, users: (0..CLIENTS).map(user).collect(), rounds: 0 }
    }

    /// Sets them to work, each beginning so many operations in a second at most; without a rate, as many as
    /// it can. `asked` is a node that each key is read at as well, all the time, whether it answers or not.
    pub fn start(&mut self, rate: Option<f64>, asked: Option<&str>, chance: &mut Chance) -> Round {
        self.rounds += 1;
        let stop = Arc::new(AtomicBool::new(false));
        let counts: Vec<_> = (0..CLIENTS / SHARING).map(|_| Arc::new(AtomicU64::new(0))).collect();
        let mut working = JoinSet::new();
        let mut worker = |at: usize, group: usize, client: &Arc<Client>| Worker {
            number: at as u64,
            client: client.clone(),
            table: self.table.clone(),
            clock: self.clock,
            keys: format!("{}-{group}", self.rounds),
            count: counts[group].clone(),
            values: (self.rounds * CLIENTS as u64 + at as u64) << 24,
            chance: chance.split(),
            told: Histories::default(),
        };
        for (at, client) in self.users.iter().enumerate() {
            working.spawn(worker(at, at / SHARING, client).work(rate, stop.clone()));
        }
        if let Some(node) = asked {
            // Without request ids, for under one a condition that does not hold is an entry like others.
            let settings = Settings { request_ids: false, one_region: true, ..Settings::default() };
            let client = Arc::new(Client::new(&[node], settings).expect("the endpoint is valid"));
            for group in 0..CLIENTS / SHARING {
                working.spawn(worker(CLIENTS + group, group, &client).keep_asking(stop.clone()));
            }
        }
        Round { stop, working }
    }

    /// Reads every key and records it.
    pub async fn read(&self, histories: &mut Histories) {
        let client = &self.users[1];
        for key in histories.keys() {
            let action = Action::Read { saw: None };
            let asked = Asked { client: CLIENTS as u64, begun_ns: self.clock.now_ns(), action };
            let came = ask(client, &self.table, &key, action).await;
            assert!(came.is_ok(), "{key} cannot be read: {came:?}");
            histories.note(&key, asked, came, self.clock.now_ns());
        }
    }
}

impl Round {
    /// Lets everybody finish; what they were told.
    pub async fn finish(mut self) -> Histories {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Histories::default();
        while let Some(told) = within(SOON, "end of the round", self.working.join_next()).await {
            all.merge(told.expect("a user fails only where the test does"));
        }
        all
    }
}

struct Worker {
    number: u64,
    client: Arc<Client>,
    table: String,
    clock: Clock,
    /// What the names of its keys begin with.
    keys: String,
    /// The operations of all that share them.
    count: Arc<AtomicU64>,
    /// The last value that it wrote; nobody else writes the next ones.
    values: u64,
    chance: Chance,
    told: Histories,
}

impl Worker {
    async fn work(mut self, rate: Option<f64>, stop: Arc<AtomicBool>) -> Histories {
        let mut ticks = rate.map(|rate| {
            let period = Duration::from_secs_f64(1.0 / rate);
            // Or they would all begin at once, again and again.
            let first = period.mul_f64(self.chance.below(1000) as f64 / 1000.0);
            let mut ticks = interval_at(Instant::now() + first, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        });
        let (mut key, mut seen) = (String::new(), None);
        while !stop.load(Ordering::Relaxed) {
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            let present = self.present_key();
            if present != key {
                (key, seen) = (present, None);
            }
            let action = self.choose(seen);
            let asked = self.asks(action);
            let came = ask(&self.client, &self.table, &key, action).await;
            let ended_ns = self.clock.now_ns();
            if let Ok(told) = &came {
                seen = shown(*told, seen);
            }
            self.told.note(&key, asked, came, ended_ns);
        }
        self.told
    }

    /// Reads without waiting for the answers, by gets and by conditions that fail; they are waited for in the
    /// end.
    async fn keep_asking(mut self, stop: Arc<AtomicBool>) -> Histories {
        let mut ticks = interval(READ_EVERY);
        let mut reads = JoinSet::new();
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            let (client, table, key) = (self.client.clone(), self.table.clone(), self.present_key());
            let action = match self.chance.below(2) {
                0 => Action::Read { saw: None },
                _ => Action::Swap { expected: Some(NEVER_WRITTEN), new: None, done: true },
            };
            let (clock, asked) = (self.clock, self.asks(action));
            reads.spawn(async move {
                let came = ask(&client, &table, &key, action).await;
                (key, asked, came, clock.now_ns())
            });
        }
        while let Some(read) = reads.join_next().await {
            let (key, asked, came, ended_ns) = read.expect("a read fails only where the test does");
            self.told.note(&key, asked, came, ended_ns);
        }
        self.told
    }

    /// The key that those who share it use, counting one more operation.
    fn present_key(&self) -> String {
        let generation = self.count.fetch_add(1, Ordering::Relaxed) / OPERATIONS_PER_KEY;
        format!("{}-{generation}", self.keys)
    }

    fn asks(&self, action: Action) -> Asked {
        Asked { client: self.number, begun_ns: self.clock.now_ns(), action }
    }

    fn choose(&mut self, expected: State) -> Action {
        self.values += 1;
        let new = Some(self.values);
        match self.chance.below(20) {
            0..8 => Action::Read { saw: None },
            8..12 => Action::Write { new },
            12..14 => Action::Write { new: None },
            14..19 => Action::Swap { expected, new, done: true },
            _ => Action::Swap { expected, new: None, done: true },
        }
    }
}

/// What a client takes a key to hold, behind an answer.
fn shown(told: Action, before: State) -> State {
    match told {
        Action::Read { saw } => saw,
        Action::Write { new } | Action::Swap { new, done: true, .. } => new,
        Action::Swap { done: false, .. } | Action::Add { .. } => before,
    }
}

/// Does an operation; the action with what was told.
async fn ask(client: &Client, table: &str, key: &str, action: Action) -> Result<Action, Error> {
    let key = item([("id", wire::text(key))]);
    let table_name = table.to_owned();
    match action {
        Action::Read { .. } => {
            let get = GetItemRequest { table_name, key, consistent_read: true, ..Default::default() };
            let answer = client.get_item(get).await?;
            Ok(Action::Read { saw: answer.item.map(|item| held(&item.attributes)) })
        }
        Action::Write { new: Some(new) } => {
            let mut item = key;
            item.insert(VALUE.to_owned(), wire::number(new.to_string()));
            client.put_item(PutItemRequest { table_name, item, ..Default::default() }).await?;
            Ok(action)
        }
        Action::Write { new: None } => {
            client.delete_item(DeleteItemRequest { table_name, key, ..Default::default() }).await?;
            Ok(action)
        }
        Action::Swap { expected, new: Some(new), .. } => {
            let request = UpdateItemRequest {
                table_name,
                key,
                update_expression: Some("SET #value = :new".to_owned()),
                condition_expression: Some(condition(expected)),
                expression_attribute_names: [("#value".to_owned(), VALUE.to_owned())].into(),
                expression_attribute_values: values(expected, Some(new)),
                return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld.into(),
                ..Default::default()
            };
            swapped(action, client.update_item(request).await.map(|_| ()))
        }
        Action::Swap { expected, new: None, .. } => {
            let request = DeleteItemRequest {
                table_name,
                key,
                condition_expression: Some(condition(expected)),
                expression_attribute_names: names(expected),
                expression_attribute_values: values(expected, None),
                return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld.into(),
                ..Default::default()
            };
            swapped(action, client.delete_item(request).await.map(|_| ()))
        }
        Action::Add { .. } => unreachable!("nobody here counts"),
    }
}

/// A failed condition is an answer as well: it shows the item if there was one.
fn swapped(action: Action, came: Result<(), Error>) -> Result<Action, Error> {
    let Action::Swap { expected, new, .. } = action else { unreachable!("only a swap has a condition") };
    match came {
        Ok(()) => Ok(action),
        Err(Error::ConditionFailed { item }) => Ok(Action::Read { saw: Some(held(&item.attributes)) }),
        Err(Error::Refused(refusal)) if refusal.name == "ConditionalCheckFailedException" => {
            Ok(Action::Swap { expected, new, done: false })
        }
        Err(other) => Err(other),
    }
}

fn condition(expected: State) -> String {
    let text = if expected.is_some() { "#value = :expected" } else { "attribute_not_exists(id)" };
    text.to_owned()
}

fn names(expected: State) -> BTreeMap<String, String> {
    expected.iter().map(|_| ("#value".to_owned(), VALUE.to_owned())).collect()
}

fn values(expected: State, new: State) -> Item {
    let named = [(":expected", expected), (":new", new)];
    let given = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    given.map(|(name, value)| (name, wire::number(value.to_string()))).collect()
}

/// The number that an item holds.
fn held(item: &Item) -> u64 {
    match item.get(VALUE).and_then(|value| value.value.as_ref()) {
        Some(Value::N(number)) => number.parse().expect("numbers come back as they were put"),
        other => panic!("the item holds {other:?}"),
    }
}
