//! Fetching the data of a replica that comes: from whoever leads its group, piece by piece, straight into
//! their place in the key space, where nothing was.
//!
//! They count for nothing until all of them are here and flushed. Then raft begins its log behind them, and a
//! marker of what they stand at is synced in the same append; only then is the group's own state put in
//! place, and after a crash it is put there from the marker (`P6`). A crash before the marker destroys what
//! was fetched, and it is fetched again.

use consensus::{Group, Members, Point};
use partition::Home;
use rand::RngExt;
use region::Seat;
use storage::engine::StateName;
use storage::keys::{self, PartitionState};
use storage::log::LogWrite;
use storage::{Batch, Engine, LogBatch};
use types::bytes::{Malformed, Reader, put_sized};
use types::{GroupId, HashRange, KeyHash, NodeId, Planted, limits};

use crate::clock::NS_PER_MS;
use crate::data::Data;
use crate::letters::{Content, Letter};
use crate::supply::{Chunk, End};
use crate::{Error, Shard};

/// A partition's replica that has no data yet: it neither votes nor answers anything.
pub(crate) struct Arriving<E: Engine> {
    /// Its raft group.
    pub group: Group<E>,
    /// Its place.
    pub home: Home,
    /// Where its group's members sit.
    pub seats: Vec<Seat>,
    /// How far its data are.
    pub fetch: Fetch,
}

/// How far the data of a replica are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fetch {
    /// Its number; none while nobody was asked.
    transfer: Option<u64>,
    /// The last key that is here.
    after: Vec<u8>,
    asked_ns: u64,
    /// How often it asked for what it lacks.
    tries: u32,
    /// Once all are here: what they stand at.
    end: Option<End>,
    /// Whether all are durable.
    flushed: bool,
    /// Raft's number of the append that holds the marker.
    placing: Option<u64>,
}

impl Fetch {
    /// Whether a flush would bring it on.
    pub fn wants_flush(&self) -> bool {
        self.end.is_some() && !self.flushed
    }

    /// All of it is durable.
    pub fn flushed(&mut self) {
        self.flushed |= self.end.is_some();
    }

    /// What a flush that begins now will cover.
    pub fn covered(&self) -> Option<u64> {
        self.transfer.filter(|_| self.wants_flush())
    }

    fn is_under_way(&self) -> bool {
        self.transfer.is_some() && self.end.is_none()
    }
}

impl<E: Engine> Shard<E> {
    /// How far the data of a group are that has none yet.
    pub(crate) fn fetch_of(&mut self, group: GroupId) -> Option<&mut Fetch> {
        match group {
            GroupId::CATALOG => self.catalog.fetch.as_mut(),
            _ => self.arriving.get_mut(&group).map(|arriving| &mut arriving.fetch),
        }
    }

    /// The groups that have no data yet.
    pub(crate) fn fetching(&self) -> Vec<GroupId> {
        let catalog = self.catalog.fetch.is_some().then_some(GroupId::CATALOG);
        catalog.into_iter().chain(self.arriving.keys().copied()).collect()
    }

    /// Asks for data that are missing, again if nothing came, and brings raft on where all are here.
    pub(crate) fn fetch(&mut self) -> Result<(), Error> {
        let (mut under_way, now_ns) = (0, self.now.monotonic_ns);
        for group in self.fetching() {
            let fetch = self.fetch_of(group).expect("listed above");
            let late_ns = fetch.asked_ns + limits::FETCH_RETRY_MS * NS_PER_MS;
            if fetch.flushed && fetch.placing.is_none() {
                self.restore(group)?;
            } else if fetch.is_under_way() && now_ns < late_ns {
                under_way += 1;
            } else if fetch.end.is_none() && under_way < limits::FETCHES_MAX {
                under_way += usize::from(self.ask_for_data(group)?);
            }
        }
        Ok(())
    }

    /// Asks whoever leads for what follows. If that fails for long, the view is gone, or somebody else leads:
    /// everything is asked for again.
    fn ask_for_data(&mut self, group: GroupId) -> Result<bool, Error> {
        let Some(leader) = self.leader_of(group).filter(|node| *node != self.settings.node) else {
            return Ok(false);
        };
        let (now_ns, number) = (self.now.monotonic_ns, self.random.random());
        let fetch = self.fetch_of(group).expect("called for one that fetches");
        if fetch.after.is_empty() || fetch.tries >= limits::FETCH_TRIES_MAX {
            if !self.knows_range(group) {
                return Ok(false);
            }
            let fetch = self.fetch_of(group).expect("called for one that fetches");
            *fetch = Fetch { transfer: Some(number), ..Fetch::default() };
            self.clear(group)?;
        }
        let fetch = self.fetch_of(group).expect("called for one that fetches");
        (fetch.asked_ns, fetch.tries) = (now_ns, fetch.tries + 1);
        self.ask_for_more(leader, group);
        Ok(true)
    }

