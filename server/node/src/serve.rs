//! From settings to a server that has stopped: one node for each plan, until a signal ends them all.
//!
//! What it prints is for people and scripts alike: a line for each region with its real addresses, then
//! `ready`.

use std::future::Future;
use std::io::Write;
use std::sync::Arc;

use storage::Engine;

use crate::latency::Latencies;
use crate::node::{self, Node, Opened, Sockets};
use crate::place::Place;
use crate::settings::NodeSettings;
use crate::stop::{self, OnFailure};

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
    /// Listens where the settings say.
    pub fn new(settings: NodeSettings) -> Result<Self, node::Error> {
        let sockets = Sockets::listen(settings.listen, settings.metrics_listen)?;
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
    let on_failure: OnFailure = Arc::new(stop::die);
    let mut nodes: Vec<Node> = Vec::new();
    for Plan { settings, sockets } in plans {
        let opened =
            open(&settings).map_err(|source| Error::Open { settings: Box::new(settings.clone()), source })?;
        let grpc = settings.advertise.clone().unwrap_or(sockets.grpc_address.to_string());
        print(&mut output, &format!("{} grpc {grpc} metrics {}", settings.region, sockets.metrics_address))?;
        let place = Place::of(&settings);
        nodes.push(node::start(opened, &settings, &place, sockets, latencies, &stop, on_failure.clone())?);
    }
    let mut until = std::pin::pin!(until);
    let ready = async {
        for node in &nodes {
            node.ready().await;
        }
    };
    let ended = tokio::select! {
        () = ready => None,
        ended = &mut until => Some(ended),
    };
    let ended = match ended {
        None => {
            print(&mut output, "ready")?;
            until.await
        }
        Some(ended) => ended,
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

fn print(output: &mut impl Write, line: &str) -> Result<(), Error> {
    let error = |source| Error::System { operation: "print", source };
    writeln!(output, "{line}").and_then(|()| output.flush()).map_err(error)
}

#[cfg(test)]
mod tests;
