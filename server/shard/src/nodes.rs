//! What a shard says to the other nodes of its region, and hears from them: raft's messages, questions, other
//! regions' records, and the time.
//!
//! Letters may be lost, doubled and reordered; raft copes. What leaves carries hybrid time, so nothing leaves
//! before the clock's ceiling above that time is durable (`P7`).

use std::collections::BTreeMap;

use consensus::{Group, Message, StepError};
use rand_chacha::ChaCha8Rng;
use region::Seat;
use storage::Engine;
use types::{GroupId, NodeId, Planted, limits};

use crate::clock::NS_PER_MS;
use crate::confirm::Asker;
use crate::letters::{self, Content, Letter, Sender};
use crate::{Envelope, Error, NodeLink, Shard};

/// Letters that wait to leave.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    letters: BTreeMap<NodeId, Vec<Letter>>,
}

impl Outbox {
    /// Has a node told that this one lives, if there is nothing else to tell it.
    pub fn greet(&mut self, node: NodeId) {
        self.letters.entry(node).or_default();
    }
}

impl<E: Engine> Shard<E> {
    /// Where a group's members sit.
    pub(crate) fn seats(&self, group: GroupId) -> &[Seat] {
        match group {
            GroupId::CATALOG => &self.catalog.seats,
            _ => match self.replicas.get(&group) {
                Some(replica) => &replica.seats,
                None => self.arriving.get(&group).map_or(&[], |arriving| &arriving.seats),
            },
        }
    }

    /// Whether a group has members on other nodes.
    pub(crate) fn is_shared(&self, group: GroupId) -> bool {
        self.seats(group).len() > 1
    }

    /// Takes a group's messages to the nodes that their receivers sit on.
    pub(crate) fn post(&mut self, group: GroupId, messages: Vec<Message>) {
        for Message { to, bytes } in messages {
            // Whoever lost its seat is not written to any more.
            if let Some(seat) = self.seats(group).iter().find(|seat| seat.replica == to).copied() {
                self.write_to(seat.node, Letter { group, content: Content::Raft(bytes) });
            }
        }
    }