    /// Whether the catalog tells which range is to be fetched: not while the partition is being split, nor a
    /// wider one than what was here had, since then it is behind and others may have the rest here.
    fn knows_range(&mut self, group: GroupId) -> bool {
        let Some(arriving) = self.arriving.get_mut(&group) else { return true };
        let table = self.catalog.applied.tables.get(&arriving.home.table);
        let Some(table) = table.filter(|table| !table.is_splitting(group)) else { return false };
        let had = arriving.home.range;
        let Some(range) = table.range(group).filter(|range| had.contains(range.last)) else { return false };
        arriving.home.range = range;
        true
    }

    /// Whether data have the range that was to be fetched.
    fn is_whole(&self, group: GroupId, end: &End) -> bool {
        let Some(home) = self.arriving.get(&group).map(|arriving| &arriving.home) else { return true };
        let first = self.catalog.applied.tables.get(&home.table).and_then(|table| table.first_range(group));
        let last = end.state.last.or(first.map(|range| range.last));
        last == Some(home.range.last)
    }

    fn ask_for_more(&mut self, leader: NodeId, group: GroupId) {
        let replica = self.group_mut(group).expect("it fetches").replica();
        let fetch = self.fetch_of(group).expect("it fetches");
        let (transfer, after) = (fetch.transfer.expect("begun"), fetch.after.clone());
        self.write_to(leader, Letter { group, content: Content::Pull { transfer, replica, after } });
    }

    /// Destroys what was fetched in part.
    fn clear(&mut self, group: GroupId) -> Result<(), Error> {
        if self.settings.faults.has(Planted::KeepOldRange) {
            return Ok(());
        }
        let mut writes = Batch::new();
        self.data_of(group).destroy(&mut writes);
        Ok(self.engine.write(writes)?)
    }

    fn data_of(&self, group: GroupId) -> Data {
        match self.arriving.get(&group) {
            None => Data::Catalog,
            Some(arriving) => data(&arriving.home),
        }
    }

    /// Takes in a piece.
    pub(crate) fn chunk(&mut self, node: NodeId, group: GroupId, chunk: Chunk) -> Result<(), Error> {
        let data = self.data_of(group);
        let (now_ns, hasty) = (self.now.monotonic_ns, self.settings.faults.has(Planted::MarkUnflushed));
        let Some(fetch) = self.fetch_of(group) else { return Ok(()) };
        let expected = fetch.transfer == Some(chunk.transfer) && fetch.after == chunk.after;
        if !expected || fetch.end.is_some() {
            return Ok(());
        }
        if !is_of(&data, &chunk) {
            self.figures.messages_refused += 1;
            return Ok(());
        }
        if chunk.end.as_ref().is_some_and(|end| !self.is_whole(group, end)) {
            *self.fetch_of(group).expect("seen above") = Fetch::default();
            return Ok(());
        }
        let fetch = self.fetch_of(group).expect("seen above");
        if let Some((last, _)) = chunk.pairs.last() {
            fetch.after.clone_from(last);
        }
        (fetch.asked_ns, fetch.tries, fetch.end) = (now_ns, 0, chunk.end);
        let ends = fetch.end.is_some();
        fetch.flushed = ends && hasty;
        let mut writes = Batch::new();
        chunk.pairs.into_iter().for_each(|(key, value)| writes.put(key, value));
        self.engine.write(writes)?;
        if !ends {
            self.ask_for_more(node, group);
        }
        Ok(())
    }

    /// Tells raft that the data are here. It wants a leader for that; which one does not matter, since what
    /// is applied anywhere is so everywhere. Where its log goes on from them anyway, it need not be told.
    fn restore(&mut self, group: GroupId) -> Result<(), Error> {
        let End { state, members } =
            self.fetch_of(group).and_then(|fetch| fetch.end.clone()).expect("flushed");
        let point = Point { index: state.applied, term: state.applied_term, members };
        let (raft, random) = self.group_and_random(group).expect("it fetches");
        if raft.knows_members() && raft.reaches(point.index) {
            return self.begin_again(group, &point);
        }
        let Some(leader) = raft.leader() else { return Ok(()) };
        match raft.restore(leader, &point, random) {
            Ok(true) => drop(self.dirty.insert(group)),
            Ok(false) => {
                // They are of no use; perhaps newer ones are.
                let fetch = self.fetch_of(group).expect("it fetches");
                fetch.tries += 1;
                if fetch.tries >= limits::FETCH_TRIES_MAX {
                    *fetch = Fetch::default();
                }
            }
            Err(consensus::StepError::Fatal(error)) => return Err(error.into()),
            // It did not begin, and will be tried again.
            Err(_) => {}
        }
        Ok(())
    }

