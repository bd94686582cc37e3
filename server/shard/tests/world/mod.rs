//! A small world without chance: shards over in-memory engines, a virtual clock, links that lose nothing.

pub mod fault;
pub mod members;
pub mod model;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use item::operation::{Command, Operation, PageOptions, Scan};
use item::outcome::{Answer, Page};
use item::{Item, Outcome};
use shard::{Envelope, FirstStart, Inbox, Link, NodeLink, PeerNode, Request, Settings, Shard};
use storage::memory::{Memory, Torn};
use storage::{Engine, Room, keys};
use types::command::{RegionAnswer, RegionCommand, TableAnswer, TableCommand};
use types::{
    Faults, HashRange, KeyAttribute, KeySchema, KeyType, NodeId, Now, RegionName, TableName, TableState,
};

pub use requests::*;

pub struct World {
    pub shards: Vec<Shard<Memory>>,
    /// Each shard's region.
    names: Vec<RegionName>,
    /// How many shards, one after the other, are nodes of one region.
    nodes: usize,
    /// How many of those it was begun with; the others joined.
    begun: usize,
    /// Shards that are not running.
    pub down: BTreeSet<usize>,
    engines: Vec<Memory>,
    inboxes: Vec<Inbox>,
    replies: BTreeMap<u64, Result<Answer, item::Error>>,
    next: u64,
    pub ms: u64,
    /// Bytes above which a partition is split.
    pub partition_bytes_max: u64,
    /// How long every link takes.
    pub delay_ms: u64,
    /// Links that lose everything, as sender and receiver.
    pub cut: Vec<(usize, usize)>,
    /// Whether flushes wait until asked for.
    pub hold_flushes: bool,
    /// Reads that left their turn.
    pub reads_left: usize,
    under_way: Vec<(u64, usize, Envelope)>,
}

const EPOCH_MS: u64 = 1_700_000_000_000;
const STEP_MS: u64 = 5;

impl World {
    /// Regions of one node.
    pub fn new(names: &[&str]) -> Self {
        World::with_nodes(names, 1)
    }

    /// One region of several nodes.
    pub fn cluster(nodes: usize) -> Self {
        World::with_nodes(&["a"], nodes)
    }

    /// Regions of several nodes each: those of one region, one after the other.
    pub fn with_nodes(names: &[&str], nodes: usize) -> Self {
        let names = names.iter().flat_map(|name| std::iter::repeat_n(*name, nodes));
        let names: Vec<_> = names.map(|name| RegionName::new(name).expect("a name")).collect();
        let mut world = World {
            shards: Vec::new(),
            engines: names.iter().map(|_| Memory::new()).collect(),
            inboxes: names.iter().map(|_| Inbox::new()).collect(),
            names,
            nodes,
            begun: nodes,
            down: BTreeSet::new(),
            replies: BTreeMap::new(),
            next: 0,
            ms: 0,
            partition_bytes_max: u64::MAX,
            delay_ms: 0,
            cut: Vec::new(),
            hold_flushes: false,
            reads_left: 0,
            under_way: Vec::new(),
        };
        for region in 0..world.names.len() {
            let shard = world.open(region).expect("opens");
            world.shards.push(shard);
        }
        world.link_all();
        world.run_ms(100);
        world
    }

    fn now(&self) -> Now {
        Now { monotonic_ns: self.ms * 1_000_000, wall_ms: EPOCH_MS + self.ms }
    }

    fn open(&self, region: usize) -> Result<Shard<Memory>, shard::Error> {
        let others = self.names.iter().step_by(self.nodes);
        let peers = others.filter(|name| **name != self.names[region]).cloned().collect();
        let settings = Settings {
            region: self.names[region].clone(),
            node: self.node(region),
            nodes: (1..=self.begun.max(region % self.nodes + 1) as u64).map(NodeId).collect(),
            addresses: BTreeMap::new(),
            first_start: match region % self.nodes < self.begun {
                true => FirstStart::Unsaid,
                false => FirstStart::Joining,
            },
            peers,
            partition_bytes_max: self.partition_bytes_max,
            seed: 7 + region as u64,
            faults: Faults::default(),
        };
        Shard::open(self.engines[region].clone(), settings, self.now())
    }

    fn node(&self, shard: usize) -> NodeId {
        NodeId((shard % self.nodes) as u64 + 1)
    }

    fn peer(&self, shard: usize) -> PeerNode {
        PeerNode { region: self.names[shard].id(), node: self.node(shard) }
    }

