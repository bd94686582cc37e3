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
    /// Whether so many answers wait to be taken by their clients that reads must be refused.
    pub answers_full: bool,
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

    /// Drops the requests whose numbers are cancelled, and names them.
    pub fn cancel(&mut self, cancelled: impl Fn(u64) -> bool) -> Vec<u64> {
        let (mut dropped, mut freed) = (Vec::new(), 0);
        self.waiting.retain(|envelope| {
            let number = match envelope {
                Envelope::Request(request) if cancelled(request.number) => request.number,
                _ => return true,
            };
            freed += envelope.weight();
            dropped.push(number);
            false
        });
        self.bytes -= freed;
        dropped
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

#[cfg(test)]
mod tests {
    use item::operation::Command;
    use types::command::RegionCommand;

    use super::*;
    use crate::Request;

    fn request(number: u64) -> Envelope {
        let command = Command::Region(RegionCommand::Status);
        Envelope::Request(Box::new(Request { number, deadline_ns: None, bytes: 1000, command }))
    }

    #[test]
    fn what_is_cancelled_leaves_and_makes_room() {
        let mut inbox = Inbox::new();
        (1..=5).for_each(|number| inbox.push(request(number)).unwrap());
        let peer = crate::PeerNode { region: types::RegionId(1), node: types::NodeId::ONLY };
        inbox.push(Envelope::LinkUp(peer)).unwrap();
        let before = inbox.bytes;
        assert_eq!(inbox.cancel(|number| number % 2 == 0), [2, 4]);
        assert_eq!(inbox.bytes, before - 2 * request(0).weight());
        let left: Vec<u64> = std::iter::from_fn(|| inbox.pop())
            .filter_map(|envelope| match envelope {
                Envelope::Request(request) => Some(request.number),
                _ => None,
            })
            .collect();
        assert_eq!((left, inbox.bytes), (vec![1, 3, 5], 0));
    }

    #[test]
    fn large_requests_fill_it_by_bytes() {
        let mut inbox = Inbox::new();
        let command = Command::Region(RegionCommand::Status);
        let large = |number| {
            let bytes = limits::INBOX_BYTES_MAX / 2;
            Envelope::Request(Box::new(Request {
                number,
                deadline_ns: None,
                bytes,
                command: command.clone(),
            }))
        };
        assert!(inbox.push(large(1)).is_ok());
        assert!(inbox.push(large(2)).is_err());
        assert!(inbox.push(request(3)).is_ok());
    }
}
