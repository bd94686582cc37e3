//! What clients are told of who leads what, so that they need not be passed on. It is told by any node, and
//! may be old: whoever does not lead knows who does.

use item::Error as Refusal;
use item::outcome::Answer;
use region::Table;
use storage::Engine;
use types::command::{PartitionRoute, SeatState, TableAnswer, TableRoutes};
use types::{KeyHash, TableName};

use crate::Shard;
use crate::replica::Replica;

impl<E: Engine> Shard<E> {
    /// Answers a client from the catalog as it is applied here, and from the replicas here.
    pub(crate) fn describe_routes(&mut self, number: u64, name: &TableName) -> Result<(), Refusal> {
        let table = self.table(name)?;
        let partitions = match table.is_here(&self.settings.region) {
            true => table.partitions().map(|(_, range)| self.route(table, range.first)).collect(),
            false => Vec::new(),
        };
        let nodes = &self.catalog.applied.nodes;
        let routes = TableRoutes {
            table: table.entry.id,
            partition_key: table.entry.key.partition.clone(),
            partitions,
            nodes: nodes.present().map(|node| (node, nodes.known[&node].address.clone())).collect(),
        };
        self.reply(number, Ok(Answer::Table(TableAnswer::Routes(routes))));
        Ok(())
    }

    /// Who leads what begins at a hash: as a replica here has it, or else as the catalog wants it. What a
    /// split is to give away is led by who gives it.
    fn route(&self, table: &Table, first: KeyHash) -> PartitionRoute {
        let group = self.partition_of(table, first);
        let leader = self.replicas.get(&group).and_then(Replica::leader_node);
        let stays = table.seats(group).iter().find(|seat| seat.state != SeatState::Leaving);
        PartitionRoute {
            first,
            node: leader.or_else(|| stays.map(|seat| seat.node)),
            leads: leader.is_some(),
        }
    }
}