    /// Stops a node; what it did not sync is lost.
    pub fn kill(&mut self, node: usize) {
        self.engines[node].crash(Torn::default());
        self.inboxes[node] = Inbox::new();
        self.down.insert(node);
        for other in self.abroad(node) {
            self.push(other, Envelope::LinkDown(self.peer(node)));
        }
    }

    /// Starts a node that was stopped.
    pub fn start_again(&mut self, node: usize) {
        self.down.remove(&node);
        match self.open(node) {
            Err(shard::Error::Removed { .. }) => drop(self.down.insert(node)),
            opened => self.shards[node] = opened.expect("opens"),
        }
        for other in self.abroad(node) {
            self.push(other, Envelope::LinkUp(self.peer(node)));
            self.push(node, Envelope::LinkUp(self.peer(other)));
        }
    }

    /// The nodes of other regions that run.
    fn abroad(&self, node: usize) -> Vec<usize> {
        let running = (0..self.names.len()).filter(|other| !self.down.contains(other));
        running.filter(|other| self.names[*other] != self.names[node]).collect()
    }

    fn link_all(&mut self) {
        for to in 0..self.names.len() {
            for from in 0..self.names.len() {
                if self.names[from] != self.names[to] {
                    self.push(to, Envelope::LinkUp(self.peer(from)));
                }
            }
        }
    }

    /// Loses what was not flushed or synced, and starts the region again.
    pub fn crash(&mut self, region: usize) {
        self.engines[region].crash(Torn::default());
        self.inboxes[region] = Inbox::new();
        self.shards[region] = self.open(region).expect("opens");
        self.link_all();
    }

    pub fn name(&self, region: usize) -> RegionName {
        self.names[region].clone()
    }

    fn push(&mut self, region: usize, envelope: Envelope) {
        assert!(self.inboxes[region].push(envelope).is_ok(), "the inbox has room");
    }

    pub fn run_ms(&mut self, ms: u64) {
        for _ in 0..ms / STEP_MS {
            self.ms += STEP_MS;
            self.deliver();
            for region in
                (0..self.shards.len()).filter(|region| !self.down.contains(region)).collect::<Vec<_>>()
            {
                self.step(region);
            }
        }
    }

    fn deliver(&mut self) {
        for (at, to, envelope) in std::mem::take(&mut self.under_way) {
            match at <= self.ms {
                true if self.down.contains(&to) => {}
                true => self.push(to, envelope),
                false => self.under_way.push((at, to, envelope)),
            }
        }
    }

    fn step(&mut self, region: usize) {
        let now = self.now();
        loop {
            let due = self.shards[region].wake_at_ns().is_some_and(|at| at <= now.monotonic_ns);
            if self.inboxes[region].is_empty() && !due {
                return;
            }
            let turn = match self.shards[region].turn(now, &mut self.inboxes[region]) {
                // Its process ends.
                Err(shard::Error::Removed { .. }) => return self.kill(region),
                turn => turn.expect("a turn"),
            };
            self.route(region, turn.send);
            self.reads_left += turn.reads.len();
            let read: Vec<_> = turn.reads.into_iter().map(|read| read.run().expect("a read")).collect();
            self.route(region, read);
            if turn.sync {
                self.engines[region].sync().expect("synced");
                let released = match self.shards[region].persisted(turn.id, now) {
                    Err(shard::Error::Removed { .. }) => return self.kill(region),
                    released => released.expect("persisted"),
                };
                self.route(region, released);
            }
            if !self.hold_flushes && self.shards[region].wants_flush() {
                self.flush(region);
            }
        }
    }

    /// Sets how much room a node's disk has, and waits until the node has looked.
    pub fn limit(&mut self, node: usize, free_bytes: u64, reserve_bytes: u64) {
        self.engines[node].limit(Some(Room { total_bytes: u64::MAX, free_bytes, reserve_bytes }));
        self.run_ms(2 * types::limits::ROOM_INTERVAL_MS);
    }

    /// Entries in the logs of a node, of all its groups.
    pub fn log_entries(&self, node: usize) -> u64 {
        let engine = &self.engines[node];
        let groups = engine.groups().expect("reads");
        let entries =
            |group| engine.log_range(group).expect("reads").map_or(0, |(first, last)| last + 1 - first);
        groups.into_iter().map(entries).sum()
    }

    /// Flushes a region's key space and cuts its logs.
    pub fn flush(&mut self, region: usize) {
        self.shards[region].begin_flush().expect("begun");
        self.engines[region].flush().expect("flushed");
        self.shards[region].compact().expect("compacted");
    }

