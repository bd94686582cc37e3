//! Answers that reveal state, held back until a quorum says that this replica led when it read.
//!
//! A leader that was cut off may not know that another leads by now. What it read is right all the same if
//! the quorum, asked after the read, still follows it: then nobody else can have acknowledged anything
//! before. A group of one voter has nobody to ask.

use std::collections::{BTreeMap, BTreeSet};

use item::Error as Refusal;
use item::outcome::Answer;
use storage::Engine;
use types::GroupId;

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
    Waiter(Waiter),
}

/// All that is held back.
#[derive(Debug)]
pub(crate) struct Confirming<S> {
    next: u64,
    /// By number: what is held, and the groups that have not been confirmed.
    held: BTreeMap<u64, (Held<S>, BTreeSet<GroupId>)>,
    /// What is to be asked in this turn.
    unasked: BTreeMap<GroupId, Vec<u64>>,
    /// What was asked, by group and question.
    asked: BTreeMap<(GroupId, u64), Vec<u64>>,
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
        if self.settings.nodes.len() == 1 {
            return self.let_go(held);
        }
        let groups: BTreeSet<_> = groups.into_iter().filter(|group| self.is_shared(*group)).collect();
        if groups.is_empty() {
            return self.let_go(held);
        }
        let number = self.confirming.next;
        self.confirming.next += 1;
        for group in &groups {
            self.confirming.unasked.entry(*group).or_default().push(number);
        }
        self.confirming.held.insert(number, (held, groups));
    }

    /// Asks each quorum once for all that the turn read.
    pub(crate) fn ask_quorums(&mut self) {
        for (group, numbers) in std::mem::take(&mut self.confirming.unasked) {
            match self.group_mut(group).and_then(consensus::Group::ask_quorum) {
                Some(question) => {
                    self.dirty.insert(group);
                    self.confirming.asked.insert((group, question), numbers);
                }
                None => self.refuse_held(numbers),
            }
        }
    }

    /// A quorum has answered a question.
    pub(crate) fn answered(&mut self, group: GroupId, question: u64) {
        for number in self.confirming.asked.remove(&(group, question)).unwrap_or_default() {
            let Some((_, missing)) = self.confirming.held.get_mut(&number) else { continue };
            missing.remove(&group);
            if missing.is_empty()
                && let Some((held, _)) = self.confirming.held.remove(&number)
            {
                self.let_go(held);
            }
        }
    }

    /// A group has another leader: what it read may have been old, and nothing came of it.
    pub(crate) fn unconfirmed(&mut self, group: GroupId) {
        let asked = self.confirming.asked.range((group, 0)..=(group, u64::MAX));
        let questions: Vec<_> = asked.map(|(question, _)| *question).collect();
        let mut numbers = self.confirming.unasked.remove(&group).unwrap_or_default();
        for question in questions {
            numbers.extend(self.confirming.asked.remove(&question).unwrap_or_default());
        }
        self.refuse_held(numbers);
    }

    fn refuse_held(&mut self, numbers: Vec<u64>) {
        for number in numbers {
            match self.confirming.held.remove(&number) {
                Some((Held::Answer { number, .. }, _)) => self.reply(number, Err(Refusal::NotLeader)),
                Some((Held::Read(read), _)) => self.reply(read.number, Err(Refusal::NotLeader)),
                Some((Held::Waiter(waiter), _)) => self.tell_refused(waiter, Refusal::NotLeader),
                None => {}
            }
        }
    }

    fn let_go(&mut self, held: Held<E::Snapshot>) {
        match held {
            Held::Answer { number, result } => self.reply(number, result),
            Held::Read(read) => self.reads.push(*read),
            Held::Waiter(waiter) => self.tell(waiter),
        }
    }
}
