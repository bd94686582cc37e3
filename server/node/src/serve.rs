//! From settings to a server that has stopped: one node for each plan, until a signal ends them all.
//!
//! What it prints is for people and scripts alike: a line for each region with its real addresses, then
//! `ready`.

use std::future::Future;
use std::io::Write;
use std::sync::Arc;

use storage::Engine;
use types::RegionName;

use crate::join;
use crate::latency::Latencies;
use crate::node::{self, Node, Opened, Sockets};
use crate::settings::NodeSettings;
use crate::stop::{self, OnFailure, Stop};

/// A node that is to run.
pub struct Plan {
    /// Its settings.
    pub settings: NodeSettings,
    /// Its sockets, so that its address is known before anybody is told.
    pub sockets: Sockets,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A node cannot start.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// A data folder cannot be opened.
    #[error("region {}: {source}", settings.region)]
    Open {
        /// Whose.
        settings: Box<NodeSettings>,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A node has no place in its region.
    #[error("region {region}: {source}")]
    Join {
        /// The region.
        region: RegionName,
        /// Why.
        source: join::Error,
    },
    /// Nobody reads what is printed, or signals cannot be caught.
    #[error("cannot {operation}: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Plan {
    /// Listens where the settings say, under TLS if they say so.
    pub fn new(settings: NodeSettings) -> Result<Self, node::Error> {
        let sockets = Sockets::listen(settings.listen, settings.metrics_listen)?.secured(&settings)?;
        Ok(Plan { settings, sockets })
    }
}

/// Runs nodes until `until` returns, and stops them gracefully.
pub async fn run<E>(
    plans: Vec<Plan>,
    latencies: &Latencies,
    open: impl Fn(&NodeSettings) -> Result<Opened<E>, Box<dyn std::error::Error + Send + Sync>>,
    until: impl Future<Output = std::io::Result<()>>,
    mut output: impl Write,
) -> Result<(), Error>
where
    E: Engine,
    shard::Shard<E>: Send,
{
    let (stopper, stop) = stop::channel();
    let mut nodes: Vec<Node> = Vec::new();
    let mut until = std::pin::pin!(until);
    let ready = async {
        for Plan { settings, sockets } in plans {
            let opened = open(&settings)
                .map_err(|source| Error::Open { settings: Box::new(settings.clone()), source })?;
            let grpc = settings.advertise.clone().unwrap_or(sockets.grpc_address.to_string());
            let line = format!("{} grpc {grpc} metrics {}", settings.region, sockets.metrics_address);
            print(&mut output, &line)?;
            nodes.push(begin(opened, &settings, sockets, latencies, &stop).await?);
        }
        for node in &nodes {
            node.ready().await;
        }
        print(&mut output, "ready")
    };
    // It may be told to stop before it is ready.
    let ended = tokio::select! {
        ready = ready => {
            ready?;
            until.await
        }
        ended = &mut until => ended,
    };
    ended.map_err(|source| Error::System { operation: "wait for signals", source })?;
    tracing::info!("stopping");
    stopper.stop();
    for node in nodes {
        node.finish().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Starts a node in its place, which others may have to give it first.
async fn begin<E>(
    opened: Opened<E>,
    settings: &NodeSettings,
    sockets: Sockets,
    latencies: &Latencies,
    stop: &Stop,
) -> Result<Node, Error>
where
    E: Engine,
    shard::Shard<E>: Send,
{
    let joined = |source| Error::Join { region: settings.region.clone(), source };
    let place = match join::known(settings, &opened.engine).map_err(joined)? {
        Some(place) => place,
        None => {
            let address = node::advertised(settings, sockets.grpc_address);
            join::place(settings, &address, sockets.tls.as_ref()).await.map_err(joined)?
        }
    };
    let on_failure: OnFailure = Arc::new(stop::die);
    let node = node::start(opened, settings, &place, sockets, latencies, stop, on_failure)?;
    join::settle(settings).map_err(joined)?;
    Ok(node)
}

fn print(output: &mut impl Write, line: &str) -> Result<(), Error> {
    let error = |source| Error::System { operation: "print", source };
    writeln!(output, "{line}").and_then(|()| output.flush()).map_err(error)
}

#[cfg(test)]
mod joining_tests;
#[cfg(test)]
mod routes_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
