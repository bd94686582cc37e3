//! Who belongs to a region: nodes that join, give up what they have, and go.
//!
//! Only the catalog says so, and what it says here obliges nobody at once: replicas move step by step
//! (`placement`), and a node that goes is taken out of the catalog's own group by that group's leader.

use item::Error;
use types::command::{NodeState, SeatState};
use types::{NodeId, limits};

use crate::Seat;
use crate::catalog::Catalog;
use crate::nodes::{Node, Nodes};
use crate::update::Update;

impl Catalog {
    /// Gives a new node its number. Whoever asks again under the same token is given the same one; `None` if
    /// the catalog knows all of that already.
    pub fn join(&self, token: u64, address: &str) -> Result<(NodeId, Option<Update>), Error> {
        let mut nodes = self.nodes.clone();
        let known = nodes.known.iter_mut().find(|(_, node)| node.token == token);
        if let Some((number, node)) = known {
            let number = *number;
            if node.state == NodeState::Removed {
                return Err(Error::UnknownNode { node: number });
            }
            if node.address == address {
                return Ok((number, None));
            }
            address.clone_into(&mut node.address);
            return Ok((number, Some(update(nodes))));
        }
        let number = nodes.next().filter(|_| nodes.present().count() < limits::NODES_MAX);
        let number = number.ok_or(Error::TooManyNodes { limit: limits::NODES_MAX })?;
        nodes.known.insert(number, Node { address: address.to_owned(), token, state: NodeState::Active });
        Ok((number, Some(update(nodes))))
    }

    /// Decides that a node gives up what it has; `None` when that is known.
    pub fn drain(&self, node: NodeId) -> Result<Option<Update>, Error> {
        match self.present(node)? {
            NodeState::Draining => Ok(None),
            _ if self.nodes.active().all(|active| active == node) => Err(Error::NodeNeeded { node }),
            _ => Ok(Some(self.with_state(node, NodeState::Draining))),
        }
    }

    /// Decides that a node has its share again; `None` when it has.
    pub fn resume(&self, node: NodeId) -> Result<Option<Update>, Error> {
        match self.present(node)? {
            NodeState::Active => Ok(None),
            _ => Ok(Some(self.with_state(node, NodeState::Active))),
        }
    }

    /// Decides that a node is none of the region's any more. One that lives must have given up what it had;
    /// of one that is dead, every partition must have a majority that lives without it.
    pub fn remove(&self, node: NodeId, lives: impl Fn(NodeId) -> bool) -> Result<Option<Update>, Error> {
        if self.nodes.state(node) == Some(NodeState::Removed) {
            return Ok(None);
        }
        self.present(node)?;
        if self.nodes.active().all(|active| active == node) {
            return Err(Error::NodeNeeded { node });
        }
        match self.replicas_on(node) {
            replicas if lives(node) && replicas > 0 => Err(Error::NodeInUse { node, replicas }),
            _ if self.seated().any(|seats| self.is_lost_without(seats, node, &lives)) => {
                Err(Error::NodeNeeded { node })
            }
            _ => Ok(Some(self.with_state(node, NodeState::Removed))),
        }
    }

    /// Whether a partition, without a node and those that are dead, has no majority: of those who vote before
    /// what comes and goes has, or of those who vote afterwards.
    fn is_lost_without(&self, seats: &[Seat], node: NodeId, lives: &impl Fn(NodeId) -> bool) -> bool {
        let stays = |seat: &&Seat| seat.node != node && self.present(seat.node).is_ok() && lives(seat.node);
        let lost = |other: SeatState| {
            let voters = seats.iter().filter(|seat| seat.state != other);
            2 * voters.clone().filter(stays).count() <= voters.count()
        };
        seats.iter().any(|seat| seat.node == node) && (lost(SeatState::Joining) || lost(SeatState::Leaving))
    }

    /// How many replicas sit on a node, whether they come or go.
    pub fn replicas_on(&self, node: NodeId) -> u64 {
        let sits = |seats: &&[Seat]| seats.iter().any(|seat| seat.node == node);
        self.seated().filter(sits).count() as u64
    }

    /// The seats of all partitions of this region.
    pub fn seated(&self) -> impl Iterator<Item = &[Seat]> {
        self.here().flat_map(|table| table.partitions().map(|(group, _)| table.seats(group)))
    }

    /// How many replicas of a node come or go, and how many are to lead.
    pub fn shares_of(&self, node: NodeId) -> (u64, u64) {
        let (mut moving, mut first) = (0, 0);
        for seats in self.seated() {
            let of_node = seats.iter().filter(|seat| seat.node == node);
            moving += of_node.filter(|seat| seat.state != SeatState::Settled).count() as u64;
            first += u64::from(seats[0].node == node);
        }
        (moving, first)
    }

    fn present(&self, node: NodeId) -> Result<NodeState, Error> {
        let state = self.nodes.state(node).filter(|state| *state != NodeState::Removed);
        state.ok_or(Error::UnknownNode { node })
    }

    fn with_state(&self, node: NodeId, state: NodeState) -> Update {
        let mut nodes = self.nodes.clone();
        if let Some(known) = nodes.known.get_mut(&node) {
            known.state = state;
        }
        update(nodes)
    }
}

fn update(nodes: Nodes) -> Update {
    Update { nodes: Some(nodes), ..Update::default() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::entry::tests::name;

    fn region(nodes: u64) -> Catalog {
        let nodes: Vec<_> = (1..=nodes).map(NodeId).collect();
        Catalog::new(name("a"), Nodes::begun_with(&nodes, &BTreeMap::new()))
    }

    #[test]
    fn asking_again_gives_the_same_number() {
        let mut catalog = region(3);
        let (node, update) = catalog.join(77, "a:1").unwrap();
        assert_eq!(node, NodeId(4));
        update.unwrap().apply(&mut catalog);
        assert_eq!(catalog.join(77, "a:1").unwrap(), (NodeId(4), None));
        let (node, update) = catalog.join(77, "a:2").unwrap();
        update.unwrap().apply(&mut catalog);
        assert_eq!((node, &*catalog.nodes.known[&node].address), (NodeId(4), "a:2"));
        assert_eq!(catalog.join(78, "a:1").unwrap().0, NodeId(5));
    }

    #[test]
    fn a_removed_node_does_not_come_back() {
        let mut catalog = region(3);
        let (node, update) = catalog.join(77, "a:1").unwrap();
        update.unwrap().apply(&mut catalog);
        catalog.remove(node, |_| true).unwrap().unwrap().apply(&mut catalog);
        assert_eq!(catalog.remove(node, |_| true).unwrap(), None);
        let gone = Error::UnknownNode { node };
        assert_eq!(catalog.join(77, "a:1").unwrap_err(), gone);
        assert_eq!(catalog.drain(node).unwrap_err(), gone);
        assert_eq!(catalog.resume(node).unwrap_err(), gone);
        assert_eq!(catalog.join(78, "a:1").unwrap().0, NodeId(5));
    }

    #[test]
    fn the_last_node_stays() {
        let mut catalog = region(2);
        catalog.drain(NodeId(1)).unwrap().unwrap().apply(&mut catalog);
        let needed = Error::NodeNeeded { node: NodeId(2) };
        assert_eq!(catalog.drain(NodeId(2)).unwrap_err(), needed);
        assert_eq!(catalog.remove(NodeId(2), |_| true).unwrap_err(), needed);
        catalog.resume(NodeId(1)).unwrap().unwrap().apply(&mut catalog);
        assert_eq!(catalog.resume(NodeId(1)).unwrap(), None);
    }
}
