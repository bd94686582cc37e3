//! The catalog's side of a shard: table and region commands, and what peers tell of tables (`P19`).
//!
//! One update is in flight at a time; the rest wait in a bounded queue, and each is decided against what the
//! one before it left.

use std::collections::BTreeSet;

use global::Message;
use item::outcome::Answer;
use item::{Error as Refusal, Invalid};
use region::nodes::FIRST_REPLICA;
use region::{Entry, Learned, Life, Seat, Table, Update};
use storage::Engine;
use types::command::{
    ClusterCommand, PeerStatus, RegionAnswer, RegionCommand, SeatState, TableAnswer, TableCommand,
    TableStatus,
};
use types::{GroupId, KeyHash, KeySchema, RegionId, RegionName, TableId, TableName, TableState, limits};

use crate::reads::Told;
use crate::waiter::CatalogWaiter;
use crate::{PeerNode, Shard, writes};

/// A request to the catalog that waits for its turn.
#[derive(Debug)]
pub(crate) enum CatalogRequest {
    /// A client's.
    Create { number: u64, name: TableName, key: KeySchema, regions: BTreeSet<RegionName>, partitions: u32 },
    /// A client's.
    Delete { number: u64, name: TableName },
    /// A client's.
    Pause { number: u64, to: RegionName, paused: bool },
    /// A peer's entry.
    Learn { peer: PeerNode, entry: Entry },
    /// A peer's refusal of a creation.
    Refused { table: TableId },
    /// A leader's, whose partition has grown too much.
    Grown { group: GroupId, at: KeyHash },
    /// A client's, about nodes.
    Cluster { number: u64, command: ClusterCommand },
}

impl<E: Engine> Shard<E> {
    /// Takes in a table command; what needs the log waits for the catalog.
    pub(crate) fn table_command(&mut self, number: u64, command: TableCommand) -> Told<()> {
        match command {
            TableCommand::Create { name, key, regions, partitions } => {
                Ok(self.create(number, name, key, regions, partitions))
            }
            TableCommand::Delete { name } => Ok(self.enqueue(CatalogRequest::Delete { number, name })),
            TableCommand::Describe { name } => Ok(self.describe(number, &name)),
            TableCommand::Routes { name } => Ok(self.describe_routes(number, &name)),
            TableCommand::List { after, limit } => {
                self.list(number, after.as_ref(), limit);
                Ok(Ok(()))
            }
            TableCommand::Digest { .. } | TableCommand::Versions { .. } => self.compare(number, command),
        }
    }

    fn create(
        &mut self,
        number: u64,
        name: TableName,
        key: KeySchema,
        regions: Vec<RegionName>,
        partitions: u32,
    ) -> Result<(), Refusal> {
        let (min, max) = (1, u64::from(limits::PARTITIONS_MAX));
        if !(min..=max).contains(&u64::from(partitions)) {
            return Err(Invalid::Range { field: "Partitions", min, max, got: u64::from(partitions) }.into());
        }
        let mut named: BTreeSet<_> = regions.into_iter().collect();
        if named.is_empty() {
            named.insert(self.settings.region.clone());
        }
        if let Some(name) = named.iter().find(|name| !self.knows(name)) {
            return Err(Refusal::UnknownRegion { name: name.clone() });
        }
        self.enqueue(CatalogRequest::Create { number, name, key, regions: named, partitions })
    }

    fn knows(&self, region: &RegionName) -> bool {
        *region == self.settings.region || self.peers.contains_key(&region.id())
    }

    fn describe(&mut self, number: u64, name: &TableName) -> Result<(), Refusal> {
        let missing = || self.missing(name);
        let status = self.names.get(name).and_then(|id| self.status(*id)).ok_or_else(missing)?;
        self.reply(number, Ok(Answer::Table(TableAnswer::Table(status))));
        Ok(())
    }

    /// What clients are told of a table. Whoever waits for ACTIVE writes at once, so a copy whose partitions
    /// have only just been made is CREATING until each has decided. From then on the table stays ACTIVE: a
    /// restart makes its partitions wait for their replay again, but to a client, as in DynamoDB, an
    /// interruption is a matter of retries, and never takes a table's creation back.
    fn status(&self, table: TableId) -> Option<TableStatus> {
        let table = self.catalog.applied.tables.get(&table)?;
        let mut descriptor = table.entry.descriptor();
        // Each region splits its own.
        descriptor.partitions = u32::try_from(table.count()).expect("a table has few partitions");
        if descriptor.state == TableState::Active && !self.is_established(table) {
            descriptor.state = TableState::Creating;
        }
        Some(TableStatus { descriptor, created_ms: table.entry.id.created.millis() })
    }

