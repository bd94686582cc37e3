//! Answers that reveal state, held back until a quorum says that this replica led when it read.
//!
//! A leader that was cut off may not know that another leads by now. What it read is right all the same if
//! the quorum, asked after the read, still follows it: then nobody else can have acknowledged anything
//! before. A group of one voter has nobody to ask.

use std::collections::{BTreeMap, BTreeSet};

use item::Error as Refusal;
use item::outcome::Answer;
use storage::Engine;
use types::{GroupId, NodeId, Planted};

use crate::replica::Closing;
use crate::waiter::Waiter;
use crate::{Shard, SnapshotRead};

/// What is held back.
#[derive(Debug)]
pub(crate) enum Held<S> {
    /// An answer.
    Answer {
        /// The request.
        number: u64,
        /// What it came to.
        result: Result<Answer, Refusal>,
    },
    /// A read that is yet to be made, of what was committed in its turn.
    Read(Box<SnapshotRead<S>>),
    /// The answer of a write that changed nothing, or part of one.
    Waiter(GroupId, u64, Waiter),
}

/// Who wants a quorum asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker {
    /// What is held back here, by its number.
    Held(u64),
    /// A closed time that this leader chose.
    Closing(Closing),
    /// A scan that a node makes from its own replicas, by that node's number for it.
    Scan(NodeId, u64),
}

/// All that is held back, and all that quorums are asked for.
#[derive(Debug)]
pub(crate) struct Confirming<S> {
    next: u64,
    /// By number: what is held, and the groups that have not been confirmed.
    held: BTreeMap<u64, (Held<S>, BTreeSet<GroupId>)>,
    /// For whom each group is to be asked in this turn.
    unasked: BTreeMap<GroupId, Vec<Asker>>,
    /// For whom it was asked, by group and question.
    asked: BTreeMap<(GroupId, u64), Vec<Asker>>,
}

impl<S> Default for Confirming<S> {
    fn default() -> Self {
        let (held, unasked, asked) = Default::default();
        Confirming { next: 0, held, unasked, asked }
    }
}

impl<E: Engine> Shard<E> {
    /// Lets something go once every group that it read of has confirmed this leader; at once, if none has
    /// anybody to ask.
    pub(crate) fn confirm(&mut self, groups: impl IntoIterator<Item = GroupId>, held: Held<E::Snapshot>) {
        let faults = self.settings.faults;
        let trusts = faults.has(Planted::StaleReads) || faults.has(Planted::AnyoneReads);
        if trusts {
            return self.let_go(held);
        }
        let groups: BTreeSet<_> = groups.into_iter().filter(|group| self.is_shared(*group)).collect();
        if groups.is_empty() {
            return self.let_go(held);
        }
        let number = self.confirming.next;
        self.confirming.next += 1;
        for group in &groups {
            self.ask_for(*group, Asker::Held(number));
        }
        self.confirming.held.insert(number, (held, groups));
    }

    /// Has a group's quorum asked in this turn.
    pub(crate) fn ask_for(&mut self, group: GroupId, asker: Asker) {
        self.confirming.unasked.entry(group).or_default().push(asker);
    }

    /// Asks each quorum once for all who want to know in this turn.
    pub(crate) fn ask_quorums(&mut self) {
        for (group, askers) in std::mem::take(&mut self.confirming.unasked) {
            match self.group_mut(group).and_then(consensus::Group::ask_quorum) {
                Some(question) => {
                    self.dirty.insert(group);
                    self.confirming.asked.insert((group, question), askers);
                }
                None => self.turn_away(askers),
            }
        }
    }

    /// A quorum has answered a question; what is read strongly elsewhere must be applied up to the index.
    pub(crate) fn answered(&mut self, group: GroupId, question: u64, index: u64) {
        for asker in self.confirming.asked.remove(&(group, question)).unwrap_or_default() {
            match asker {
                Asker::Held(number) => self.confirm_held(group, number),
                Asker::Scan(node, number) => self.tell_scan(group, node, number, index),
                Asker::Closing(chosen) => self.promise(group, chosen),
            }
        }
    }

    fn confirm_held(&mut self, group: GroupId, number: u64) {
        let Some((_, missing)) = self.confirming.held.get_mut(&number) else { return };
        missing.remove(&group);
        if missing.is_empty()
            && let Some((held, _)) = self.confirming.held.remove(&number)
        {
            self.let_go(held);
        }
    }

    /// A group has another leader: what it read may have been old, and nothing came of it.
    pub(crate) fn unconfirmed(&mut self, group: GroupId) {
        let asked = self.confirming.asked.range((group, 0)..=(group, u64::MAX));
        let questions: Vec<_> = asked.map(|(question, _)| *question).collect();
        let mut askers = self.confirming.unasked.remove(&group).unwrap_or_default();
        for question in questions {
            askers.extend(self.confirming.asked.remove(&question).unwrap_or_default());
        }
        self.turn_away(askers);
    }

    /// Refuses what nobody can confirm. Scans are not told: they wait no longer than an election takes.
    /// Closed times are chosen again.
    fn turn_away(&mut self, askers: Vec<Asker>) {
        for asker in askers {
            let Asker::Held(number) = asker else { continue };
            match self.confirming.held.remove(&number) {
                Some((Held::Answer { number, .. }, _)) => self.reply(number, Err(Refusal::NotLeader)),
                Some((Held::Read(read), _)) => self.reply(read.number, Err(Refusal::NotLeader)),
                Some((Held::Waiter(_, _, waiter), _)) => self.tell_refused(waiter, Refusal::NotLeader),
                None => {}
            }
        }
    }

    fn let_go(&mut self, held: Held<E::Snapshot>) {
        match held {
            Held::Answer { number, result } => self.reply(number, result),
            Held::Read(read) => self.reads.push(*read),
            Held::Waiter(group, after, waiter) => self.tell_after(group, after, waiter),
        }
    }
}
