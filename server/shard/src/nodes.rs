//! What a shard says to the other nodes of its region, and hears from them: raft's messages, and the time.
//!
//! Letters may be lost, doubled and reordered; raft copes. What leaves carries hybrid time, so nothing leaves
//! before the clock's ceiling above that time is durable (`P7`).

use std::collections::BTreeMap;

use consensus::{Message, StepError};
use storage::Engine;
use types::{GroupId, NodeId, limits};

use crate::letters::{self, Letter};
use crate::{Envelope, Error, NodeLink, Shard};

const NS_PER_MS: u64 = 1_000_000;

/// Letters that wait to leave.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    letters: BTreeMap<NodeId, Vec<Letter>>,
}

impl<E: Engine> Shard<E> {
    /// Whether a group has members on other nodes.
    pub(crate) fn is_shared(&self, group: GroupId) -> bool {
        match group {
            GroupId::CATALOG => self.settings.nodes.len() > 1,
            _ => self.replicas.get(&group).is_some_and(|replica| replica.seats.len() > 1),
        }
    }

    /// Takes a group's messages to the nodes that their receivers sit on.
    pub(crate) fn post(&mut self, group: GroupId, messages: Vec<Message>) {
        for Message { to, bytes } in messages {
            let node = match self.replicas.get(&group) {
                // A node's catalog replica has the node's number.
                None => Some(NodeId(to)),
                Some(replica) => replica.seats.iter().find(|seat| seat.replica == to).map(|seat| seat.node),
            };
            // Whoever lost its seat is not written to any more.
            if let Some(node) = node {
                self.outbox.letters.entry(node).or_default().push(Letter { group, bytes });
            }
        }
    }

    /// Lets the letters leave, unless the time that they would carry is not durable yet (`P7`).
    pub(crate) fn send_letters(&mut self) {
        let time = self.clock.present();
        if time > self.clock.durable() {
            return;
        }
        for (node, letters) in std::mem::take(&mut self.outbox.letters) {
            let mut rest = &letters[..];
            while !rest.is_empty() {
                let mut bytes = 0;
                let fits = |letter: &&Letter| {
                    let before = bytes;
                    bytes += letter.bytes.len();
                    before < limits::NODE_MESSAGE_BYTES
                };
                let (now, later) = rest.split_at(rest.iter().take_while(fits).count());
                self.out.push(Envelope::Node(NodeLink { node, bytes: letters::encode(time, now) }));
                rest = later;
            }
        }
    }

    /// Takes in what another node sent. A damaged bundle is counted and dropped.
    pub(crate) fn letters(&mut self, link: &NodeLink) -> Result<(), Error> {
        let Ok((time, letters)) = letters::decode(&link.bytes) else {
            self.figures.messages_refused += 1;
            return Ok(());
        };
        self.clock.pass(time);
        for Letter { group, bytes } in letters {
            // A group that this node has not heard of yet, or not any more: raft sends again.
            let Some((raft, random)) = self.group_and_random(group) else { continue };
            match raft.step(&bytes, random) {
                Ok(()) => drop(self.dirty.insert(group)),
                Err(StepError::Fatal(error)) => return Err(error.into()),
                Err(_) => self.figures.messages_refused += 1,
            }
        }
        Ok(())
    }

    /// Lets time pass for the groups that have members elsewhere.
    pub(crate) fn tick(&mut self) {
        let now = self.now.monotonic_ns;
        if self.settings.nodes.len() == 1 || now < self.due.tick_ns {
            return;
        }
        self.due.tick_ns = now + limits::RAFT_TICK_MS * NS_PER_MS;
        let groups: Vec<_> = self.replicas.keys().copied().chain([GroupId::CATALOG]).collect();
        for group in groups.into_iter().filter(|group| self.is_shared(*group)).collect::<Vec<_>>() {
            let (raft, random) = self.group_and_random(group).expect("it is here");
            raft.tick(random);
            let led = raft.leader().is_some();
            if let Some(replica) = self.replicas.get_mut(&group).filter(|replica| replica.eager) {
                replica.eager = !led;
                if !led {
                    replica.group.campaign(&mut self.random);
                }
            }
            self.dirty.insert(group);
        }
    }
}