    /// Whether every replica that the table was made with here has decided once. One that came later, or is
    /// being given data, says nothing of that.
    fn is_established(&self, table: &Table) -> bool {
        let me = self.settings.node;
        let first = |seat: Seat| seat.state == SeatState::Settled && seat.replica < FIRST_REPLICA;
        let mut mine = table.partitions().filter(|(group, _)| table.seat_on(*group, me).is_some_and(first));
        mine.all(|(group, _)| self.replicas.get(&group).is_none_or(|replica| replica.established))
    }

    fn list(&mut self, number: u64, after: Option<&TableName>, limit: usize) {
        let mut names: Vec<_> =
            self.names.keys().filter(|name| after.is_none_or(|after| *name > after)).collect();
        let limit = limit.clamp(1, limits::LIST_TABLES_MAX);
        let more = names.len() > limit;
        names.truncate(limit);
        let names = names.into_iter().cloned().collect();
        self.reply(number, Ok(Answer::Table(TableAnswer::Names { names, more })));
    }

    /// Takes in a region command.
    pub(crate) fn region_command(&mut self, number: u64, command: RegionCommand) -> Result<(), Refusal> {
        let (to, paused) = match command {
            RegionCommand::Status => {
                self.reply_region(number);
                return Ok(());
            }
            RegionCommand::Pause { to } => (to, true),
            RegionCommand::Resume { to } => (to, false),
        };
        if !self.peers.contains_key(&to.id()) {
            return Err(Refusal::UnknownRegion { name: to });
        }
        self.enqueue(CatalogRequest::Pause { number, to, paused })
    }

    fn reply_region(&mut self, number: u64) {
        let figures = self.figures();
        let name = |region: RegionId| self.peers.get(&region).map(|peer| peer.name.clone());
        let peers = figures.peers.iter().filter_map(|peer| {
            Some(PeerStatus {
                region: name(peer.region)?,
                connected: peer.connected,
                paused: peer.paused,
                pending_changes: peer.pending_changes,
                pending_bytes: peer.pending_bytes,
                lag_ms: peer.lag_ms,
            })
        });
        let mut peers: Vec<_> = peers.collect();
        peers.sort_by(|a, b| a.region.cmp(&b.region));
        let nodes = self.nodes_and_figures();
        let answer = RegionAnswer {
            region: self.settings.region.clone(),
            tables: figures.tables,
            partitions: figures.partitions,
            ledger_entries: figures.ledger_entries,
            peers,
            summary: self.summary(&nodes),
            nodes,
        };
        self.reply(number, Ok(Answer::Region(answer)));
    }

