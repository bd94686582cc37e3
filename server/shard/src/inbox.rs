//! What waits for a shard's next turn, bounded in number and bytes.
//!
//! A full inbox refuses, and the driver answers `Overloaded` itself; it never drops what it accepted.

use std::collections::VecDeque;

use types::limits;

use crate::Envelope;

/// A bounded queue of envelopes.
#[derive(Debug, Default)]
pub struct Inbox {
    waiting: VecDeque<Envelope>,
    bytes: usize,
}

impl Inbox {
    /// An empty inbox.
    pub fn new() -> Self {
        Inbox::default()
    }

    /// Adds an envelope, or gives it back when the inbox is full.
    pub fn push(&mut self, envelope: Envelope) -> Result<(), Envelope> {
        let weight = envelope.weight();
        if self.waiting.len() >= limits::INBOX_REQUESTS_MAX || self.bytes + weight > limits::INBOX_BYTES_MAX {
            return Err(envelope);
        }
        self.bytes += weight;
        self.waiting.push_back(envelope);
        Ok(())
    }

    /// The oldest envelope.
    pub fn pop(&mut self) -> Option<Envelope> {
        let envelope = self.waiting.pop_front()?;
        self.bytes -= envelope.weight();
        Some(envelope)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}
