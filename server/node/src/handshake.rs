//! What both sides of a link say first, and why one refuses the other.
//!
//! It knows frames and no sockets. A refusal is typed, so that whoever configured a link wrongly is told how.

use std::fmt;

use proto::link::link_frame::Frame;
use proto::link::{Hello, LinkFrame, Neighbour, RefusalReason, Refused};
use types::{NodeId, RegionName};

use crate::certificate::Unproven;

/// The link protocol that this release speaks; a later release speaks a range that includes it for a while.
pub const PROTOCOL: u32 = 1;

/// Who this node is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Its cluster.
    pub cluster: String,
    /// Its region.
    pub region: RegionName,
    /// Which of the region's nodes.
    pub node: NodeId,
    /// Where others reach it; empty if it cannot tell.
    pub address: String,
}

/// The other end of a link.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Party {
    /// A node of another region.
    Peer {
        /// The region.
        region: RegionName,
        /// Which of its nodes.
        node: NodeId,
    },
    /// Another node of the same region.
    Node(NodeId),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Peer { region, node } => write!(f, "node {} of {region}", node.0),
            Party::Node(node) => write!(f, "node {}", node.0),
        }
    }
}

/// Why a link was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No protocol in common.
    #[error("this node speaks link protocol {PROTOCOL}, the other {min} to {max}")]
    Protocol {
        /// The oldest that the other speaks.
        min: u32,
        /// The newest that the other speaks.
        max: u32,
    },
    /// Another cluster.
    #[error("this node belongs to another cluster")]
    Cluster,
    /// A region that is no peer, or another one than was dialled.
    #[error("region {region:?} is not a peer of {of}")]
    Region {
        /// What the other said, cut to a name's length.
        region: String,
        /// Whose peer it is not.
        of: RegionName,
    },
    /// A node that is none of its region's, as far as this one was told.
    #[error("node {node} is not known")]
    Node {
        /// What the other said.
        node: u64,
    },
    /// A node that its region has removed for good.
    #[error("node {node} was removed from its region: to bring the machine back, join it as a new node")]
    Removed {
        /// What the other said.
        node: u64,
    },
    /// A node that did not prove to be who it says.
    #[error(transparent)]
    Certificate(#[from] Unproven),
    /// A frame out of place.
    #[error("expected {expected}")]
    Frame {
        /// What should have come.
        expected: &'static str,
    },
    /// A message that is not what was sent.
    #[error("a message's checksum does not match")]
    Checksum,
}

impl Identity {
    /// The frame that opens a link. It tells of these other nodes of the region.
    pub fn hello(&self, neighbours: Vec<Neighbour>) -> LinkFrame {
        frame(Frame::Hello(Hello {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            cluster: self.cluster.clone().into_bytes(),
            region: self.region.as_str().to_owned(),
            node: self.node.0,
            address: self.address.clone(),
            neighbours,
        }))
    }

    /// The other side's first frame, if it is the Hello of a node that this one can talk to.
    pub fn hear(&self, first: Option<Frame>) -> Result<Hello, Refusal> {
        let Some(Frame::Hello(hello)) = first else { return Err(Refusal::Frame { expected: "Hello" }) };
        let (min, max) = (hello.protocol_min, hello.protocol_max);
        if !(min..=max).contains(&PROTOCOL) {
            return Err(Refusal::Protocol { min, max });
        }
        if hello.cluster != self.cluster.as_bytes() {
            return Err(Refusal::Cluster);
        }
        Ok(hello)
    }

    /// Says which of the expected parties the other side is.
    pub fn judge<'a>(
        &self,
        hello: &Hello,
        expected: impl Iterator<Item = &'a Party>,
    ) -> Result<Party, Refusal> {
        let mut is_known = hello.region == self.region.as_str();
        for party in expected {
            let (region, node) = match party {
                Party::Peer { region, node } => (region, node),
                Party::Node(node) => (&self.region, node),
            };
            if region.as_str() == hello.region {
                if node.0 == hello.node {
                    return Ok(party.clone());
                }
                is_known = true;
            }
        }
        if is_known {
            return Err(Refusal::Node { node: hello.node });
        }
        let said = hello.region.chars().take(types::limits::REGION_NAME_BYTES_MAX).collect();
        Err(Refusal::Region { region: said, of: self.region.clone() })
    }
}

