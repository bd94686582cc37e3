//! Where another node of the region is: `2=10.0.0.8:7001`.

use std::str::FromStr;

use types::NodeId;

use crate::peer_address;

/// A node of the region and its address.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct MemberAddress {
    /// The node.
    pub node: NodeId,
    /// A host and a port; the host is looked up whenever it is dialled.
    pub address: String,
}

/// A text that names no node.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is no node: write NUMBER=HOST:PORT, the number from 1 up")]
pub struct InvalidMember {
    /// The text.
    text: String,
}

impl FromStr for MemberAddress {
    type Err = InvalidMember;

    fn from_str(text: &str) -> Result<Self, InvalidMember> {
        let invalid = || InvalidMember { text: text.to_owned() };
        let (node, address) = text.trim().split_once('=').ok_or_else(invalid)?;
        let node = node.parse().ok().filter(|node| *node > 0).map(NodeId).ok_or_else(invalid)?;
        match peer_address::is_address(address) {
            true => Ok(MemberAddress { node, address: address.to_owned() }),
            false => Err(invalid()),
        }
    }
}

impl TryFrom<String> for MemberAddress {
    type Error = InvalidMember;

    fn try_from(text: String) -> Result<Self, InvalidMember> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_a_number_and_an_address() {
        let member: MemberAddress = "12=node.example:7001".parse().unwrap();
        assert_eq!((member.node, &*member.address), (NodeId(12), "node.example:7001"));
        for bad in ["", "1", "0=a:1", "-1=a:1", "x=a:1", "1=a", "1=:1", "1=a:0"] {
            assert!(bad.parse::<MemberAddress>().is_err(), "{bad}");
        }
    }
}
