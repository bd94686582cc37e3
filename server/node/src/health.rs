//! The HTTP side: `/metrics` for Prometheus, `/health/live` and `/health/ready` for whoever starts and stops
//! nodes.
//!
//! Live means that the process answers; ready, that every partition decides and that it is not stopping.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::watch;
use types::limits;

use crate::connections::Connections;
use crate::driver::Published;
use crate::forward::Forward;
use crate::handle::Handle;
use crate::metrics::{Metrics, Sources};
use crate::parties::Queues;
use crate::stop::Stop;
use crate::unfinished::Unfinished;

/// What there is to see of a region's node.
pub struct Observed {
    /// Its metrics.
    pub metrics: Arc<Metrics>,
    /// Its shard's figures.
    pub published: watch::Receiver<Published>,
    /// The way to its shard.
    pub shard: Handle,
    /// What its callers have sent in part.
    pub unfinished: [Unfinished; 2],
    /// Its links.
    pub links: watch::Receiver<Queues>,
    /// The ways on which it passes calls on.
    pub forward: Arc<Forward>,
    /// Whether it is stopping.
    pub stop: Stop,
}

/// Serves until the task is aborted: a stopping node still says that it stops.
pub async fn serve(connections: Connections, observed: Observed) -> std::io::Result<()> {
    let upkeep = upkeep(observed.metrics.clone());
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .with_state(Arc::new(observed));
    tokio::select! {
        served = axum::serve(connections, router) => served,
        () = upkeep => Ok(()),
    }
}

async fn metrics(State(observed): State<Arc<Observed>>) -> impl IntoResponse {
    let published = observed.published.borrow().clone();
    let links = observed.links.borrow().clone();
    let Observed { shard, unfinished, forward, .. } = &*observed;
    let sources = Sources { published: &published, shard, unfinished, links: &links, forward };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], observed.metrics.render(&sources))
}

async fn ready(State(observed): State<Arc<Observed>>) -> impl IntoResponse {
    match (observed.stop.is_requested(), observed.published.borrow().figures.serving) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        (false, true) => (StatusCode::OK, "ready\n"),
    }
}

/// Folds samples of latency away for ever, whether or not anybody asks for them.
async fn upkeep(metrics: Arc<Metrics>) {
    let mut interval = tokio::time::interval(Duration::from_millis(limits::METRICS_UPKEEP_MS));
    loop {
        interval.tick().await;
        metrics.upkeep();
    }
}
