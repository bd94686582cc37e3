//! `DescribeRoutes`.

use std::collections::BTreeMap;

use item::Error;
use item::operation::Command;
use item::outcome::Answer;
use proto::v1::{DescribeRoutesRequest, DescribeRoutesResponse, NodeMember, PartitionRoute};
use types::command::{self, TableAnswer, TableCommand};
use types::{NodeId, RegionName};

use crate::{field, table};

/// Who answers, and what it knows beside the catalog.
#[derive(Clone, Debug)]
pub struct Answering {
    /// Its region.
    pub region: RegionName,
    /// Its number.
    pub node: NodeId,
    /// Where nodes are, itself included, as far as its links know: HOST:PORT.
    pub addresses: BTreeMap<NodeId, String>,
}

/// Checks a request.
pub fn decode(request: DescribeRoutesRequest) -> Result<Command, Error> {
    Ok(Command::Table(TableCommand::Routes { name: field::table_name(request.table_name)? }))
}

/// Shapes the answer. What links know of an address is newer than what the catalog says.
pub fn encode(result: Result<Answer, Error>, answering: &Answering) -> Result<DescribeRoutesResponse, Error> {
    let routes = match result? {
        Answer::Table(TableAnswer::Routes(routes)) => routes,
        other => unreachable!("DescribeRoutes is answered by Routes, not by {other:?}"),
    };
    let member = |(node, of_catalog): (NodeId, String)| NodeMember {
        node: node.0,
        address: answering.addresses.get(&node).cloned().unwrap_or(of_catalog),
    };
    Ok(DescribeRoutesResponse {
        table_id: routes.table.to_string(),
        region_name: answering.region.as_str().to_owned(),
        node: answering.node.0,
        partition_key: Some(table::definition(&routes.partition_key)),
        partitions: routes.partitions.into_iter().map(partition).collect(),
        nodes: routes.nodes.into_iter().map(member).collect(),
    })
}

fn partition(route: command::PartitionRoute) -> PartitionRoute {
    let node = route.node.map_or(0, |node| node.0);
    PartitionRoute { first_hash: route.first.0, node, leads: route.leads }
}
