//! Connections between nodes: they come up, break, and carry messages that may outlive them.
//!
//! Each end learns of a change in its own time. A node that crashed knows nothing of its connections; its
//! peers find out later.

use shard::{Envelope, Link, NodeLink, PeerNode};

use crate::clock::MILLISECOND_NS;
use crate::event::{Event, NodeId};

use super::World;

impl World {
    /// Lets two nodes try to connect a little later.
    pub fn connect_soon(&mut self, one: NodeId, other: NodeId) {
        let after_ns = self.chance.between(5, 400) * MILLISECOND_NS;
        self.queue.push(self.now_ns + after_ns, Event::Connect { one, other });
    }

    /// Breaks the connection between two nodes: each end learns it within `within_ms`.
    pub fn disconnect(&mut self, one: NodeId, other: NodeId, within_ms: u64) {
        for (node, peer) in [(one, other), (other, one)] {
            if let Some(connection) = self.network.up(node, peer) {
                let after_ns = self.chance.between(0, within_ms * MILLISECOND_NS);
                self.queue.push(self.now_ns + after_ns, Event::LinkDown { node, peer, connection });
            }
        }
    }

    /// Connects two nodes, if both run and messages pass and they are not connected.
    pub(super) fn connect(&mut self, one: NodeId, other: NodeId) {
        let able = self.runs(one) && self.runs(other) && self.network.passes(one, other);
        if !able || self.network.whole(one, other) {
            return;
        }
        for (node, peer) in [(one, other), (other, one)] {
            if let Some(connection) = self.network.up(node, peer) {
                self.link_down(node, peer, connection);
            }
        }
        let connection = self.network.connect(one, other);
        self.tally.connections += 1;
        for (node, peer) in [(one, other), (other, one)] {
            let after_ns = self.chance.between(0, 50) * MILLISECOND_NS;
            self.queue.push(self.now_ns + after_ns, Event::LinkUp { node, peer, connection });
        }
    }

    pub(super) fn link_up(&mut self, node: NodeId, peer: NodeId, connection: u32) {
        if self.runs(node) && self.runs(peer) && self.network.learn(node, peer, connection, true) {
            self.trace.note(self.now_ns, "link up", [node as u64, peer as u64], &connection.to_be_bytes());
            self.tell_link(node, peer, Envelope::LinkUp);
        }
    }

    pub(super) fn link_down(&mut self, node: NodeId, peer: NodeId, connection: u32) {
        if self.network.learn(node, peer, connection, false) && self.runs(node) {
            self.trace.note(self.now_ns, "link down", [node as u64, peer as u64], &connection.to_be_bytes());
            self.tell_link(node, peer, Envelope::LinkDown);
        }
        // The end that learnt it tries again until the pair is whole.
        if self.runs(node) && self.runs(peer) {
            self.connect_soon(node, peer);
        }
    }

    /// A message arrives. One of an old connection may turn up on the present one, none arrives without one.
    pub(super) fn deliver(&mut self, to: NodeId, from: NodeId, connection: u32, bytes: Vec<u8>) {
        let Some(present) = self.network.up(to, from) else { return };
        if present != connection && !self.network.strays() {
            return;
        }
        self.trace.note(self.now_ns, "deliver", [to as u64, from as u64], &bytes);
        let envelope = match self.are_near(from, to) {
            true => Envelope::Node(NodeLink { node: self.nodes[from].node, bytes }),
            false => Envelope::Link(Link { peer: self.peer(from), bytes }),
        };
        self.push(to, envelope);
    }

    /// Whether two nodes are of one region: they are not told of the connection between them.
    fn are_near(&self, one: NodeId, other: NodeId) -> bool {
        self.nodes[one].region == self.nodes[other].region
    }

    fn peer(&self, node: NodeId) -> PeerNode {
        PeerNode { region: self.nodes[node].region, node: self.nodes[node].node }
    }

    fn tell_link(&mut self, node: NodeId, peer: NodeId, change: impl FnOnce(PeerNode) -> Envelope) {
        if !self.are_near(node, peer) {
            self.push(node, change(self.peer(peer)));
        }
    }

    /// Puts an envelope into an inbox. A full one drops it, as a link may.
    fn push(&mut self, node: NodeId, envelope: Envelope) {
        if self.nodes[node].inbox.push(envelope).is_ok() {
            self.arrange_turn(node);
        }
    }
}
