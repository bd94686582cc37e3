//! Where replicas are to sit: away from nodes that go, as many as there should be, and as many on each node
//! as on any other.
//!
//! It plans a few moves at a time and never while those before are under way, so that every plan is made of
//! what is, not of what was hoped for. A move is a replica that joins on one node and one that leaves
//! another; the group's leader carries it out, and reports when it is done (`settle`). Nothing moves for a
//! difference of one, or it would be moved back.

use std::collections::{BTreeMap, BTreeSet};

use item::{Error, Invalid};
use types::command::{NodeState, SeatState};
use types::{GroupId, NodeId, limits};

use crate::catalog::{Catalog, Table};
use crate::nodes::Nodes;
use crate::update::Update;
use crate::{Child, Seat, seat};

/// What sits on each node that can be given more.
struct Load {
    replicas: BTreeMap<NodeId, u64>,
    first: BTreeMap<NodeId, u64>,
    /// Those of them that have no room for more replicas.
    full: BTreeSet<NodeId>,
    moving: usize,
}

impl Catalog {
    /// The next moves, all of one table; `None` when there is nothing to do. Only nodes that live and have
    /// room are given anything.
    pub fn plan(&self, lives: impl Fn(NodeId) -> bool, has_room: impl Fn(NodeId) -> bool) -> Option<Update> {
        let takers: BTreeSet<_> = self.nodes.active().filter(|node| lives(*node)).collect();
        let mut load = self.load(&takers);
        load.full = takers.iter().copied().filter(|node| !has_room(*node)).collect();
        let mut nodes = self.nodes.clone();
        let heal = self.here().find_map(|table| self.heal(table, &takers, &mut load, &mut nodes));
        let table = match heal {
            Some(table) => table,
            // Whoever is silent may be back in a moment, with all that it had.
            None if load.moving > 0 || takers.len() < self.nodes.active().count() => return None,
            None => self.here().find_map(|table| self.balance(table, &takers, &mut load, &mut nodes))?,
        };
        let nodes = (nodes != self.nodes).then_some(nodes);
        Some(Update { table: Some(table), settings: None, nodes })
    }

    /// Whether any replica comes or goes, or any partition is being split.
    pub fn is_moving(&self) -> bool {
        let splits = |table: &Table| table.children.waiting().next().is_some();
        self.seated().any(seat::is_moving) || self.here().any(splits)
    }

    fn load(&self, takers: &BTreeSet<NodeId>) -> Load {
        let none = || takers.iter().map(|node| (*node, 0)).collect::<BTreeMap<_, _>>();
        let mut load = Load { replicas: none(), first: none(), full: BTreeSet::new(), moving: 0 };
        for seats in self.seated() {
            load.moving += usize::from(seat::is_moving(seats));
            for seat in seats.iter().filter(|seat| seat.state != SeatState::Leaving) {
                load.replicas.entry(seat.node).and_modify(|count| *count += 1);
            }
            load.first.entry(seats[0].node).and_modify(|count| *count += 1);
        }
        load
    }

    /// Moves replicas of a table away from nodes that go, and adds those that are missing.
    fn heal(
        &self,
        table: &Table,
        takers: &BTreeSet<NodeId>,
        load: &mut Load,
        nodes: &mut Nodes,
    ) -> Option<Table> {
        let wanted = takers.len().min(limits::REPLICAS);
        let mut changed = Changed::of(table);
        for (group, _) in table.partitions() {
            let seats = table.seats(group);
            if seat::is_moving(seats) {
                if let Some(seats) = self.turn_back(seats, load, nodes) {
                    changed.set(group, seats);
                }
                continue;
            }
            if table.is_splitting(group) {
                continue;
            }
            if load.moving >= limits::MOVES_MAX {
                break;
            }
            let gone = |seat: &Seat| self.is_gone(seat.node);
            let goes = |seat: &Seat| self.nodes.state(seat.node) != Some(NodeState::Active);
            let mut seats = seats.to_vec();
            let going = seats.iter().position(gone).or_else(|| seats.iter().position(goes));
            let taker = load.taker(&seats);
            match (going, taker) {
                (Some(at), Some(taker)) => replace(&mut seats, at, taker, nodes),
                // A replica that is gone for good counts for nothing, and only makes majorities harder.
                (Some(at), None) if self.is_gone(seats[at].node) && seats.len() > 1 => leave(&mut seats, at),
                (None, Some(taker)) if seats.len() < wanted => seats.push(arrival(taker, nodes)),
                _ => continue,
            }
            load.moving += 1;
            if let Some(taker) = taker {
                load.replicas.entry(taker).and_modify(|count| *count += 1);
            }
            changed.set(group, seats);
        }
        changed.done()
    }

