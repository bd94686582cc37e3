//! A region whose nodes come and go.

use std::collections::BTreeMap;

use item::operation::Command;
use item::outcome::Answer;
use proptest::prelude::*;
use shard::Inbox;
use storage::engine::each;
use storage::keys;
use storage::memory::Memory;
use types::command::{
    ClusterAnswer, ClusterCommand, NodeState, NodeStatus, PartitionStatus, RegionCommand, SeatState,
};
use types::{GroupId, KeyHash, NodeId, RegionName, TableId, TableName};

use super::World;

/// A node that comes or goes.
#[derive(Clone, Debug)]
pub enum Coming {
    /// A new one, which asks a node.
    Join(usize),
    /// One that gives up what it has.
    Drain(usize),
    /// One that has its share again.
    Resume(usize),
    /// One that goes for ever.
    Remove(usize),
    /// One of a table's partitions goes from a node to another.
    Move(usize, usize, usize),
    /// One of a table's partitions is split, in its middle or elsewhere.
    Split(usize, Option<u64>),
}

/// A node, of so many, that comes or goes.
pub fn coming(nodes: usize) -> impl Strategy<Value = Coming> {
    let node = move || 0..nodes;
    prop_oneof![
        3 => node().prop_map(Coming::Join),
        1 => node().prop_map(Coming::Drain),
        1 => node().prop_map(Coming::Resume),
        1 => node().prop_map(Coming::Remove),
        2 => (0..6usize, node(), node()).prop_map(|(partition, from, to)| Coming::Move(partition, from, to)),
        3 => (0..6usize, any::<Option<u64>>()).prop_map(|(partition, at)| Coming::Split(partition, at)),
    ]
}

impl World {
    /// Has somebody come or go, if whoever is asked can see to it; there are at most so many nodes.
    pub fn come_and_go(&mut self, coming: &Coming, most: usize) {
        let node = |at: usize| NodeId(at as u64 + 1);
        let command = match *coming {
            Coming::Join(at) if self.shards.len() < most => {
                let command = self.join_command();
                if let Some(Ok(Answer::Cluster(ClusterAnswer::Joined { .. }))) = self.ask_running(at, command)
                {
                    self.add();
                }
                return;
            }
            Coming::Join(_) => return,
            Coming::Drain(at) => ClusterCommand::Drain { node: node(at) },
            Coming::Resume(at) => ClusterCommand::Resume { node: node(at) },
            Coming::Remove(at) => ClusterCommand::Remove { node: node(at) },
            Coming::Move(partition, from, to) => ClusterCommand::Move {
                table: TableName::new("movies").expect("a name"),
                partition: GroupId(GroupId::FIRST.0 + partition as u64),
                from: node(from),
                to: node(to),
            },
            Coming::Split(partition, at) => ClusterCommand::Split {
                table: TableName::new("movies").expect("a name"),
                partition: GroupId(GroupId::FIRST.0 + partition as u64),
                at: at.map(KeyHash),
            },
        };
        // Whoever leads the catalog sees to it; the others refuse.
        for at in 0..self.shards.len() {
            self.ask_running(at, command.clone());
        }
    }

    fn ask_running(&mut self, at: usize, command: ClusterCommand) -> Option<Result<Answer, item::Error>> {
        let runs = at < self.shards.len() && !self.down.contains(&at);
        runs.then(|| self.wait_for(at, Command::Cluster(command)))?
    }

    /// The nodes that were not removed.
    pub fn present(&mut self) -> Vec<NodeId> {
        let statuses = self.node_statuses().into_iter();
        statuses.filter(|status| status.state != NodeState::Removed).map(|status| status.node).collect()
    }

    /// How many nodes have their share.
    pub fn active(&mut self) -> usize {
        self.node_statuses().iter().filter(|status| status.state == NodeState::Active).count()
    }

    /// Asks one node after the other about nodes until one answers.
    pub fn cluster_command(&mut self, command: &ClusterCommand) -> Result<ClusterAnswer, item::Error> {
        for _ in 0..200 {
            for node in self.nodes_of(0).filter(|node| !self.down.contains(node)).collect::<Vec<_>>() {
                match self.command(node, Command::Cluster(command.clone())) {
                    Err(
                        item::Error::NotLeader | item::Error::Elsewhere { .. } | item::Error::OutcomeUnknown,
                    ) => {}
                    Ok(Answer::Cluster(answer)) => return Ok(answer),
                    Err(error) => return Err(error),
                    other => panic!("{other:?}"),
                }
            }
        }
        panic!("nobody leads the catalog");
    }

    /// Adds a node with an empty disk to the only region.
    pub fn join(&mut self) -> usize {
        let command = self.join_command();
        let joined = self.cluster_command(&command);
        let Ok(ClusterAnswer::Joined { node, .. }) = joined else { panic!("{joined:?}") };
        assert_eq!(node, NodeId(self.shards.len() as u64 + 1));
        self.add()
    }