    pub(crate) fn enqueue(&mut self, request: CatalogRequest) -> Result<(), Refusal> {
        // The only voter will lead once its log is replayed; others may never.
        if self.is_shared(GroupId::CATALOG) && !self.catalog_decides() {
            return Err(self.ask_the_catalog());
        }
        if self.catalog.queue.len() >= limits::CATALOG_QUEUE_MAX {
            return Err(Refusal::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS });
        }
        self.catalog.queue.push_back(request);
        Ok(())
    }

    /// A peer told of tables, or refused one. It tells again, so a full queue loses nothing.
    pub(crate) fn learn(&mut self, peer: PeerNode, entries: Vec<Entry>) {
        for entry in entries {
            let _ = self.enqueue(CatalogRequest::Learn { peer, entry });
        }
    }

    /// A peer refused a creation. It refuses again when it is told again.
    pub(crate) fn refused(&mut self, table: TableId) {
        let _ = self.enqueue(CatalogRequest::Refused { table });
    }

    /// Whether the catalog's leader has applied its own term's first entry (`P2`).
    pub(crate) fn catalog_decides(&self) -> bool {
        self.catalog.group.decides()
    }

    /// Decides what waits for the catalog, until an update is in flight.
    pub(crate) fn decide_catalog(&mut self) {
        while self.catalog.in_flight.is_none() && self.catalog_decides() {
            let Some(request) = self.catalog.queue.pop_front() else { return };
            match request {
                CatalogRequest::Create { number, name, key, regions, partitions } => {
                    let now = self.clock.tick();
                    let created = self
                        .check_room()
                        .and_then(|()| self.catalog.applied.create(name, key, &regions, partitions, now));
                    self.propose_table(number, created);
                }
                CatalogRequest::Delete { number, name } => {
                    let deleted = self.catalog.applied.delete(&name);
                    self.propose_table(number, deleted);
                }
                CatalogRequest::Pause { number, to, paused } => match self.catalog.applied.pause(&to, paused)
                {
                    Some(update) => self.propose_update(&update, CatalogWaiter::Region { number }),
                    None => self.reply_region(number),
                },
                CatalogRequest::Learn { peer, entry } => self.decide_entry(peer, entry),
                CatalogRequest::Refused { table } => {
                    if let Some(update) = self.catalog.applied.refused(table) {
                        self.propose_update(&update, CatalogWaiter::Nobody);
                    }
                }
                CatalogRequest::Grown { group, at } => self.split_what_has_grown(group, at),
                CatalogRequest::Cluster { number, command } => self.decide_cluster(number, command),
            }
        }
    }

    fn decide_entry(&mut self, peer: PeerNode, entry: Entry) {
        let (table, digest) = (entry.id, entry.digest());
        match self.catalog.applied.learn(entry) {
            Learned::Known => self.send(peer, &Message::TablesKnown(vec![(table, digest)])),
            Learned::Update(update) => {
                self.propose_update(&update, CatalogWaiter::Known { peer, table, digest })
            }
            Learned::Refused => self.send(peer, &Message::TableRefused(table)),
            Learned::Undecided => {}
        }
    }

    fn propose_table(&mut self, number: u64, decided: Result<(TableId, Update), Refusal>) {
        match decided {
            Ok((table, update)) => self.propose_update(&update, CatalogWaiter::Table { number, table }),
            Err(refusal) => self.reply(number, Err(refusal)),
        }
    }

    pub(crate) fn propose_update(&mut self, update: &Update, waiter: CatalogWaiter) {
        match self.catalog.group.propose(update.encode()) {
            Ok(index) => {
                self.catalog.in_flight = Some((index, waiter));
                self.dirty.insert(GroupId::CATALOG);
            }
            Err(refused) => {
                if let Some(number) = waiter.request() {
                    self.reply(number, Err(writes::refusal(refused)));
                }
            }
        }
    }

    /// Refuses what waits for the catalog: another node leads it.
    pub(crate) fn refuse_queue(&mut self) {
        for request in std::mem::take(&mut self.catalog.queue) {
            match request {
                CatalogRequest::Create { number, .. }
                | CatalogRequest::Delete { number, .. }
                | CatalogRequest::Cluster { number, .. }
                | CatalogRequest::Pause { number, .. } => self.reply(number, Err(Refusal::NotLeader)),
                // Whoever told tells again.
                CatalogRequest::Learn { .. }
                | CatalogRequest::Refused { .. }
                | CatalogRequest::Grown { .. } => {}
            }
        }
    }

    /// Tells who waited for the catalog that nobody knows what becomes of their update (`P3`).
    pub(crate) fn tell_catalog_unknown(&mut self, waiter: CatalogWaiter) {
        if let Some(number) = waiter.request() {
            self.reply(number, Err(Refusal::OutcomeUnknown));
        }
    }

    /// Tells who waited for the catalog that their update is applied.
    pub(crate) fn tell_catalog(&mut self, waiter: CatalogWaiter) {
        match waiter {
            CatalogWaiter::Table { number, table } => {
                let status = self.status(table).expect("the update put it there");
                self.reply(number, Ok(Answer::Table(TableAnswer::Table(status))));
            }
            CatalogWaiter::Region { number } => self.reply_region(number),
            CatalogWaiter::Cluster { number, wanted } => self.answer_cluster(number, wanted),
            CatalogWaiter::Known { peer, table, digest } => {
                self.send(peer, &Message::TablesKnown(vec![(table, digest)]));
            }
            CatalogWaiter::Nobody => {}
        }
    }

    /// Keeps the index of names up to date with the catalog.
    pub(crate) fn index_names(&mut self) {
        let mut named: Vec<_> = self.catalog.applied.named().map(|table| &table.entry).collect();
        // Of two tables of one name, the one that is not being deleted comes last and stays.
        named.sort_by_key(|entry| std::cmp::Reverse(entry.life >= Life::Deleting));
        self.names = named.into_iter().map(|entry| (entry.name.clone(), entry.id)).collect();
    }
}