    /// The seats of a partition that waits for a replica on a node that is gone for good: another comes in
    /// its stead, or whoever was to go stays.
    fn turn_back(&self, seats: &[Seat], load: &mut Load, nodes: &mut Nodes) -> Option<Vec<Seat>> {
        let lost = |seat: &Seat| seat.state == SeatState::Joining && self.is_gone(seat.node);
        let at = seats.iter().position(lost)?;
        let mut seats = seats.to_vec();
        match load.taker(&seats) {
            Some(taker) => {
                load.replicas.entry(taker).and_modify(|count| *count += 1);
                replace(&mut seats, at, taker, nodes);
            }
            None => {
                let stays = |seat: &&mut Seat| seat.state == SeatState::Leaving && !self.is_gone(seat.node);
                if let Some(seat) = seats.iter_mut().find(stays) {
                    seat.state = SeatState::Settled;
                }
                leave(&mut seats, at);
            }
        }
        Some(seats)
    }

    fn is_gone(&self, node: NodeId) -> bool {
        matches!(self.nodes.state(node), None | Some(NodeState::Removed))
    }

    /// Moves replicas of a table from nodes that have more than others, and lets others lead.
    fn balance(
        &self,
        table: &Table,
        takers: &BTreeSet<NodeId>,
        load: &mut Load,
        nodes: &mut Nodes,
    ) -> Option<Table> {
        let mut changed = Changed::of(table);
        for (group, _) in table.partitions() {
            let mut seats = table.seats(group).to_vec();
            if seat::is_moving(&seats) || table.is_splitting(group) {
                continue;
            }
            let settled = |seat: &Seat| takers.contains(&seat.node);
            let fullest = seats.iter().filter(|seat| settled(seat)).max_by_key(|seat| load.of(seat.node));
            let from = fullest.map(|seat| seat.node);
            let moved = load.moving < limits::MOVES_MAX
                && load.taker(&seats).zip(from).is_some_and(|(to, from)| {
                    let uneven = load.of(from) >= load.of(to) + 2;
                    if uneven {
                        let at = seats.iter().position(|seat| seat.node == from);
                        replace(&mut seats, at.expect("it sits there"), to, nodes);
                        load.moved(from, to);
                    }
                    uneven
                });
            if moved || load.lead_elsewhere(&mut seats) {
                changed.set(group, seats);
            }
        }
        changed.done()
    }

    /// Takes in what leaders report of their groups' members: what has come and gone as planned, of one
    /// table. `None` when nothing has.
    pub fn settle(&self, reported: &BTreeMap<GroupId, Vec<u64>>) -> Option<Update> {
        for table in self.here() {
            let mut changed = Changed::of(table);
            for (group, _) in table.partitions() {
                let Some(members) = reported.get(&group) else { continue };
                let seats = table.seats(group);
                let waits = table.children.get(group).is_some_and(|child| child.waits);
                if (waits || seat::is_moving(seats)) && seat::voters(seats) == *members {
                    changed.set(group, seat::settled(seats));
                }
            }
            if let Some(table) = changed.done() {
                return Some(Update { table: Some(table), ..Update::default() });
            }
        }
        None
    }