    /// Opens a replica again over data that took the place of those that were void; its log stands.
    fn begin_again(&mut self, group: GroupId, point: &Point) -> Result<(), Error> {
        let end = self.fetch_of(group).and_then(|fetch| fetch.end.clone()).expect("it was fetched");
        let mut log = LogBatch::new();
        mark(group, &end, &mut log);
        self.engine.append(log)?;
        self.engine.write(in_place(group, &end))?;
        let replica = self.group_mut(group).expect("it fetches").replica();
        let (engine, random) = (self.engine.clone(), &mut self.random);
        let raft = Group::open(engine, group, replica, point.index, Some(&point.members), random)?;
        match self.arriving.get_mut(&group) {
            Some(arriving) => arriving.group = raft,
            None => self.catalog.group = raft,
        }
        self.opened(group, end.state)
    }

    fn opened(&mut self, group: GroupId, state: PartitionState) -> Result<(), Error> {
        self.figures.replicas_fetched += 1;
        self.dirty.insert(group);
        match group {
            GroupId::CATALOG => self.open_fetched_catalog(state),
            _ => self.open_fetched(group),
        }
    }

    /// The leader says that this replica lacks what its log does not hold any more: all of the data must
    /// come from there. Until that is written down for certain, what is here stands. If it does not lack
    /// that, the leader has not heard how far it is.
    pub(crate) fn lack(&mut self, node: NodeId, group: GroupId, replica: u64, first: u64) {
        if self.fetch_of(group).is_some() || self.leader_of(group) != Some(node) {
            return;
        }
        let Some(raft) = self.group_mut(group).filter(|raft| raft.replica() == replica) else { return };
        if raft.last_index() + 1 < first {
            self.voiding.insert(group);
        } else {
            let acknowledgement = raft.acknowledge();
            self.post(group, acknowledgement.into_iter().collect());
        }
    }

    /// Tells replicas that they lack what the log here does not hold.
    pub(crate) fn tell_lacking(&mut self, group: GroupId, lacking: &[u64]) {
        for replica in lacking.iter().copied() {
            let Some(first) = self.group_mut(group).map(|raft| raft.first_index()) else { return };
            let seat = self.seats(group).iter().find(|seat| seat.replica == replica).copied();
            if let Some(seat) = seat {
                self.write_to(seat.node, Letter { group, content: Content::Lack { replica, first } });
            }
        }
    }

    /// Writes down which data are to be void, with what the replicas know of their members: that they must
    /// never forget, or they might elect somebody among those who were members once.
    pub(crate) fn mark_void(&mut self, log: &mut LogBatch) {
        for group in std::mem::take(&mut self.voiding) {
            let Some(raft) = self.group_mut(group) else { continue };
            let value = raft.members().encode();
            log.push(LogWrite::State { group, name: StateName::Void, value });
            if let Some(HashRange { first, last }) = self.replicas.get(&group).map(|it| it.home.range) {
                let value = [first.0.to_be_bytes(), last.0.to_be_bytes()].concat();
                log.push(LogWrite::State { group, name: StateName::VoidRange, value });
            }
            self.unsynced.voided.push(group);
        }
    }

    /// A group's data here are void, for certain: they are destroyed, and fetched.
    pub(crate) fn void(&mut self, group: GroupId) -> Result<(), Error> {
        if group == GroupId::CATALOG {
            self.catalog.fetch = Some(Fetch::default());
            self.catalog.state = PartitionState::default();
        } else {
            let seats = self.seats(group).to_vec();
            let Some((raft, home)) = self.take_down(group) else { return Ok(()) };
            self.arriving.insert(group, Arriving { group: raft, home, seats, fetch: Fetch::default() });
        }
        self.clear(group)
    }

    /// Raft begins its log behind the data: what they stand at goes into the same append.
    pub(crate) fn mark_restored(&mut self, group: GroupId, number: u64, log: &mut LogBatch) {
        let fetch = self.fetch_of(group).expect("raft is given data only here");
        fetch.placing = Some(number);
        mark(group, fetch.end.as_ref().expect("raft was given them"), log);
    }

