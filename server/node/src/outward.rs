//! The shard's side of its links: what it sends goes into their queues, and their ups and downs come to its
//! inbox.
//!
//! Links come and go while the shard runs. It may have something for a party that is not linked, or not any
//! more: that is dropped, as the protocol between shards tolerates.

use std::collections::BTreeMap;

use shard::{Envelope, Inbox, Link, NodeLink, PeerNode};
use tokio::sync::watch;
use types::NodeId;

use crate::handshake::Party;
use crate::link_queue::Queue;
use crate::parties::Queues;

/// Stands for the changes seen of a link that was up when another took its place: none of the other's.
const OTHER_UP: u64 = u64::MAX;

/// The links as the shard's thread sees them.
pub struct Outward {
    queues: watch::Receiver<Queues>,
    peers: BTreeMap<PeerNode, Peer>,
    nodes: BTreeMap<NodeId, Queue>,
}

struct Peer {
    /// None once the link is not wanted any more; it is kept until its being down is told.
    queue: Option<Queue>,
    changes_seen: u64,
}

impl Outward {
    /// The links of these queues, whichever they are from time to time.
    pub fn new(queues: watch::Receiver<Queues>) -> Self {
        let mut outward = Outward { queues, peers: BTreeMap::new(), nodes: BTreeMap::new() };
        outward.refresh();
        outward
    }

    /// Tells the shard which links to peers changed. One that finds no room in the inbox is told later.
    pub fn look(&mut self, inbox: &mut Inbox) {
        // Whoever wanted links may be gone; then those that there are stay.
        if self.queues.has_changed().unwrap_or(false) {
            self.refresh();
        }
        for (peer, link) in &mut self.peers {
            let changes = link.queue.as_ref().map_or(0, Queue::changes);
            let (is_up, was_up) = (!changes.is_multiple_of(2), !link.changes_seen.is_multiple_of(2));
            let is_news = match link.queue {
                Some(_) => changes != link.changes_seen,
                None => was_up,
            };
            let envelope = if is_up { Envelope::LinkUp(*peer) } else { Envelope::LinkDown(*peer) };
            if is_news && inbox.push(envelope).is_ok() {
                link.changes_seen = changes;
            }
        }
        self.peers.retain(|_, link| link.queue.is_some() || !link.changes_seen.is_multiple_of(2));
    }

    /// Sends to a node of another region.
    pub fn to_peer(&self, link: Link) {
        if let Some(Peer { queue: Some(queue), .. }) = self.peers.get(&link.peer) {
            queue.offer(link.bytes);
        }
    }

    /// Sends to another node of the region.
    pub fn to_node(&self, link: NodeLink) {
        if let Some(queue) = self.nodes.get(&link.node) {
            queue.offer(link.bytes);
        }
    }

    fn refresh(&mut self) {
        let queues = self.queues.borrow_and_update().clone();
        let mut peers = BTreeMap::new();
        self.nodes.clear();
        for (party, queue) in queues.iter() {
            match party {
                Party::Peer { region, node } => {
                    peers.insert(PeerNode { region: region.id(), node: *node }, queue.clone());
                }
                Party::Node(node) => drop(self.nodes.insert(*node, queue.clone())),
            }
        }
        for (peer, link) in &mut self.peers {
            link.queue = link.queue.take().filter(|_| peers.contains_key(peer));
        }
        for (peer, queue) in peers {
            let link = self.peers.entry(peer).or_insert(Peer { queue: None, changes_seen: 0 });
            if !link.queue.as_ref().is_some_and(|present| present.is(&queue)) {
                let was_up = !link.changes_seen.is_multiple_of(2);
                *link = Peer { queue: Some(queue), changes_seen: if was_up { OTHER_UP } else { 0 } };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use types::RegionName;

    use super::*;
    use crate::link_queue;

    fn eu() -> RegionName {
        RegionName::new("eu").unwrap()
    }

    fn peer() -> PeerNode {
        PeerNode { region: eu().id(), node: NodeId(2) }
    }

    fn party() -> Party {
        Party::Peer { region: eu(), node: NodeId(2) }
    }

    /// What the shard is told: which peers are up, or not.
    fn told(outward: &mut Outward) -> Vec<(PeerNode, bool)> {
        let mut inbox = Inbox::new();
        outward.look(&mut inbox);
        let told = |envelope| match envelope {
            Envelope::LinkUp(peer) => (peer, true),
            Envelope::LinkDown(peer) => (peer, false),
            other => panic!("{other:?}"),
        };
        std::iter::from_fn(|| inbox.pop()).map(told).collect()
    }

    fn set(queues: &watch::Sender<Queues>, links: Vec<(Party, Queue)>) {
        queues.send_replace(Arc::new(links.into_iter().collect()));
    }

    #[test]
    fn what_is_for_nobody_is_dropped() {
        let (_sender, queues) = watch::channel(Queues::default());
        let outward = Outward::new(queues);
        outward.to_peer(Link { peer: peer(), bytes: vec![1] });
        outward.to_node(NodeLink { node: NodeId(9), bytes: vec![1] });
    }

    #[test]
    fn links_that_come_later_are_used_and_told() {
        let (sender, queues) = watch::channel(Queues::default());
        let mut outward = Outward::new(queues);
        let (queue, waiting) = link_queue::new();
        let (to_node, _waiting) = link_queue::new();
        set(&sender, vec![(party(), queue.clone()), (Party::Node(NodeId(3)), to_node.clone())]);
        assert_eq!(told(&mut outward), []);
        waiting.set_up();
        assert_eq!(told(&mut outward), [(peer(), true)]);
        outward.to_peer(Link { peer: peer(), bytes: vec![1] });
        outward.to_node(NodeLink { node: NodeId(3), bytes: vec![1, 2] });
        assert_eq!((queue.bytes(), to_node.bytes()), (1, 2));
    }

    #[test]
    fn a_link_that_goes_while_it_is_up_is_told_to_be_down() {
        let (sender, queues) = watch::channel(Queues::default());
        let (queue, waiting) = link_queue::new();
        set(&sender, vec![(party(), queue)]);
        let mut outward = Outward::new(queues);
        waiting.set_up();
        assert_eq!(told(&mut outward), [(peer(), true)]);
        set(&sender, vec![]);
        assert_eq!(told(&mut outward), [(peer(), false)]);
        assert_eq!(told(&mut outward), []);
        assert!(outward.peers.is_empty());
    }

    #[test]
    fn a_link_in_the_place_of_one_that_was_up_is_told_anew() {
        let (sender, queues) = watch::channel(Queues::default());
        let (first, waiting) = link_queue::new();
        set(&sender, vec![(party(), first)]);
        let mut outward = Outward::new(queues);
        waiting.set_up();
        told(&mut outward);
        let (second, waiting) = link_queue::new();
        set(&sender, vec![(party(), second)]);
        assert_eq!(told(&mut outward), [(peer(), false)]);
        waiting.set_up();
        assert_eq!(told(&mut outward), [(peer(), true)]);
    }
}