    /// What the next node asks; again and again the same, until it is told.
    fn join_command(&self) -> ClusterCommand {
        let token = self.shards.len() as u64 + 1;
        ClusterCommand::Join { token, address: format!("n:{token}") }
    }

    fn add(&mut self) -> usize {
        let at = self.shards.len();
        self.names.push(self.names[0].clone());
        self.engines.push(Memory::new());
        self.inboxes.push(Inbox::new());
        self.nodes += 1;
        let shard = self.open(at).expect("opens");
        self.shards.push(shard);
        at
    }

    /// A node loses what was not synced or flushed, and starts again.
    pub fn crash_node(&mut self, at: usize) {
        self.kill(at);
        self.start_again(at);
        self.run_ms(3000);
    }

    pub fn drain(&mut self, at: usize) -> Result<ClusterAnswer, item::Error> {
        self.cluster_command(&ClusterCommand::Drain { node: NodeId(at as u64 + 1) })
    }

    pub fn resume(&mut self, at: usize) -> Result<ClusterAnswer, item::Error> {
        self.cluster_command(&ClusterCommand::Resume { node: NodeId(at as u64 + 1) })
    }

    pub fn remove(&mut self, at: usize) -> Result<ClusterAnswer, item::Error> {
        self.cluster_command(&ClusterCommand::Remove { node: NodeId(at as u64 + 1) })
    }

    /// Nothing is shipped from the first region to another.
    pub fn pause(&mut self, to: &RegionName) {
        self.region_command(&RegionCommand::Pause { to: to.clone() });
    }

    pub fn resume_shipping(&mut self, to: &RegionName) {
        self.region_command(&RegionCommand::Resume { to: to.clone() });
    }

    fn region_command(&mut self, command: &RegionCommand) {
        let told = self.nodes_of(0).any(|node| {
            matches!(self.command(node, Command::Region(command.clone())), Ok(Answer::Region(_)))
        });
        assert!(told, "somebody leads the catalog");
    }

    pub fn node_statuses(&mut self) -> Vec<NodeStatus> {
        match self.cluster_command(&ClusterCommand::Nodes) {
            Ok(ClusterAnswer::Nodes(nodes)) => nodes,
            other => panic!("{other:?}"),
        }
    }

    pub fn partitions(&mut self, table: &str) -> Vec<PartitionStatus> {
        let table = TableName::new(table).expect("a name");
        match self.cluster_command(&ClusterCommand::Partitions { table }) {
            Ok(ClusterAnswer::Partitions(partitions)) => partitions,
            other => panic!("{other:?}"),
        }
    }

    /// Runs until no replica comes or goes, and each partition has so many at least, all on nodes that were
    /// not removed.
    pub fn run_until_settled(&mut self, table: &str, replicas: usize) {
        let present: Vec<_> = self.present();
        let sits =
            |(node, state): &(NodeId, SeatState)| *state == SeatState::Settled && present.contains(node);
        let settled = |status: &PartitionStatus| {
            status.seats.len() >= replicas && status.seats.iter().all(sits) && !status.splitting
        };
        let mut quiet = 0;
        for _ in 0..600 {
            self.run_ms(200);
            quiet = if self.partitions(table).iter().all(settled) { quiet + 1 } else { 0 };
            // What is planned next is planned within that time.
            if quiet == 15 {
                return;
            }
        }
        panic!("replicas are still moving: {:?}", self.partitions(table));
    }

    /// All replicas of each partition hold the same records, and nobody else of the region holds any.
    pub fn assert_replicas_equal(&mut self, table: &str) {
        self.run_ms(3000);
        let statuses = self.partitions(table);
        let id = self.id_of(table);
        let present = self.present();
        for status in statuses {
            let mut held = BTreeMap::new();
            let running = self.nodes_of(0).filter(|node| !self.down.contains(node));
            for node in running.filter(|node| present.contains(&NodeId(*node as u64 + 1))) {
                let mut records = Vec::new();
                each(&self.engines[node], &keys::record::hashes(id, status.range), |key, value| {
                    records.push((key.to_vec(), value.to_vec()));
                    Ok(true)
                })
                .expect("reads");
                held.insert(NodeId(node as u64 + 1), records);
            }
            let seats: Vec<_> = status.seats.iter().map(|(node, _)| *node).collect();
            let first = &held[&seats[0]];
            for (node, records) in &held {
                match seats.contains(node) {
                    true => assert_eq!(records, first, "node {node:?} of {status:?}"),
                    false => assert!(records.is_empty(), "node {node:?} keeps what it gave up: {status:?}"),
                }
            }
        }
    }

    fn id_of(&self, table: &str) -> TableId {
        let mut found = None;
        for engine in &self.engines {
            each(engine, &keys::catalog::tables(), |key, _| {
                if let Ok(keys::catalog::Key::Table(id)) = keys::catalog::Key::decode(key) {
                    found = Some(id);
                }
                Ok(true)
            })
            .expect("reads");
        }
        found.unwrap_or_else(|| panic!("{table} is not in the catalog"))
    }
}