    /// Lets the letters leave, unless the time that they would carry is not durable yet (`P7`).
    pub(crate) fn send_letters(&mut self) {
        let time = self.clock.present();
        if time > self.clock.durable() {
            return;
        }
        let sender = Sender { time, life: self.settings.seed };
        for (node, letters) in std::mem::take(&mut self.outbox.letters) {
            self.quiescence.wrote(node);
            let mut rest = &letters[..];
            loop {
                let mut bytes = 0;
                let fits = |letter: &&Letter| {
                    let before = bytes;
                    bytes += letter.bytes();
                    before < limits::NODE_MESSAGE_BYTES
                };
                let (now, later) = rest.split_at(rest.iter().take_while(fits).count());
                self.out.push(Envelope::Node(NodeLink { node, bytes: letters::encode(sender, now) }));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }

    /// Takes in what another node sent. A damaged bundle is counted and dropped.
    pub(crate) fn letters(&mut self, link: &NodeLink) -> Result<(), Error> {
        let Ok((Sender { time, life }, letters)) = letters::decode(&link.bytes) else {
            self.figures.messages_refused += 1;
            return Ok(());
        };
        if !self.admits(link.node) {
            let (group, content) = (GroupId::CATALOG, Content::Removed);
            self.write_to(link.node, Letter { group, content });
            self.figures.messages_refused += 1;
            return Ok(());
        }
        if !self.settings.faults.has(Planted::NoMerge) {
            self.clock.pass(time);
        }
        self.heard(link.node, life);
        for Letter { group, content } in letters {
            match content {
                Content::Raft(bytes) => self.step(group, &bytes)?,
                Content::Held(index) => self.note_held(group, index),
                Content::Rest { term, last } => self.rest_with(link.node, group, term, last),
                Content::Ask(number) => self.ask_for(group, Asker::Scan(link.node, number)),
                Content::Confirmed { number, index } => self.confirmed(group, number, index),
                Content::Wake => self.quiescence.wake_if_resting(group),
                Content::Share(bytes) => self.share_letter(link.node, group, &bytes)?,
                Content::Pull { transfer, replica, after } => {
                    self.supply(link.node, group, replica, transfer, after)?;
                }
                Content::Lack { replica, first } => self.lack(link.node, group, replica, first),
                Content::Removed => return Err(Error::Removed { node: self.settings.node }),
                Content::Chunk(chunk) => self.chunk(link.node, group, *chunk)?,
                Content::Settled(voters) => self.reported(group, voters),
                Content::Grown(at) => self.note_growth(group, at),
                Content::Load(load) => self.note_load(group, load),
                Content::Lead { number, term } => self.asked_to_follow(link.node, group, number, term),
                Content::Follow(number) => self.follows(link.node, group, number),
                Content::Figures(figures) => self.note_figures(link.node, *figures),
            }
        }
        Ok(())
    }

    fn step(&mut self, group: GroupId, bytes: &[u8]) -> Result<(), Error> {
        // A group that this node has not heard of yet, or not any more: raft sends again.
        let Some((raft, random)) = self.group_and_random(group) else { return Ok(()) };
        match raft.step(bytes, random) {
            Ok(asks) => {
                self.dirty.insert(group);
                if asks {
                    self.wake_for_candidate(group);
                }
            }
            Err(StepError::Fatal(error)) => return Err(error.into()),
            Err(_) => self.figures.messages_refused += 1,
        }
        Ok(())
    }

    /// All members of a group hold its log up to an index.
    fn note_held(&mut self, group: GroupId, index: u64) {
        let held = match group {
            GroupId::CATALOG => Some(&mut self.catalog.held),
            _ => self.replicas.get_mut(&group).map(|replica| &mut replica.held),
        };
        if let Some(held) = held {
            *held = index.max(*held);
        }
    }

    /// The index up to which a group's log may be cut, as far as others are concerned. Its leader tells them,
    /// for each of them has to know before it leads. Whoever has been silent for long does not count: should
    /// it come back, it is given data.
    pub(crate) fn held(&mut self, group: GroupId) -> u64 {
        let now_ns = self.now.monotonic_ns;
        let silent =
            self.seats(group).iter().filter(|seat| self.quiescence.has_been_silent(seat.node, now_ns));
        let silent: Vec<_> = silent.map(|seat| seat.replica).collect();
        let Some(raft) = self.group_mut(group) else { return 0 };
        if raft.is_leader() {
            let held = raft.held_by_all(|member| !silent.contains(&member));
            self.note_held(group, held);
            for node in self.others(group) {
                self.write_to(node, Letter { group, content: Content::Held(held) });
            }
        }
        match group {
            GroupId::CATALOG => self.catalog.held,
            _ => self.replicas.get(&group).map_or(0, |replica| replica.held),
        }
    }

    /// The nodes that a group's other members sit on.
    pub(crate) fn others(&self, group: GroupId) -> Vec<NodeId> {
        let nodes = self.seats(group).iter().map(|seat| seat.node);
        nodes.filter(|node| *node != self.settings.node).collect()
    }

    pub(crate) fn write_to(&mut self, node: NodeId, letter: Letter) {
        self.outbox.letters.entry(node).or_default().push(letter);
    }

    /// Lets time pass for the groups that have members elsewhere and do not rest.
    pub(crate) fn tick(&mut self) {
        let now = self.now.monotonic_ns;
        if !self.quiescence.knows_others() || now < self.due.tick_ns {
            return;
        }
        self.due.tick_ns = now + limits::RAFT_TICK_MS * NS_PER_MS;
        self.give_up_scans();
        self.ask_again();
        self.watch_nodes();
        for group in self.quiescence.awake() {
            self.rest_if_quiet(group);
            if self.quiescence.rests(group) {
                continue;
            }
            let (raft, random) = self.group_and_random(group).expect("it is here");
            raft.tick(random);
            let led = raft.leader().is_some();
            if let Some(replica) = self.replicas.get_mut(&group)
                && replica.eager.tick(led)
            {
                replica.group.campaign(&mut self.random);
            }
            self.dirty.insert(group);
        }
    }

    /// Hands the partitions that others are to lead over to them, once they are close behind: whoever comes
    /// back gets its share of the work again.
    pub(crate) fn give_way(&mut self) {
        for (group, replica) in &mut self.replicas {
            let first = replica.seats[0].replica;
            if hand_over(&mut replica.group, [first], &mut self.random) {
                self.dirty.insert(*group);
            }
        }
    }

    /// Hands everything over that this node leads, as far as others are close behind: it is about to stop.
    pub fn hand_over(&mut self) {
        for (group, replica) in &mut self.replicas {
            if hand_over(&mut replica.group, replica.seats.iter().map(|seat| seat.replica), &mut self.random)
            {
                self.dirty.insert(*group);
            }
        }
        let members = self.catalog.seats.iter().map(|seat| seat.replica);
        if hand_over(&mut self.catalog.group, members, &mut self.random) {
            self.dirty.insert(GroupId::CATALOG);
        }
    }
}

/// Begins to hand leadership to the first of some members that lacks little; whether one does.
fn hand_over<E: Engine>(
    raft: &mut Group<E>,
    members: impl IntoIterator<Item = u64>,
    random: &mut ChaCha8Rng,
) -> bool {
    if !raft.decides() || raft.is_transferring() {
        return false;
    }
    let me = raft.replica();
    let mut close = members.into_iter().filter(|member| *member != me && raft.is_close(*member));
    // Whoever only learns cannot lead.
    let heir = close.find(|member| raft.members().voters.contains(member));
    if let Some(heir) = heir {
        raft.transfer(heir, random);
    }
    heir.is_some()
}