    /// An append is durable. If it held the marker, the group's state goes into its place: from here on it is
    /// a replica like any other.
    pub(crate) fn place(&mut self, group: GroupId, number: u64) -> Result<(), Error> {
        let placed =
            self.fetch_of(group).filter(|fetch| fetch.placing.is_some_and(|placing| placing <= number));
        let Some(end) = placed.and_then(|fetch| fetch.end.clone()) else { return Ok(()) };
        self.engine.write(in_place(group, &end))?;
        let raft = self.group_mut(group).expect("it fetched");
        raft.applied(end.state.applied);
        self.opened(group, end.state)
    }
}

/// The data of a partition's replica.
pub(crate) fn data(home: &Home) -> Data {
    let Home { table, partition: group, root, range, .. } = *home;
    Data::Partition { table, group, root, range }
}

/// Whether a piece holds nothing but a group's data, in order.
fn is_of(data: &Data, chunk: &Chunk) -> bool {
    let ranges = data.ranges();
    let within = |key: &Vec<u8>| ranges.iter().any(|(from, to)| from <= key && key < to);
    let mut before = &chunk.after;
    for (key, _) in &chunk.pairs {
        if key <= before || !within(key) {
            return false;
        }
        before = key;
    }
    chunk.end.is_some() || !chunk.pairs.is_empty()
}

/// Whether what a group has here is void: it came and was given nothing yet, or gave up what it had. Its
/// members, as far as it knows.
pub(crate) fn void(engine: &impl Engine, group: GroupId) -> Result<Option<Members>, Error> {
    if let Some(members) = engine.state(group, StateName::Void)?.filter(|members| !members.is_empty()) {
        return Ok(Some(Members::decode(&members)?));
    }
    let Some(stored) = engine.state(group, StateName::Configuration)? else { return Ok(None) };
    let members = Members::decode(&stored)?;
    let blank = members.voters.is_empty() && engine.state(group, StateName::Restored)?.is_none();
    Ok(blank.then_some(members))
}

/// The range of data that are void, if they ever were.
pub(crate) fn void_range(engine: &impl Engine, group: GroupId) -> Result<Option<HashRange>, Error> {
    let Some(stored) = engine.state(group, StateName::VoidRange)? else { return Ok(None) };
    let undecodable = |_| storage::Error::undecodable("range of void data");
    let mut reader = Reader::new(&stored);
    let first = KeyHash(reader.u64().map_err(undecodable)?);
    Ok(Some(HashRange { first, last: KeyHash(reader.u64().map_err(undecodable)?) }))
}

/// What data that were fetched stood at, if they were.
pub(crate) fn restored(engine: &impl Engine, group: GroupId) -> Result<Option<End>, Error> {
    let Some(stored) = engine.state(group, StateName::Restored)? else { return Ok(None) };
    Ok(Some(decode(&stored).map_err(|_| storage::Error::undecodable("marker of fetched data"))?))
}

/// Puts the state in place that a marker tells of, if a crash came in between (`P6`).
pub(crate) fn redo(engine: &impl Engine, group: GroupId) -> Result<(), Error> {
    let Some(end) = restored(engine, group)? else { return Ok(()) };
    let there = engine.get(&keys::partition::encode(group))?;
    let there = there.map(|bytes| PartitionState::decode(&bytes)).transpose()?.unwrap_or_default();
    if there.applied < end.state.applied {
        engine.write(in_place(group, &end))?;
    }
    Ok(())
}

/// Marks data as whole, of which a group's state is yet to be put in place.
fn mark(group: GroupId, end: &End, log: &mut LogBatch) {
    log.push(LogWrite::State { group, name: StateName::Restored, value: encode(end) });
    log.push(LogWrite::State { group, name: StateName::Void, value: Vec::new() });
}

fn in_place(group: GroupId, end: &End) -> Batch {
    let mut writes = Batch::new();
    writes.put(keys::partition::encode(group), end.state.encode());
    writes.put(keys::members::encode(group), end.members.encode());
    writes
}

/// The bytes of what data stand at.
pub(crate) fn encode(end: &End) -> Vec<u8> {
    let mut out = vec![1];
    put_sized(&mut out, &end.state.encode());
    put_sized(&mut out, &end.members.encode());
    out
}

/// The inverse of `encode`.
pub(crate) fn decode(bytes: &[u8]) -> Result<End, Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != 1 {
        return Err(Malformed);
    }
    let state = PartitionState::decode(reader.sized()?).map_err(|_| Malformed)?;
    let members = Members::decode(reader.sized()?).map_err(|_| Malformed)?;
    reader.finish()?;
    Ok(End { state, members })
}
