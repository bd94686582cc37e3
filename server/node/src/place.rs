//! Which node of its region a node is, and whom else it was told of when it started.
//!
//! It is the settings' word, that of the nodes that it joined (`join`), or its disk's. Who comes and goes
//! later is the catalog's to tell.

use shard::FirstStart;
use types::NodeId;

use crate::member_address::MemberAddress;
use crate::parties::Source;
use crate::settings::NodeSettings;

/// A node's place among the nodes of its region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its number.
    pub node: NodeId,
    /// All nodes that it was told of, itself included, ascending.
    pub nodes: Vec<NodeId>,
    /// Where the others are, as far as was told.
    pub members: Vec<MemberAddress>,
    /// What an empty disk means.
    pub first_start: FirstStart,
    /// Who told.
    pub source: Source,
}

impl Place {
    /// The place that the settings name.
    pub fn of(settings: &NodeSettings) -> Self {
        Place {
            node: settings.node,
            nodes: all(settings.node, settings.members.iter().map(|member| member.node)),
            members: settings.members.clone(),
            first_start: settings.first_start,
            source: Source::Settings,
        }
    }

    /// The place that others gave to a node that joins them. They may not know where each of them is.
    pub fn given(node: NodeId, others: Vec<(NodeId, String)>) -> Self {
        let nodes = all(node, others.iter().map(|(other, _)| *other));
        let others = others.into_iter().filter(|(other, address)| *other != node && !address.is_empty());
        let members = others.map(|(node, address)| MemberAddress { node, address }).collect();
        Place { node, nodes, members, first_start: FirstStart::Joining, source: Source::Region }
    }

    /// The place of the node whose disk it is.
    pub fn found(identity: shard::Identity) -> Self {
        let shard::Identity { node, nodes, .. } = identity;
        Place { node, nodes, members: vec![], first_start: FirstStart::Joining, source: Source::Region }
    }
}

/// Ascending, each once.
fn all(node: NodeId, others: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut nodes: Vec<_> = others.chain([node]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_given_names_all_nodes_and_where_some_are() {
        let others = vec![(NodeId(3), "h:3".to_owned()), (NodeId(1), String::new())];
        let place = Place::given(NodeId(4), others);
        assert_eq!(place.nodes, [NodeId(1), NodeId(3), NodeId(4)]);
        assert_eq!(place.members, [MemberAddress { node: NodeId(3), address: "h:3".to_owned() }]);
        assert_eq!(place.first_start, FirstStart::Joining);
    }
}
