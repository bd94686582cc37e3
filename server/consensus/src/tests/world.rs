//! A few replicas of one group, each with a disk of its own, and the messages between them.
//!
//! What runs them is up to the test: every step is a call, in whatever order, and nothing happens by itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_chacha::ChaCha8Rng;
use storage::memory::{Memory, Torn};
use storage::{Engine, LogBatch};

use super::{GROUP, create_on, random};
use crate::{Committed, Error, Group, Members, Message, Point, Ready, StepError};

/// A replica and its disk.
pub struct Replica {
    pub disk: Memory,
    /// `None` while it is down.
    pub group: Option<Group<Memory>>,
    /// Syncs asked for: their number, and how far the log must be synced for it.
    pub unsynced: VecDeque<(u64, u64)>,
    /// What it was told to be committed, in order, since it was opened.
    pub committed: Vec<Committed>,
    /// The members from an index of its data on.
    pub members: BTreeMap<u64, Members>,
    /// Data that go in place once a sync is done.
    pub restoring: Option<(u64, Point)>,
}

impl Replica {
    fn new(disk: Memory) -> Self {
        let (unsynced, committed, members) = Default::default();
        Replica { disk, group: None, unsynced, committed, members, restoring: None }
    }
}

/// All replicas and messages.
pub struct World {
    pub replicas: BTreeMap<u64, Replica>,
    pub letters: VecDeque<Message>,
    /// Who was found to lack what the log no longer holds, and by whom.
    pub lacking: BTreeSet<(u64, u64)>,
    pub random: ChaCha8Rng,
}

impl World {
    /// Disks with a group of these voters, none of them open.
    pub fn new(voters: &[u64], seed: u64) -> Self {
        let replica = |voter: &u64| {
            let disk = Memory::new();
            create_on(&disk, GROUP, voters);
            (*voter, Replica::new(disk))
        };
        let replicas = voters.iter().map(replica).collect();
        World { replicas, letters: VecDeque::new(), lacking: BTreeSet::new(), random: random(seed) }
    }

    /// Adds a disk on which the group was joined, and opens it.
    pub fn join(&mut self, replica: u64) {
        let disk = Memory::new();
        let mut batch = LogBatch::new();
        crate::join(GROUP, &mut batch);
        disk.append(batch).unwrap();
        disk.sync().unwrap();
        self.replicas.insert(replica, Replica::new(disk));
        self.open(replica, 0).unwrap();
    }

    pub fn replica(&mut self, replica: u64) -> &mut Replica {
        self.replicas.get_mut(&replica).expect("the script names a voter")
    }

    pub fn group(&mut self, replica: u64) -> &mut Group<Memory> {
        self.replica(replica).group.as_mut().expect("the replica is up")
    }

    /// Opens a replica from its disk.
    pub fn open(&mut self, replica: u64, applied: u64) -> Result<(), Error> {
        let at = self.replicas.get_mut(&replica).expect("the script names a replica");
        at.members.split_off(&(applied + 1));
        let members = at.members.last_key_value().map(|(_, members)| members);
        let group = Group::open(at.disk.clone(), GROUP, replica, applied, members, &mut self.random)?;
        (at.group, at.committed) = (Some(group), Vec::new());
        Ok(())
    }

    /// Stops a replica; of what was not synced its disk keeps the first `kept` batches.
    pub fn crash(&mut self, replica: u64, kept: usize) {
        let at = self.replica(replica);
        at.group = None;
        at.unsynced.clear();
        at.restoring = None;
        at.disk.crash(Torn { log_batches: kept, write_batches: 0 });
    }

    pub fn campaign(&mut self, replica: u64) {
        let at = self.replicas.get_mut(&replica).and_then(|at| at.group.as_mut()).expect("it is up");
        at.campaign(&mut self.random);
    }

    pub fn transfer(&mut self, replica: u64, to: u64) {
        let at = self.replicas.get_mut(&replica).and_then(|at| at.group.as_mut()).expect("it is up");
        at.transfer(to, &mut self.random);
    }

    pub fn tick(&mut self, replica: u64) {
        let at = self.replicas.get_mut(&replica).and_then(|at| at.group.as_mut()).expect("it is up");
        at.tick(&mut self.random);
    }

