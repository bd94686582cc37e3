//! Whose disk it is: a node that started over another's would answer for what it never promised.
//!
//! Kept beside the logs from the first start on; what the node is told at later starts must agree.

use std::fmt;

use storage::engine::StateName;
use storage::log::LogWrite;
use storage::{Engine, LogBatch};
use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::{NodeId, RegionName};

use crate::open::NODE;
use crate::{Error, FirstStart, Settings};

const FORMAT: u8 = 1;

/// A node among the nodes of its region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Its region.
    pub region: RegionName,
    /// The node.
    pub node: NodeId,
    /// All nodes of the region, ascending.
    pub nodes: Vec<NodeId>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} of {}, whose nodes are ", self.node.0, self.region)?;
        for (at, node) in self.nodes.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, node.0)?;
        }
        Ok(())
    }
}

impl Identity {
    /// Whoever the settings say.
    pub fn of(settings: &Settings) -> Self {
        let Settings { region, node, nodes, .. } = settings;
        Identity { region: region.clone(), node: *node, nodes: nodes.clone() }
    }

    /// Whose disk it is, if it is anybody's.
    pub fn read(engine: &impl Engine) -> Result<Option<Self>, Error> {
        let stored = engine.state(NODE, StateName::Identity)?;
        let decode = |bytes: Vec<u8>| Identity::decode(&bytes);
        let decoded = stored.map(decode).transpose();
        Ok(decoded.map_err(|_| storage::Error::undecodable("identity"))?)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        put_sized(&mut out, self.region.as_str().as_bytes());
        put_varint(&mut out, self.node.0);
        put_varint(&mut out, self.nodes.len() as u64);
        self.nodes.iter().for_each(|node| put_varint(&mut out, node.0));
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(Malformed);
        }
        let region = RegionName::new(reader.text()?).map_err(|_| Malformed)?;
        let node = NodeId(reader.varint()?);
        let count = reader.count(1)?;
        let nodes = (0..count).map(|_| reader.varint().map(NodeId)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Identity { region, node, nodes })
    }
}

/// Checks that a disk is this node's, and makes it so if it is nobody's.
pub(crate) fn claim(engine: &impl Engine, settings: &Settings) -> Result<(), Error> {
    let given = Identity::of(settings);
    match Identity::read(engine)? {
        None if settings.first_start == FirstStart::No => Err(Error::Blank { given: Box::new(given) }),
        None => {
            let mut batch = LogBatch::new();
            let value = given.encode();
            batch.push(LogWrite::State { group: NODE, name: StateName::Identity, value });
            Ok(engine.append(batch)?)
        }
        Some(found) => match found == given {
            true if settings.first_start == FirstStart::Yes => {
                Err(Error::NotBlank { found: Box::new(found) })
            }
            true => Ok(()),
            false => Err(Error::Identity { found: Box::new(found), given: Box::new(given) }),
        },
    }
}

#[cfg(test)]
mod tests {
    use storage::memory::Memory;

    use super::*;

    fn settings(region: &str, node: u64, nodes: u64) -> Settings {
        let nodes = (1..=nodes).map(NodeId).collect();
        let alone = Settings::alone(RegionName::new(region).unwrap(), 7);
        Settings { node: NodeId(node), nodes, ..alone }
    }

    #[test]
    fn a_disk_serves_the_node_that_claimed_it() {
        let disk = Memory::new();
        for _ in 0..2 {
            claim(&disk, &settings("us", 2, 3)).unwrap();
        }
        for other in [settings("us", 1, 3), settings("eu", 2, 3), settings("us", 2, 4)] {
            let refused = claim(&disk, &other).unwrap_err().to_string();
            assert!(refused.contains("node 2 of us, whose nodes are 1, 2, 3"), "{refused}");
        }
    }

    #[test]
    fn a_node_is_made_once_and_only_where_it_is_said() {
        let disk = Memory::new();
        let starts = |first_start| claim(&disk, &Settings { first_start, ..settings("us", 2, 3) });
        assert!(matches!(starts(FirstStart::No), Err(Error::Blank { .. })));
        starts(FirstStart::Yes).unwrap();
        starts(FirstStart::No).unwrap();
        assert!(matches!(starts(FirstStart::Yes), Err(Error::NotBlank { .. })));
    }

    #[test]
    fn the_fixture_is_what_is_written_and_read() {
        let identity = Identity::of(&settings("us-east-1", 2, 3));
        let bytes = b"\x01\x09us-east-1\x02\x03\x01\x02\x03";
        assert_eq!((identity.encode(), Identity::decode(bytes)), (bytes.to_vec(), Ok(identity)));
    }
}
