//! What goes into a shard and comes out of it.
//!
//! A link's bytes are opaque to whoever carries them: they may be lost, doubled and reordered, and carry
//! their own format version and checksum.

use item::operation::Command;
use item::outcome::Answer;
use types::{NodeId, RegionId};

/// One message to or from a shard.
#[derive(Clone, Debug)]
pub enum Envelope {
    /// A client's request, inwards.
    Request(Box<Request>),
    /// The answer to a request, outwards; exactly one for each request that entered.
    Reply(Box<Reply>),
    /// A message of a peer region's shard, inwards, or to it, outwards.
    Link(Link),
    /// A message of another node of the region, inwards, or to it, outwards.
    Node(NodeLink),
    /// Another node of the region says that this one was removed from it, inwards.
    Removed,
    /// The link to a peer's node came up, inwards; whatever was under way on an earlier one may be lost.
    LinkUp(PeerNode),
    /// The link to a peer's node went down, inwards.
    LinkDown(PeerNode),
}

/// A client's request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Chosen by the driver, unique among the requests under way; the reply carries it back.
    pub number: u64,
    /// On the raw monotonic clock; expired work is dropped before it is decided.
    pub deadline_ns: Option<u64>,
    /// Of the request as it came; a part of what it weighs.
    pub bytes: usize,
    /// What is asked.
    pub command: Command,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The request's number.
    pub number: u64,
    /// About how many bytes the items in it take.
    pub bytes: usize,
    /// What it came to.
    pub result: Result<Answer, item::Error>,
}

impl Reply {
    /// The answer to a request.
    pub fn new(number: u64, result: Result<Answer, item::Error>) -> Self {
        let bytes = result.as_ref().map_or(0, Answer::bytes);
        Reply { number, bytes, result }
    }
}

/// A node of another region.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PeerNode {
    /// The region.
    pub region: RegionId,
    /// Which of its nodes.
    pub node: NodeId,
}

/// Bytes between the shards of two regions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The other end: the sender of an inward message, the receiver of an outward one.
    pub peer: PeerNode,
    /// A framed message with its own version and checksum.
    pub bytes: Vec<u8>,
}

/// Bytes between the shards of two nodes of one region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeLink {
    /// The other node: the sender of an inward message, the receiver of an outward one.
    pub node: NodeId,
    /// Messages of raft groups with their own version and checksum.
    pub bytes: Vec<u8>,
}

impl Envelope {
    /// What the envelope weighs against the inbox's byte limit; an estimate of a request's decoded size is
    /// enough.
    pub fn weight(&self) -> usize {
        match self {
            Envelope::Link(link) => link.bytes.len() + 64,
            Envelope::Node(link) => link.bytes.len() + 64,
            Envelope::Request(request) => 1024 + request.bytes,
            Envelope::Reply(_) => 1024,
            Envelope::LinkUp(_) | Envelope::LinkDown(_) | Envelope::Removed => 64,
        }
    }
}
