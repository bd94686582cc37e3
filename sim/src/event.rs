//! What will happen, ordered by when.
//!
//! Events of one moment happen in the order in which they were scheduled: the queue has no order of its own
//! that could differ between two runs.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use shard::{Request, TurnId};

/// A node by its number among all nodes of all regions: those of one region follow one another.
pub type NodeId = usize;

/// Something that happens to a node or to whoever watches the world.
#[derive(Clone, Debug)]
pub enum Event {
    /// A node may make a turn.
    Turn {
        /// Which.
        node: NodeId,
    },
    /// A node's sync is done.
    Synced {
        /// Which.
        node: NodeId,
        /// In which of its lives.
        life: u32,
        /// For which of its turns.
        turn: TurnId,
    },
    /// A node begins to flush its key space.
    Flush {
        /// Which.
        node: NodeId,
    },
    /// A node's flush is done.
    Flushed {
        /// Which.
        node: NodeId,
        /// In which of its lives.
        life: u32,
    },
    /// A long read of a node has found time to run.
    Read {
        /// Which.
        node: NodeId,
        /// In which of its lives.
        life: u32,
    },
    /// Bytes arrive.
    Deliver {
        /// At which node.
        to: NodeId,
        /// From which node.
        from: NodeId,
        /// In which of its lives: no connection outlives a process.
        life: u32,
        /// Over which of the connections between the two.
        connection: u32,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Two nodes try to connect.
    Connect {
        /// One.
        one: NodeId,
        /// The other.
        other: NodeId,
    },
    /// One end learns that a connection is there.
    LinkUp {
        /// Which end.
        node: NodeId,
        /// The other end.
        peer: NodeId,
        /// Which connection.
        connection: u32,
    },
    /// One end learns that a connection is gone.
    LinkDown {
        /// Which end.
        node: NodeId,
        /// The other end.
        peer: NodeId,
        /// Which connection.
        connection: u32,
    },
    /// A crashed node starts again.
    Restart {
        /// Which.
        node: NodeId,
    },
    /// A request that another node of the region passed on arrives.
    PassOn {
        /// At which node.
        node: NodeId,
        /// The request.
        request: Box<Request>,
    },
    /// A scenario's own timer.
    Timer(Timer),
}

/// What a scenario wakes itself for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// A client, by its number, is to do something.
    Client(usize),
    /// A client's patience with a request, by its number, is over.
    Patience(u64),
    /// A step of the plan, by its number, is due.
    Action(usize),
    /// A node is to come or go, by the step's number.
    Move(usize),
    /// A partition is split.
    Split(usize),
    /// Clients turn to other keys.
    Focus,
    /// An operator's task, by its number, is to be tried.
    Task(usize),
    /// Somebody looks whether the world has come to rest.
    Probe,
}

#[derive(Debug)]
struct Scheduled {
    at_ns: u64,
    sequence: u64,
    event: Event,
}

/// The events to come, on virtual time.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Scheduled>,
    scheduled: u64,
}

impl Queue {
    /// An empty queue.
    pub fn new() -> Self {
        Queue::default()
    }

    /// Adds an event.
    pub fn push(&mut self, at_ns: u64, event: Event) {
        self.scheduled += 1;
        self.heap.push(Scheduled { at_ns, sequence: self.scheduled, event });
    }

    /// Takes the next event and its time.
    pub fn pop(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|next| (next.at_ns, next.event))
    }

    /// When the next event happens.
    pub fn next_at_ns(&self) -> Option<u64> {
        self.heap.peek().map(|next| next.at_ns)
    }
}

impl Ord for Scheduled {
    /// Reversed: the heap gives the greatest first, and the earliest is wanted.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ns, other.sequence).cmp(&(self.at_ns, self.sequence))
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_in_the_order_scheduled() {
        let mut queue = Queue::new();
        for (at_ns, number) in [(5, 1), (3, 2), (5, 3), (3, 4), (1, 5), (5, 6)] {
            queue.push(at_ns, Event::Timer(Timer::Patience(number)));
        }
        let mut order = Vec::new();
        while let Some((at_ns, Event::Timer(Timer::Patience(number)))) = queue.pop() {
            order.push((at_ns, number));
        }
        assert_eq!(order, [(1, 5), (3, 2), (3, 4), (5, 1), (5, 3), (5, 6)]);
        assert_eq!(queue.next_at_ns(), None);
    }
}