    /// One `ready`, appended to the disk; its messages are under way, its commands noted and told applied.
    pub fn ready(&mut self, replica: u64) -> Option<(Ready, LogBatch)> {
        let mut batch = LogBatch::new();
        let ready = self.group(replica).ready(&mut batch).unwrap()?;
        let at = self.replicas.get_mut(&replica).expect("it is there");
        at.disk.append(batch.clone()).unwrap();
        if let Some(number) = ready.sync {
            at.unsynced.push_back((number, at.disk.appended()));
        }
        if let Some(point) = &ready.restored {
            at.restoring = Some((ready.sync.expect("a new log is synced"), point.clone()));
        }
        at.committed.extend(ready.committed.iter().cloned());
        let group = at.group.as_mut().expect("it is up");
        for entry in &ready.committed {
            if let Some(change) = &entry.change {
                at.members.insert(entry.index, group.apply_change(change, &mut self.random));
            }
            group.applied(entry.index);
        }
        self.lacking.extend(ready.lacking.iter().map(|lacking| (*lacking, replica)));
        self.post(ready.messages.clone());
        Some((ready, batch))
    }

    /// Finishes the oldest sync asked for; false when there is none.
    pub fn sync(&mut self, replica: u64) -> bool {
        let at = self.replica(replica);
        let Some((number, position)) = at.unsynced.pop_front() else { return false };
        at.disk.sync_to(position);
        let restored = at.restoring.take_if(|(restored, _)| *restored == number);
        let released = self.group(replica).persisted(number);
        if let Some((_, point)) = restored {
            self.group(replica).applied(point.index);
            self.replica(replica).members.insert(point.index, point.members);
        }
        self.post(released);
        true
    }

    /// Gives a replica the data of another, as they stand; whether its raft wants them.
    pub fn restore(&mut self, to: u64, from: u64) -> bool {
        let source = self.group(from);
        let (index, members) = (source.applied_index(), source.members());
        let point = Point { index, term: source.raft.store().term_of(index).unwrap(), members };
        let at = self.replicas.get_mut(&to).and_then(|at| at.group.as_mut());
        at.is_some_and(|group| group.restore(from, &point, &mut self.random).unwrap())
    }

    /// Hands the message at a place over to its receiver; one that is down loses it.
    pub fn deliver(&mut self, place: usize) -> Result<(), StepError> {
        let Some(letter) = self.letters.remove(place) else { return Ok(()) };
        let at = self.replicas.get_mut(&letter.to).and_then(|at| at.group.as_mut());
        at.map_or(Ok(()), |group| group.step(&letter.bytes, &mut self.random).map(drop))
    }

    /// Hands over a message that may come from one who is no member, as a receiver sees it.
    pub fn deliver_from_anybody(&mut self, place: usize) {
        match self.deliver(place) {
            Ok(()) | Err(StepError::UnknownSender { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }

    /// Runs some replicas until nothing is left to do, and says what each was told to be committed. Messages
    /// to others are lost.
    pub fn settle(&mut self, runs: &[u64]) -> Vec<(u64, Committed)> {
        let mut committed = Vec::new();
        let mut busy = true;
        while std::mem::take(&mut busy) {
            for replica in runs {
                while let Some((ready, _)) = self.ready(*replica) {
                    busy = true;
                    committed.extend(ready.committed.into_iter().map(|entry| (*replica, entry)));
                }
                while self.sync(*replica) {
                    busy = true;
                }
            }
            for (to, from) in std::mem::take(&mut self.lacking) {
                if runs.contains(&to) && runs.contains(&from) {
                    busy |= self.restore(to, from);
                }
            }
            while let Some(letter) = self.letters.front() {
                busy = true;
                if runs.contains(&letter.to) {
                    self.deliver_from_anybody(0);
                } else {
                    self.letters.pop_front();
                }
            }
        }
        committed
    }

    /// The replicas that are up.
    pub fn up(&self) -> impl Iterator<Item = u64> + '_ {
        self.replicas.iter().filter(|(_, at)| at.group.is_some()).map(|(replica, _)| *replica)
    }

    /// Puts messages under way.
    fn post(&mut self, messages: Vec<Message>) {
        self.letters.extend(messages);
    }
}