    fn route(&mut self, region: usize, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            match envelope {
                Envelope::Reply(reply) => {
                    assert!(self.replies.insert(reply.number, reply.result).is_none(), "one answer each");
                }
                Envelope::Link(link) => {
                    let first = self.names.iter().position(|name| name.id() == link.peer.region);
                    let to = first.expect("a peer") + link.peer.node.0 as usize - 1;
                    let inward = Link { peer: self.peer(region), bytes: link.bytes };
                    if self.cut.contains(&(region, to)) || self.down.contains(&to) {
                        continue;
                    }
                    match self.delay_ms {
                        0 => self.push(to, Envelope::Link(inward)),
                        delay_ms => self.under_way.push((self.ms + delay_ms, to, Envelope::Link(inward))),
                    }
                }
                Envelope::Node(link) => {
                    let to = region - region % self.nodes + link.node.0 as usize - 1;
                    let inward = NodeLink { node: self.node(region), bytes: link.bytes };
                    if to < self.shards.len() && !self.cut.contains(&(region, to)) {
                        self.under_way.push((self.ms + self.delay_ms, to, Envelope::Node(inward)));
                    }
                }
                other => panic!("{other:?} does not leave a shard"),
            }
        }
    }

    /// Asks without waiting for the answer.
    pub fn start(&mut self, region: usize, command: Command) -> u64 {
        self.next += 1;
        let request = Request { number: self.next, deadline_ns: None, bytes: 0, command };
        self.push(region, Envelope::Request(Box::new(request)));
        self.next
    }

    /// Asks once.
    pub fn command(&mut self, region: usize, command: Command) -> Result<Answer, item::Error> {
        let number = self.start(region, command);
        for _ in 0..1000 {
            self.run_ms(STEP_MS);
            if let Some(result) = self.replies.remove(&number) {
                return result;
            }
        }
        panic!("no answer");
    }

    pub fn ask(&mut self, region: usize, operation: Operation) -> Result<Outcome, item::Error> {
        for _ in 0..100 {
            match self.command(region, Command::Item(operation.clone())) {
                Err(item::Error::NotLeader) => self.run_ms(STEP_MS),
                Ok(Answer::Item(outcome)) => return Ok(outcome),
                Ok(other) => panic!("{other:?}"),
                Err(error) => return Err(error),
            }
        }
        panic!("no leader");
    }

    /// Asks one node of a region of several nodes after the other until one leads; which did, and what it
    /// said.
    pub fn ask_cluster(&mut self, operation: &Operation) -> (usize, Outcome) {
        self.ask_region(0, operation)
    }

    /// The nodes of a region.
    pub fn nodes_of(&self, region: usize) -> std::ops::Range<usize> {
        region * self.nodes..(region + 1) * self.nodes
    }

    /// Asks one node of a region after the other until one leads; which did, and what it said.
    pub fn ask_region(&mut self, region: usize, operation: &Operation) -> (usize, Outcome) {
        for _ in 0..200 {
            let nodes = self.nodes_of(region);
            for node in nodes.filter(|node| !self.down.contains(node)).collect::<Vec<_>>() {
                match self.command(node, Command::Item(operation.clone())) {
                    Err(
                        item::Error::NotLeader | item::Error::Elsewhere { .. } | item::Error::OutcomeUnknown,
                    ) => {}
                    Ok(Answer::Item(outcome)) => return (node, outcome),
                    other => panic!("{other:?}"),
                }
            }
        }
        panic!("no leader");
    }

    /// What a node answers by itself.
    pub fn reply(&mut self, number: u64) -> Option<Result<Answer, item::Error>> {
        self.replies.remove(&number)
    }

    pub fn read(&mut self, region: usize, operation: Operation) -> Option<Item> {
        value(self.ask(region, operation).expect("it is read"))
    }

    /// A page of a scan from the start, and whether it was read outside a turn.
    pub fn page(&mut self, region: usize, table: &str, limit: Option<usize>) -> (Page, bool) {
        let page = PageOptions { limit, consistent: true, ..PageOptions::default() };
        let before = self.reads_left;
        match self.ask(region, Operation::Scan(Scan { table: name(table), segment: None, from: None, page }))
        {
            Ok(Outcome::Page(page)) => (page, self.reads_left > before),
            other => panic!("{other:?}"),
        }
    }

    fn table(&mut self, region: usize, command: TableCommand) -> TableAnswer {
        match self.command(region, Command::Table(command)) {
            Ok(Answer::Table(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub fn region(&mut self, region: usize, command: RegionCommand) -> RegionAnswer {
        match self.command(region, Command::Region(command)) {
            Ok(Answer::Region(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn state(&mut self, region: usize, command: TableCommand) -> TableState {
        match self.table(region, command) {
            TableAnswer::Table(status) => status.descriptor.state,
            other => panic!("{other:?}"),
        }
    }

    /// How far a region says that a table has come.
    pub fn describe(&mut self, region: usize, table: &str) -> TableState {
        self.state(region, TableCommand::Describe { name: name(table) })
    }

    /// Asks a region for a table in some regions, and gives how far it has come in the answer.
    pub fn create_at(&mut self, region: usize, name: &str, regions: &[&str], partitions: u32) -> TableState {
        let key =
            KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None };
        let regions = regions.iter().map(|name| RegionName::new(*name).expect("a name")).collect();
        let name = TableName::new(name).expect("a name");
        self.state(region, TableCommand::Create { name, key, regions, partitions })
    }

    /// Creates a table and waits until it is active everywhere.
    pub fn create(&mut self, name: &str, regions: &[&str], partitions: u32) {
        self.create_at(0, name, regions, partitions);
        self.run_ms(2000);
        for region in 0..self.shards.len() {
            assert_eq!(self.describe(region, name), TableState::Active);
        }
    }

    pub fn drop_table(&mut self, region: usize, name: &str) {
        self.table(region, TableCommand::Delete { name: TableName::new(name).expect("a name") });
    }

    /// Creates a table in a region of several nodes and waits until all of them call it active.
    pub fn create_in_cluster(&mut self, table: &str, partitions: u32) {
        self.create_in_clusters(table, &[], partitions);
    }

    /// Creates a table in regions of several nodes, none for the first region alone, and waits until all
    /// nodes call it active.
    pub fn create_in_clusters(&mut self, table: &str, regions: &[&str], partitions: u32) {
        let key =
            KeySchema { partition: KeyAttribute { name: "k".into(), key_type: KeyType::S }, sort: None };
        let regions = regions.iter().map(|name| RegionName::new(*name).expect("a name")).collect();
        let command = TableCommand::Create { name: name(table), key, regions, partitions };
        self.run_ms(5000);
        let made = self.nodes_of(0).any(|node| {
            let refused = self.command(node, Command::Table(command.clone()));
            !matches!(refused, Err(item::Error::NotLeader | item::Error::Elsewhere { .. }))
        });
        assert!(made, "somebody leads the catalog");
        self.run_ms(5000);
        for node in 0..self.shards.len() {
            assert_eq!(self.describe(node, table), TableState::Active);
        }
    }

    pub fn digest(&mut self, region: usize, name: &str) -> TableAnswer {
        let name = TableName::new(name).expect("a name");
        self.table(region, TableCommand::Digest { name, range: HashRange::ALL, parts: 16 })
    }

    /// All nodes of all regions hold the same of a table.
    pub fn assert_equal(&mut self, table: &str) {
        let nodes = 0..self.names.len();
        let digest = |node| match self.digest(node, table) {
            TableAnswer::Digest { parts, .. } => parts,
            other => panic!("{other:?}"),
        };
        let digests: Vec<_> = nodes.map(digest).collect();
        for digest in &digests {
            assert_eq!(digest, &digests[0]);
        }
    }

    /// Whether each entry of a region's conflict ledger is superseded.
    pub fn superseded(&self, region: usize) -> Vec<bool> {
        let (from, _) = keys::ledger::table(Default::default());
        let mut found = Vec::new();
        storage::engine::each(&self.engines[region], &(vec![from[0]], vec![from[0] + 1]), |_, value| {
            found.push(keys::LedgerEntry::decode(value)?.superseded);
            Ok(true)
        })
        .expect("reads");
        found
    }

    fn count(&self, tag: u8) -> usize {
        let mut count = 0;
        for engine in &self.engines {
            storage::engine::each(engine, &(vec![tag], vec![tag + 1]), |_, _| {
                count += 1;
                Ok(true)
            })
            .expect("reads");
        }
        count
    }

    /// Records in all regions, tombstones included.
    pub fn records(&self) -> usize {
        let (from, _) = keys::record::table(Default::default());
        self.count(from[0])
    }

    /// Changes in all regions.
    pub fn changes(&self) -> usize {
        let (from, _) = keys::change::partition(Default::default());
        self.count(from[0])
    }
}
