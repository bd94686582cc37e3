//! A few replicas of one group, each with a disk of its own, and the messages between them.
//!
//! What runs them is up to the test: every step is a call, in whatever order, and nothing happens by itself.

use std::collections::{BTreeMap, VecDeque};

use rand_chacha::ChaCha8Rng;
use storage::memory::{Memory, Torn};
use storage::{Engine, LogBatch};

use super::{GROUP, create_on, random};
use crate::{Committed, Error, Group, Message, Ready, StepError};

/// A replica and its disk.
pub struct Replica {
    pub disk: Memory,
    /// `None` while it is down.
    pub group: Option<Group<Memory>>,
    /// Syncs asked for: their number, and how far the log must be synced for it.
    pub unsynced: VecDeque<(u64, u64)>,
    /// What it was told to be committed, in order, since it was opened.
    pub committed: Vec<Committed>,
}

/// All replicas and messages.
pub struct World {
    pub replicas: BTreeMap<u64, Replica>,
    pub letters: VecDeque<Message>,
    pub random: ChaCha8Rng,
}

impl World {
    /// Disks with a group of these voters, none of them open.
    pub fn new(voters: &[u64], seed: u64) -> Self {
        let replica = |voter: &u64| {
            let disk = Memory::new();
            create_on(&disk, GROUP, voters);
            let replica = Replica { disk, group: None, unsynced: VecDeque::new(), committed: Vec::new() };
            (*voter, replica)
        };
        let replicas = voters.iter().map(replica).collect();
        World { replicas, letters: VecDeque::new(), random: random(seed) }
    }

    pub fn replica(&mut self, replica: u64) -> &mut Replica {
        self.replicas.get_mut(&replica).expect("the script names a voter")
    }

    pub fn group(&mut self, replica: u64) -> &mut Group<Memory> {
        self.replica(replica).group.as_mut().expect("the replica is up")
    }

    /// Opens a replica from its disk.
    pub fn open(&mut self, replica: u64, applied: u64) -> Result<(), Error> {
        let disk = self.replica(replica).disk.clone();
        let group = Group::open(disk, GROUP, replica, applied, &mut self.random)?;
        let at = self.replica(replica);
        (at.group, at.committed) = (Some(group), Vec::new());
        Ok(())
    }

    /// Stops a replica; of what was not synced its disk keeps the first `kept` batches.
    pub fn crash(&mut self, replica: u64, kept: usize) {
        let at = self.replica(replica);
        at.group = None;
        at.unsynced.clear();
        at.disk.crash(Torn { log_batches: kept, write_batches: 0 });
    }

    pub fn campaign(&mut self, replica: u64) {
        let at = self.replicas.get_mut(&replica).and_then(|at| at.group.as_mut()).expect("it is up");
        at.campaign(&mut self.random);
    }

    pub fn tick(&mut self, replica: u64) {
        let at = self.replicas.get_mut(&replica).and_then(|at| at.group.as_mut()).expect("it is up");
        at.tick(&mut self.random);
    }

    /// One `ready`, appended to the disk; its messages are under way, its commands noted and told applied.
    pub fn ready(&mut self, replica: u64) -> Option<(Ready, LogBatch)> {
        let mut batch = LogBatch::new();
        let ready = self.group(replica).ready(&mut batch).unwrap()?;
        let at = self.replica(replica);
        at.disk.append(batch.clone()).unwrap();
        if let Some(number) = ready.sync {
            at.unsynced.push_back((number, at.disk.appended()));
        }
        at.committed.extend(ready.committed.iter().cloned());
        if let Some(last) = ready.committed.last() {
            self.group(replica).applied(last.index);
        }
        self.post(ready.messages.clone());
        Some((ready, batch))
    }

    /// Finishes the oldest sync asked for; false when there is none.
    pub fn sync(&mut self, replica: u64) -> bool {
        let at = self.replica(replica);
        let Some((number, position)) = at.unsynced.pop_front() else { return false };
        at.disk.sync_to(position);
        let released = self.group(replica).persisted(number);
        self.post(released);
        true
    }

    /// Hands the message at a place over to its receiver; one that is down loses it.
    pub fn deliver(&mut self, place: usize) -> Result<(), StepError> {
        let Some(letter) = self.letters.remove(place) else { return Ok(()) };
        let at = self.replicas.get_mut(&letter.to).and_then(|at| at.group.as_mut());
        at.map_or(Ok(()), |group| group.step(&letter.bytes, &mut self.random))
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
            while let Some(letter) = self.letters.front() {
                busy = true;
                if runs.contains(&letter.to) {
                    self.deliver(0).unwrap();
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
