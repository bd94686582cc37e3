//! What becomes of replies: they are folded into the trace, byte for byte, and requests that another node of
//! the region can answer are passed on to it, once, as production's nodes do.

use std::fmt::{self, Write as _};

use item::Outcome;
use item::outcome::Answer;
use shard::{Reply, Request};

use crate::clock::MILLISECOND_NS;
use crate::event::{Event, NodeId};
use crate::trace::Trace;

use super::{Happening, World};

/// Notes a reply. Items go in as their canonical bytes; everything else is rare and goes in as its debug
/// text.
pub fn note(trace: &mut Trace, at_ns: u64, node: NodeId, reply: &Reply) {
    trace.note(at_ns, "reply", [node as u64, reply.number], &[]);
    match &reply.result {
        Ok(Answer::Item(Outcome::Item(item) | Outcome::Written(item))) => {
            let bytes = item.as_ref().map(item::codec::encode);
            trace.fold(bytes.as_deref().unwrap_or(b"none"));
        }
        Ok(Answer::Item(Outcome::Stored(item))) => {
            trace.fold(item.as_ref().map_or(b"none", |item| item.bytes()));
        }
        other => write!(Folding(trace), "{other:?}").expect("folding never fails"),
    }
    if trace.is_written() {
        trace.line(at_ns, format!("node {node}: {reply:?}"));
    }
}

struct Folding<'a>(&'a mut Trace);

impl fmt::Write for Folding<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.fold(text.as_bytes());
        Ok(())
    }
}

impl World {
    /// Passes a request on to another node of the region, which answers by itself. Where nothing passes,
    /// nobody can be asked.
    pub(super) fn pass_on(&mut self, from: NodeId, other: types::NodeId, request: Request) {
        let mut near = self.nodes_of(self.region_of(from));
        let to =
            near.find(|node| self.nodes[*node].node == other).filter(|to| self.network.passes(from, *to));
        match to {
            Some(node) => {
                let after_ns = self.chance.between(1, 4 * MILLISECOND_NS);
                let request = Box::new(request);
                self.queue.push(self.now_ns + after_ns, Event::PassOn { node, request });
            }
            None => self.refuse(from, request.number),
        }
    }

    pub(super) fn passed_on(&mut self, node: NodeId, request: Box<Request>) {
        let number = request.number;
        if !self.runs(node) || !self.enter(node, *request) {
            self.refuse(node, number);
        }
    }

    fn refuse(&mut self, node: NodeId, number: u64) {
        let reply = Reply::new(number, Err(item::Error::NotLeader));
        note(&mut self.trace, self.now_ns, node, &reply);
        self.happenings.push_back(Happening::Reply { node, reply });
    }
}