    /// Decides to move one replica, as an operator asks.
    pub fn move_replica(
        &self,
        table: &Table,
        group: GroupId,
        from: NodeId,
        to: NodeId,
    ) -> Result<Update, Error> {
        let choice = |field, allowed| Error::from(Invalid::Choice { field, allowed });
        if !table.has(group) {
            return Err(choice("Partition", "the number of one of the table's partitions"));
        }
        let seats = table.seats(group);
        if seat::is_moving(seats) || table.is_splitting(group) {
            return Err(Error::PartitionInMotion { partition: group });
        }
        let at = seats.iter().position(|seat| seat.node == from);
        let at = at.ok_or(choice("From", "a node that holds the partition"))?;
        if self.nodes.state(to) != Some(NodeState::Active) || seats.iter().any(|seat| seat.node == to) {
            return Err(choice("To", "an active node that does not hold the partition"));
        }
        let (mut seats, mut nodes) = (seats.to_vec(), self.nodes.clone());
        replace(&mut seats, at, to, &mut nodes);
        let mut changed = Changed::of(table);
        changed.set(group, seats);
        Ok(Update { table: changed.done(), settings: None, nodes: Some(nodes) })
    }
}

impl Load {
    fn of(&self, node: NodeId) -> u64 {
        self.replicas.get(&node).copied().unwrap_or(u64::MAX)
    }

    /// The node with the fewest replicas that has none of a partition's, and room for one.
    fn taker(&self, seats: &[Seat]) -> Option<NodeId> {
        let free = self.replicas.iter().filter(|(node, _)| seats.iter().all(|seat| seat.node != **node));
        let free = free.filter(|(node, _)| !self.full.contains(node));
        free.min_by_key(|(_, count)| **count).map(|(node, _)| *node)
    }

    fn moved(&mut self, from: NodeId, to: NodeId) {
        self.moving += 1;
        self.replicas.entry(from).and_modify(|count| *count -= 1);
        self.replicas.entry(to).and_modify(|count| *count += 1);
    }

    /// Has the node lead that is to lead least, if the one that is to lead leads at least two more.
    fn lead_elsewhere(&mut self, seats: &mut [Seat]) -> bool {
        let leads = |node: NodeId| self.first.get(&node).copied();
        let able = seats.iter().enumerate().filter_map(|(at, seat)| Some((leads(seat.node)?, at)));
        let Some((least, at)) = able.min() else { return false };
        let (from, to) = (seats[0].node, seats[at].node);
        // A node that is not to have anything leads nothing either.
        if leads(from).is_some_and(|most| most < least + 2) || from == to {
            return false;
        }
        self.first.entry(from).and_modify(|count| *count -= 1);
        self.first.entry(to).and_modify(|count| *count += 1);
        seats.swap(0, at);
        true
    }
}

/// A table whose seats are about to change.
struct Changed<'a> {
    table: &'a Table,
    changed: Option<Table>,
}

impl<'a> Changed<'a> {
    fn of(table: &'a Table) -> Self {
        Changed { table, changed: None }
    }

    fn set(&mut self, group: GroupId, seats: Vec<Seat>) {
        let changed = self.changed.get_or_insert_with(|| self.table.clone());
        // A table of a region's first node says nothing of seats, until it has others.
        if changed.seats.is_empty() {
            changed.seats = vec![vec![Seat::ONLY]; changed.entry.partitions as usize];
        }
        if let Some(child) = changed.children.get(group).cloned() {
            changed.children.insert(group, Child { seats, waits: false, ..child });
        } else {
            let at = changed.index(group).expect("one of the table's partitions");
            changed.seats[at] = seats;
        }
    }

    fn done(self) -> Option<Table> {
        self.changed
    }
}

/// A replica that comes.
fn arrival(node: NodeId, nodes: &mut Nodes) -> Seat {
    let replica = nodes.next_replica;
    nodes.next_replica += 1;
    Seat { node, replica, state: SeatState::Joining }
}

/// Has one replica go and another come.
fn replace(seats: &mut Vec<Seat>, at: usize, to: NodeId, nodes: &mut Nodes) {
    seats.push(arrival(to, nodes));
    leave(seats, at);
}

/// Has a replica go, which then does not lead either.
fn leave(seats: &mut Vec<Seat>, at: usize) {
    let mut seat = seats.remove(at);
    seat.state = SeatState::Leaving;
    seats.push(seat);
}

#[cfg(test)]
mod tests;