impl Refusal {
    /// The frame that tells the other side.
    pub fn frame(&self) -> LinkFrame {
        let reason = match self {
            Refusal::Protocol { .. } => RefusalReason::Protocol,
            Refusal::Cluster => RefusalReason::Cluster,
            Refusal::Region { .. } => RefusalReason::Region,
            Refusal::Node { .. } => RefusalReason::Node,
            Refusal::Removed { .. } => RefusalReason::Removed,
            Refusal::Certificate(_) => RefusalReason::Certificate,
            Refusal::Frame { .. } | Refusal::Checksum => RefusalReason::Frame,
        };
        frame(Frame::Refused(Refused { reason: reason.into(), text: self.to_string() }))
    }
}

/// Wraps one kind of frame.
pub fn frame(frame: Frame) -> LinkFrame {
    LinkFrame { frame: Some(frame) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> RegionName {
        RegionName::new(name).unwrap()
    }

    fn identity(cluster: &str, name: &str) -> Identity {
        let (cluster, address) = (cluster.to_owned(), "h:1".to_owned());
        Identity { cluster, region: region(name), node: NodeId::ONLY, address }
    }

    fn peer(name: &str, node: u64) -> Party {
        Party::Peer { region: region(name), node: NodeId(node) }
    }

    fn judged(change: impl FnOnce(&mut Hello)) -> Result<Party, Refusal> {
        let Some(Frame::Hello(mut hello)) = identity("c", "eu").hello(vec![]).frame else {
            panic!("no Hello")
        };
        change(&mut hello);
        let expected = [peer("ap", 1), peer("eu", 1), peer("eu", 4), Party::Node(NodeId(3))];
        let us = identity("c", "us");
        us.judge(&us.hear(Some(Frame::Hello(hello)))?, expected.iter())
    }

    #[test]
    fn a_peer_is_let_in() {
        assert_eq!(judged(|_| {}), Ok(peer("eu", 1)));
        assert_eq!(judged(|hello| hello.protocol_max = PROTOCOL + 5), Ok(peer("eu", 1)));
        assert_eq!(judged(|hello| hello.node = 4), Ok(peer("eu", 4)));
        let other = judged(|hello| (hello.region, hello.node) = ("us".to_owned(), 3));
        assert_eq!(other, Ok(Party::Node(NodeId(3))));
    }

    #[test]
    fn a_hello_says_where_its_node_is() {
        let heard = identity("c", "us").hear(identity("c", "eu").hello(vec![]).frame).unwrap();
        assert_eq!(heard.address, "h:1");
    }

    #[test]
    fn each_mismatch_has_its_refusal() {
        let later = judged(|hello| (hello.protocol_min, hello.protocol_max) = (2, 3));
        assert_eq!(later, Err(Refusal::Protocol { min: 2, max: 3 }));
        assert_eq!(judged(|hello| hello.cluster = b"other".to_vec()), Err(Refusal::Cluster));
        for stranger in ["sa", ""] {
            let refused = judged(|hello| hello.region = stranger.to_owned());
            assert_eq!(refused, Err(Refusal::Region { region: stranger.to_owned(), of: region("us") }));
        }
        assert_eq!(judged(|hello| hello.node = 2), Err(Refusal::Node { node: 2 }));
        let itself = judged(|hello| hello.region = "us".to_owned());
        assert_eq!(itself, Err(Refusal::Node { node: NodeId::ONLY.0 }));
        let none = identity("c", "us").hear(None);
        assert_eq!(none, Err(Refusal::Frame { expected: "Hello" }));
    }

    #[test]
    fn a_refusal_quotes_no_more_than_a_name() {
        let Err(Refusal::Region { region, .. }) = judged(|hello| hello.region = "x".repeat(1000)) else {
            panic!("not refused")
        };
        assert_eq!(region.len(), types::limits::REGION_NAME_BYTES_MAX);
    }
}
