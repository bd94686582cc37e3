//! Folding replies into the trace, byte for byte.

use std::fmt::{self, Write as _};

use item::Outcome;
use item::outcome::Answer;
use shard::Reply;

use crate::event::NodeId;
use crate::trace::Trace;

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
