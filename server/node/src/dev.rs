//! Several nodes in one process: real ones with real links between them, on loopback addresses.

use std::net::SocketAddr;

use crate::node::{self, Sockets};
use crate::serve::Plan;
use crate::settings::DevSettings;

/// Listens for every node first, so that each can be told where the others are even when the system chose.
pub fn plans(settings: &DevSettings) -> Result<Vec<Plan>, node::Error> {
    let mut sockets = Vec::new();
    for node in &settings.nodes {
        sockets.push(Sockets::listen(node.listen, node.metrics_listen)?);
    }
    let addresses: Vec<SocketAddr> = sockets.iter().map(|sockets| sockets.grpc_address).collect();
    let plan = |(index, sockets)| Plan { settings: settings.node(index, &addresses), sockets };
    Ok(sockets.into_iter().enumerate().map(plan).collect())
}
