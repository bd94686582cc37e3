//! Where a node of the region to join is: `10.0.0.8:7001`.

use std::str::FromStr;

use crate::peer_address;

/// The address of a node that can be asked for a place among the region's nodes.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct JoinAddress(
    /// A host and a port; the host is looked up whenever it is dialled.
    pub String,
);

/// A text that is no address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is no address of a node: write HOST:PORT")]
pub struct InvalidJoin {
    /// The text.
    text: String,
}

impl FromStr for JoinAddress {
    type Err = InvalidJoin;

    fn from_str(text: &str) -> Result<Self, InvalidJoin> {
        match peer_address::is_address(text.trim()) {
            true => Ok(JoinAddress(text.trim().to_owned())),
            false => Err(InvalidJoin { text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for JoinAddress {
    type Error = InvalidJoin;

    fn try_from(text: String) -> Result<Self, InvalidJoin> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!("node.example:7001".parse(), Ok(JoinAddress("node.example:7001".to_owned())));
        for bad in ["", "a", "a:", ":1", "a:0", "1=a:1/", "http://a:1"] {
            assert!(bad.parse::<JoinAddress>().is_err(), "{bad}");
        }
    }
}
