//! Answers that reveal state, held back until a quorum says that this replica led when it read.
//!
//! A leader that was cut off may not know that another leads by now. What it read is right all the same if
//! the quorum, asked after the read, still follows it: then nobody else can have acknowledged anything
//! before. A group of one voter has nobody to ask.
//!
//! A member follows whose own term is the asking leader's: whoever leads next needs a greater term of a
//! majority, one of which would have answered. It takes no step of raft's to say so, and wakes nobody. While
//! a group's question is under way, whoever wants to know waits for the next: under load each serves many.

use std::collections::{BTreeMap, BTreeSet};

use item::Error as Refusal;
use item::outcome::Answer;
use storage::Engine;
use types::{GroupId, NodeId, Planted, limits};

use crate::clock::NS_PER_MS;
use crate::letters::{Content, Letter};
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
    /// The question that is under way to each group's members.
    asked: BTreeMap<GroupId, Question>,
    /// The number of the next question; none is used twice (`P4`).
    next_question: u64,
}

/// Whether a quorum still follows this leader.
#[derive(Debug)]
struct Question {
    number: u64,
    /// The term that it leads in.
    term: u64,
    /// What was committed when it was asked: who reads data in which that is applied reads everything that
    /// was acknowledged before.
    index: u64,
    for_whom: Vec<Asker>,
    /// The members that follow, this one among them.
    follow: BTreeSet<u64>,
    sent_ns: u64,
}

impl<S> Default for Confirming<S> {
    fn default() -> Self {
        let (held, unasked, asked) = Default::default();
        Confirming { next: 0, held, unasked, asked, next_question: 0 }
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

    /// Has a group's quorum asked, in this turn or once the question under way is answered.
    pub(crate) fn ask_for(&mut self, group: GroupId, asker: Asker) {
        self.confirming.unasked.entry(group).or_default().push(asker);
    }

    /// Whether a question can be asked in the next turn.
    pub(crate) fn wants_to_ask(&self) -> bool {
        self.confirming.unasked.keys().any(|group| !self.confirming.asked.contains_key(group))
    }

    /// Asks each quorum once for all who want to know, unless it is being asked already.
    pub(crate) fn ask_quorums(&mut self) {
        for (group, askers) in std::mem::take(&mut self.confirming.unasked) {
            if self.confirming.asked.contains_key(&group) {
                self.confirming.unasked.insert(group, askers);
            } else {
                self.ask_quorum(group, askers);
            }
        }
    }

    fn ask_quorum(&mut self, group: GroupId, for_whom: Vec<Asker>) {
        let Some(raft) = self.group_mut(group).filter(|raft| raft.decides()) else {
            return self.turn_away(for_whom);
        };
        let (term, index, follow) = (raft.term(), raft.commit_index(), BTreeSet::from([raft.replica()]));
        let (number, sent_ns) = (self.confirming.next_question, self.now.monotonic_ns);
        self.confirming.next_question += 1;
        let question = Question { number, term, index, for_whom, follow, sent_ns };
        self.confirming.asked.insert(group, question);
        self.send_question(group);
        self.see_whether_answered(group);
    }

    /// Asks those who have not said that they follow.
    fn send_question(&mut self, group: GroupId) {
        let Question { number, term, ref follow, .. } = self.confirming.asked[&group];
        let unheard = self.seats(group).iter().filter(|seat| !follow.contains(&seat.replica));
        let nodes: Vec<_> =
            unheard.map(|seat| seat.node).filter(|node| *node != self.settings.node).collect();
        for node in nodes {
            self.write_to(node, Letter { group, content: Content::Lead { number, term } });
        }
    }

    /// A leader asks whether the member here follows it; who is of another term says nothing.
    pub(crate) fn asked_to_follow(&mut self, node: NodeId, group: GroupId, number: u64, term: u64) {
        if self.group_mut(group).is_some_and(|raft| raft.term() == term) {
            self.write_to(node, Letter { group, content: Content::Follow(number) });
        }
    }

    /// The member on a node follows.
    pub(crate) fn follows(&mut self, node: NodeId, group: GroupId, number: u64) {
        let seat = self.seats(group).iter().find(|seat| seat.node == node).map(|seat| seat.replica);
        let question = self.confirming.asked.get_mut(&group).filter(|question| question.number == number);
        if let (Some(replica), Some(question)) = (seat, question) {
            question.follow.insert(replica);
            self.see_whether_answered(group);
        }
    }

    /// Tells who wanted to know, once a quorum of the present members follows.
    fn see_whether_answered(&mut self, group: GroupId) {
        let Some(raft) = self.group_mut(group).filter(|raft| raft.decides()) else { return };
        let (members, term) = (raft.members(), raft.term());
        let answered = |question: &Question| {
            question.term == term && members.has_quorum(|member| question.follow.contains(&member))
        };
        if self.confirming.asked.get(&group).is_some_and(answered)
            && let Some(Question { for_whom, index, .. }) = self.confirming.asked.remove(&group)
        {
            self.answered(group, for_whom, index);
        }
    }

    /// Asks again what was not answered within a tick, since letters may be lost; a group that rests wakes,
    /// since its leader may have lost those who follow.
    pub(crate) fn ask_again(&mut self) {
        let now_ns = self.now.monotonic_ns;
        let late = |question: &Question| question.sent_ns + limits::RAFT_TICK_MS * NS_PER_MS <= now_ns;
        let late = self.confirming.asked.iter().filter(|(_, question)| late(question));
        for group in late.map(|(group, _)| *group).collect::<Vec<_>>() {
            if self.group_mut(group).is_none_or(|raft| !raft.decides()) {
                self.unconfirmed(group);
                continue;
            }
            self.quiescence.wake_if_resting(group);
            self.send_question(group);
        }
    }

    /// A quorum has answered a question; what is read strongly elsewhere must be applied up to the index.
    fn answered(&mut self, group: GroupId, for_whom: Vec<Asker>, index: u64) {
        for asker in for_whom {
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
        let mut askers = self.confirming.unasked.remove(&group).unwrap_or_default();
        if let Some(question) = self.confirming.asked.remove(&group) {
            askers.extend(question.for_whom);
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
