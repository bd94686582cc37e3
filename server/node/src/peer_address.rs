//! Where a node of another region is: `eu-west-1=10.0.0.7:7001`, or `eu-west-1/2=10.0.0.8:7001` for a node
//! that is not the first.

use std::str::FromStr;

use types::{InvalidName, NodeId, RegionName};

/// A node of another region and its address.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct PeerAddress {
    /// The region.
    pub region: RegionName,
    /// Which of its nodes.
    pub node: NodeId,
    /// A host and a port; the host is looked up whenever it is dialled.
    pub address: String,
}

/// Why a text names no peer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidPeer {
    /// Not `REGION=HOST:PORT` or `REGION/NODE=HOST:PORT`.
    #[error(
        "{text:?} is no peer: write REGION=HOST:PORT, or REGION/NUMBER=HOST:PORT for each of several nodes"
    )]
    Form {
        /// The text.
        text: String,
    },
    /// The region's name.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl FromStr for PeerAddress {
    type Err = InvalidPeer;

    fn from_str(text: &str) -> Result<Self, InvalidPeer> {
        let form = || InvalidPeer::Form { text: text.to_owned() };
        let (party, address) = text.trim().split_once('=').ok_or_else(form)?;
        if !is_address(address) {
            return Err(form());
        }
        let (region, node) = match party.split_once('/') {
            None => (party, NodeId::ONLY),
            Some((region, node)) => {
                let number = node.parse().ok().filter(|number| *number > 0);
                (region, NodeId(number.ok_or_else(form)?))
            }
        };
        Ok(PeerAddress { region: RegionName::new(region)?, node, address: address.to_owned() })
    }
}

/// Whether a text is a host and a port.
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let port = port.parse::<u16>().is_ok_and(|port| port > 0);
    // What else a URI may have, such as a scheme, is none of an address.
    let uri = tonic::transport::Uri::try_from(format!("http://{text}"));
    let is_whole = |uri: tonic::transport::Uri| uri.authority().is_some_and(|whole| whole.as_str() == text);
    port && !host.is_empty() && uri.is_ok_and(is_whole)
}

impl TryFrom<String> for PeerAddress {
    type Error = InvalidPeer;

    fn try_from(text: String) -> Result<Self, InvalidPeer> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_region_and_an_address() {
        let peer: PeerAddress = "eu-west-1=node.example:7001".parse().unwrap();
        assert_eq!(peer.region.as_str(), "eu-west-1");
        assert_eq!((peer.node, &*peer.address), (NodeId::ONLY, "node.example:7001"));
        let peer: PeerAddress = "eu-west-1/12=node.example:7001".parse().unwrap();
        assert_eq!((peer.region.as_str(), peer.node), ("eu-west-1", NodeId(12)));
        assert!("eu=[::1]:7001".parse::<PeerAddress>().is_ok());
        let addresses =
            ["", "eu", "eu=", "eu=host", "eu=host:", "eu=:7001", "eu=host:0", "eu=a b:1", "eu=http://a:1"];
        let nodes = ["eu/=host:1", "eu/0=host:1", "eu/x=host:1", "eu/1/2=host:1"];
        for bad in addresses.into_iter().chain(nodes) {
            assert!(matches!(bad.parse::<PeerAddress>(), Err(InvalidPeer::Form { .. })), "{bad}");
        }
        assert!(matches!("EU=host:1".parse::<PeerAddress>(), Err(InvalidPeer::Name(_))));
    }
}
