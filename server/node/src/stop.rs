//! How a server ends: asked to, by a signal; or at once, when a disk or a shard failed.
//!
//! After a failure nothing may be answered any more, since nobody knows what the disk holds. So the process
//! ends where it stands: no destructor runs, no queue is drained, and the next start reads what is durable.

use std::io::Write;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use types::RegionName;

/// Tells everybody to stop. Dropping it tells them as well.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Learns that it is time to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// A pair of the two.
pub fn channel() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Tells everybody.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Returns once it is time.
    pub async fn requested(mut self) {
        // An error means that the stopper is gone, which says the same.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Whether it is time.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// Returns once the process got SIGTERM or SIGINT.
pub async fn signalled() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// What stopped a shard. Every one is fatal for the process.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The shard cannot go on.
    #[error(transparent)]
    Shard(#[from] shard::Error),
    /// The disk failed under one of the shard's threads.
    #[error("{thread} thread: {source}")]
    Storage {
        /// What it was doing.
        thread: &'static str,
        /// How it failed.
        source: storage::Error,
    },
    /// The gRPC server ended on its own.
    #[error("gRPC server: {source}")]
    Server {
        /// Why.
        source: tonic::transport::Error,
    },
    /// The system refused a thread.
    #[error("cannot start a thread: {source}")]
    Thread {
        /// The system's reason.
        source: std::io::Error,
    },
}

/// What to do about a failure. In a server it is `die`; tests collect failures instead.
pub type OnFailure = Arc<dyn Fn(&RegionName, Failure) + Send + Sync>;

/// Ends the process with a message that names the region and what failed.
pub fn die(region: &RegionName, failure: Failure) {
    let _ = writeln!(std::io::stderr(), "meridian-server: region {region} stopped: {failure}");
    std::process::exit(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_reaches_everybody_even_late() {
        let (stopper, stop) = channel();
        let early = tokio::spawn(stop.clone().requested());
        assert!(!stop.is_requested());
        stopper.stop();
        early.await.unwrap();
        assert!(stop.is_requested());
        stop.requested().await;
    }

    #[tokio::test]
    async fn a_lost_stopper_is_a_stop() {
        let (stopper, stop) = channel();
        drop(stopper);
        assert!(stop.is_requested());
        stop.requested().await;
    }
}
