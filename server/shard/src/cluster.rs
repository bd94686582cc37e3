//! Commands about a region's nodes, and what the catalog's leader plans for them by itself.

use item::Error as Refusal;
use item::outcome::Answer;
use storage::Engine;
use types::command::{ClusterAnswer, ClusterCommand, NodeState, NodeStatus, PartitionStatus};
use types::{GroupId, NodeId, TableId, limits};

use crate::Shard;
use crate::clock::NS_PER_MS;
use crate::waiter::CatalogWaiter;

/// What a client is answered once the catalog has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// A new node's number.
    Joined(NodeId),
    /// All nodes.
    Nodes,
    /// A table's partitions.
    Partitions(TableId),
}

impl<E: Engine> Shard<E> {
    /// Decides a command, at the catalog's leader, who answers those that only ask as well: a node that was
    /// removed knows nothing of it.
    pub(crate) fn decide_cluster(&mut self, number: u64, command: ClusterCommand) {
        let decided = match command {
            ClusterCommand::Join { token, address } => {
                let joined = self.catalog.applied.join(token, &address);
                joined.map(|(node, update)| (update, Wanted::Joined(node)))
            }
            ClusterCommand::Drain { node } => {
                self.catalog.applied.drain(node).map(|update| (update, Wanted::Nodes))
            }
            ClusterCommand::Resume { node } => {
                self.catalog.applied.resume(node).map(|update| (update, Wanted::Nodes))
            }
            ClusterCommand::Remove { node } => {
                let lives = |node| self.lives(node);
                match self.is_shrinking(node) {
                    true => Err(Refusal::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS }),
                    false => self.catalog.applied.remove(node, lives).map(|update| (update, Wanted::Nodes)),
                }
            }
            ClusterCommand::Move { table, partition, from, to } => self.table(&table).and_then(|table| {
                let moved = self.catalog.applied.move_replica(table, partition, from, to)?;
                Ok((Some(moved), Wanted::Partitions(table.entry.id)))
            }),
            ClusterCommand::Split { table, partition, at } => self.table(&table).and_then(|table| {
                let middle = table.range(partition).map(|range| range.middle());
                let at = at.or(middle).unwrap_or_default();
                let split = self.catalog.applied.split(table, partition, at)?;
                Ok((Some(split), Wanted::Partitions(table.entry.id)))
            }),
            ClusterCommand::Nodes => Ok((None, Wanted::Nodes)),
            ClusterCommand::Partitions { table } => {
                self.table(&table).map(|table| (None, Wanted::Partitions(table.entry.id)))
            }
        };
        match decided {
            Ok((Some(update), wanted)) => {
                self.propose_update(&update, CatalogWaiter::Cluster { number, wanted });
            }
            Ok((None, wanted)) => self.answer_cluster(number, wanted),
            Err(refusal) => self.reply(number, Err(refusal)),
        }
    }

    /// Whether the catalog's group still counts on another node that was removed: one more, and what is left
    /// might be no majority.
    fn is_shrinking(&self, node: NodeId) -> bool {
        let nodes = &self.catalog.applied.nodes;
        let removed = |member: &u64| nodes.state(NodeId(*member)) == Some(NodeState::Removed);
        let members = self.catalog.group.members();
        members.is_joint() || members.voters.iter().any(|member| *member != node.0 && removed(member))
    }

    /// Plans what is to move, at the catalog's leader: first it takes in what has moved. A leader that is new
    /// waits until it knows who lives.
    pub(crate) fn plan_moves(&mut self) {
        let now_ns = self.now.monotonic_ns;
        if !self.catalog_decides() {
            self.catalog.led_since_ns = None;
            return self.catalog.reported.clear();
        }
        let since_ns = *self.catalog.led_since_ns.get_or_insert(now_ns);
        let patience_ms = 2 * limits::RAFT_TICK_MS * u64::from(limits::RAFT_ELECTION_TICKS);
        let waits = self.catalog.in_flight.is_some() || !self.catalog.queue.is_empty();
        if waits || !self.catalog.unplanned || now_ns < since_ns + patience_ms * NS_PER_MS {
            return;
        }
        let reported = std::mem::take(&mut self.catalog.reported);
        let catalog = &self.catalog.applied;
        let (me, full) = (self.settings.node, self.storage.nearly_full);
        let has_room = |node| match node == me {
            true => !full,
            false => !self.overview.is_nearly_full(node),
        };
        match catalog.settle(&reported).or_else(|| catalog.plan(|node| self.lives(node), has_room)) {
            Some(update) => self.propose_update(&update, CatalogWaiter::Nobody),
            None => self.catalog.unplanned = catalog.is_moving(),
        }
    }

    /// Answers a client from the catalog as it is applied.
    pub(crate) fn answer_cluster(&mut self, number: u64, wanted: Wanted) {
        let answer = match wanted {
            Wanted::Joined(node) => {
                let nodes = &self.catalog.applied.nodes;
                let others = nodes.present().filter(|other| *other != node);
                let members = others.map(|other| (other, nodes.known[&other].address.clone()));
                ClusterAnswer::Joined { node, members: members.collect() }
            }
            Wanted::Nodes => ClusterAnswer::Nodes(self.node_statuses()),
            Wanted::Partitions(table) => ClusterAnswer::Partitions(self.partition_statuses(table)),
        };
        self.reply(number, Ok(Answer::Cluster(answer)));
    }

    pub(crate) fn node_statuses(&self) -> Vec<NodeStatus> {
        let catalog = &self.catalog.applied;
        let status = |(node, known): (&NodeId, &region::Node)| {
            let (moving, first) = catalog.shares_of(*node);
            NodeStatus {
                node: *node,
                address: known.address.clone(),
                state: known.state,
                lives: self.lives(*node),
                replicas: catalog.replicas_on(*node),
                first,
                moving,
            }
        };
        catalog.nodes.known.iter().map(status).collect()
    }

    fn partition_statuses(&self, table: TableId) -> Vec<PartitionStatus> {
        let Some(table) = self.catalog.applied.tables.get(&table) else { return Vec::new() };
        let status = |(group, range): (GroupId, _)| PartitionStatus {
            partition: group,
            range,
            seats: table.seats(group).iter().map(|seat| (seat.node, seat.state)).collect(),
            splitting: table.is_splitting(group),
            load: self.catalog.loads.of(group),
            leader: self.replicas.get(&group).and_then(crate::replica::Replica::leader_node),
        };
        table.partitions().map(status).collect()
    }
}
