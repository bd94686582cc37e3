//! `JoinNode`: a new node asks for its number.
//!
//! Which cluster and region it means to join is checked by whoever knows this node's.

use item::Error;
use item::error::Invalid;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{JoinNodeRequest, JoinNodeResponse, NodeMember};
use types::NodeId;
use types::command::{ClusterAnswer, ClusterCommand};
use types::limits::NODE_ADDRESS_BYTES_MAX;

use crate::field;

/// Checks a request.
pub fn decode(request: JoinNodeRequest) -> Result<Command, Error> {
    let JoinNodeRequest { token, address, .. } = request;
    field::bounded("Token", token, 1, u64::MAX)?;
    if address.is_empty() {
        return Err(Invalid::Missing { field: "Address" }.into());
    }
    field::bounded("Address", address.len() as u64, 1, NODE_ADDRESS_BYTES_MAX as u64)?;
    Ok(Command::Cluster(ClusterCommand::Join { token, address }))
}

/// Shapes the answer.
pub fn encode(result: Result<Answer, Error>) -> Result<JoinNodeResponse, Error> {
    let Answer::Cluster(ClusterAnswer::Joined { node, members }) = result? else {
        unreachable!("JoinNode is answered by Joined");
    };
    let member = |(node, address): (NodeId, String)| NodeMember { node: node.0, address };
    Ok(JoinNodeResponse { node: node.0, members: members.into_iter().map(member).collect() })
}
