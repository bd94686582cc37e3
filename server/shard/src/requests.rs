//! Client requests, handed to whoever carries them out. Every request is answered exactly once.

use item::operation::{Command, Operation};
use item::outcome::Answer;
use item::{Error as Refusal, Outcome};
use region::{Life, Table};
use storage::Engine;
use types::{GroupId, NodeId, TableName, limits};

use crate::catalog::CatalogRequest;
use crate::replica::Replica;
use crate::{Envelope, Error, Reply, Request, Shard};

impl<E: Engine> Shard<E> {
    /// Takes in a request.
    pub(crate) fn request(&mut self, request: Request) -> Result<(), Error> {
        let number = request.number;
        if request.deadline_ns.is_some_and(|deadline| deadline <= self.now.monotonic_ns) {
            self.reply(number, Err(Refusal::DeadlinePassed));
            return Ok(());
        }
        let refused = match request.command {
            Command::Item(operation) => self.operation(number, operation)?.err(),
            Command::Table(command) => self.table_command(number, command)?.err(),
            Command::Region(command) => self.region_command(number, command).err(),
            Command::Cluster(command) => self.enqueue(CatalogRequest::Cluster { number, command }).err(),
        };
        if let Some(refusal) = refused {
            self.reply(number, Err(refusal));
        }
        Ok(())
    }

    fn operation(&mut self, number: u64, operation: Operation) -> Result<Result<(), Refusal>, Error> {
        if self.answers_full && operation.reads() {
            return Ok(Err(Refusal::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS }));
        }
        match operation {
            Operation::Get(get) => self.get(number, get),
            Operation::Query(query) => self.query(number, query),
            Operation::Scan(scan) => self.scan(number, scan),
            Operation::BatchGet(batch) => self.batch_get(number, batch),
            Operation::Put(put) => self.put(number, put),
            Operation::Update(update) => self.update(number, update),
            Operation::Delete(delete) => self.delete(number, delete),
            Operation::BatchWrite(batch) => self.batch_write(number, batch),
        }
    }

    /// The active table of a name.
    pub(crate) fn table(&self, name: &TableName) -> Result<&Table, Refusal> {
        let missing = || self.missing(name);
        let id = self.names.get(name).ok_or_else(missing)?;
        let table = self.catalog.applied.tables.get(id).ok_or_else(missing)?;
        match table.entry.life {
            Life::Active => Ok(table),
            Life::Creating | Life::Deleting => Err(Refusal::TableInUse { name: name.clone() }),
            Life::Deleted => Err(missing()),
        }
    }

    /// What a client is told of a table that this node does not know. Only the catalog's leader, with its log
    /// replayed, can tell that it does not exist.
    pub(crate) fn missing(&self, name: &TableName) -> Refusal {
        match self.catalog_decides() {
            true => Refusal::TableNotFound { name: name.clone() },
            false => self.ask_the_catalog(),
        }
    }

    /// Who can answer for the catalog.
    pub(crate) fn ask_the_catalog(&self) -> Refusal {
        let raft = &self.catalog.group;
        match raft.leader().filter(|leader| *leader != raft.replica()) {
            Some(leader) => Refusal::Elsewhere { node: NodeId(leader) },
            None => Refusal::NotLeader,
        }
    }

    /// The replica of a partition, if it may decide and serve strong reads, or who can be asked instead.
    pub(crate) fn leader(&self, group: GroupId) -> Result<&Replica<E>, Refusal> {
        let replica = self.replicas.get(&group).ok_or_else(|| self.holder(group))?;
        match replica.decides() {
            true => Ok(replica),
            false => Err(replica.ask_the_leader()),
        }
    }

    /// Who holds a partition of which there is no replica here: whoever was to lead it may know who does.
    pub(crate) fn holder(&self, group: GroupId) -> Refusal {
        match self.holders(group).first() {
            Some(node) => Refusal::Elsewhere { node: *node },
            None => Refusal::NotLeader,
        }
    }

    /// The other nodes that hold a partition, those that live first.
    pub(crate) fn holders(&self, group: GroupId) -> Vec<NodeId> {
        let me = self.settings.node;
        let seats = self.catalog.applied.table_of(group).map_or(&[][..], |table| table.seats(group));
        let mut nodes: Vec<_> = seats.iter().map(|seat| seat.node).filter(|node| *node != me).collect();
        nodes.sort_by_key(|node| !self.quiescence.lives(*node));
        nodes
    }

    /// Answers a request.
    pub(crate) fn reply(&mut self, number: u64, result: Result<Answer, Refusal>) {
        self.figures.answered += 1;
        if matches!(result, Ok(Answer::Item(Outcome::Written(_)))) {
            self.figures.acknowledged_writes += 1;
        }
        let reply = Reply::new(number, result);
        self.answered_bytes += reply.bytes;
        self.out.push(Envelope::Reply(Box::new(reply)));
    }

    /// Answers a request about items.
    pub(crate) fn reply_item(&mut self, number: u64, result: Result<Outcome, Refusal>) {
        self.reply(number, result.map(Answer::Item));
    }
}
