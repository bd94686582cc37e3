//! What a region tells Prometheus: its own recorder, so that regions in one process do not mix.
//!
//! Latencies are recorded as they happen; everything else is read from what the shard publishes when somebody
//! asks. Names follow Prometheus's rules; lag is in milliseconds because closed times are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::{Counter, Histogram, Label, counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use proto::v1::{ErrorDetail, ErrorKind};
use shard::PeerFigures;
use types::{RegionName, limits};

use crate::call::Call;
use crate::driver::Published;
use crate::forward::Forward;
use crate::handle::Handle;
use crate::handshake::Party;
use crate::link_queue::Queue;
use crate::parties::Queues;
use crate::unfinished::Unfinished;

/// Bounds of the latency buckets, in seconds: from a cached read to a deadline.
const BUCKETS_SECONDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How a call ended, as a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Done.
    Done,
    /// The request itself must change.
    Client,
    /// The same request may succeed later.
    Retryable,
    /// It may have been done.
    Unknown,
}

impl Ending {
    /// All of them.
    pub const ALL: [Ending; 4] = [Ending::Done, Ending::Client, Ending::Retryable, Ending::Unknown];

    /// How a call with this error ended.
    pub fn of(error: Option<&item::Error>) -> Self {
        match error.map(item::Error::kind) {
            None => Ending::Done,
            Some(item::Kind::Client) => Ending::Client,
            Some(item::Kind::Retryable) => Ending::Retryable,
            Some(item::Kind::Unknown) => Ending::Unknown,
        }
    }

    /// How a session's call with this error ended.
    pub fn of_detail(error: Option<&ErrorDetail>) -> Self {
        match error.map(ErrorDetail::kind) {
            None => Ending::Done,
            Some(ErrorKind::Client) => Ending::Client,
            Some(ErrorKind::Retryable) => Ending::Retryable,
            Some(ErrorKind::Unknown | ErrorKind::Unspecified) => Ending::Unknown,
        }
    }

    /// The label.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Client => "client_error",
            Ending::Retryable => "retryable",
            Ending::Unknown => "unknown",
        }
    }
}

/// Where a request's time goes, for each turn.
#[derive(Clone)]
pub struct Timings {
    /// How long the oldest request of the turn had waited.
    pub queue: Histogram,
    /// Deciding and appending.
    pub turn: Histogram,
    /// Making what was appended durable.
    pub sync: Histogram,
    /// Committing and applying what became durable.
    pub apply: Histogram,
}

impl Timings {
    /// Nobody looks.
    #[cfg(test)]
    pub fn noop() -> Self {
        let none = Histogram::noop;
        Timings { queue: none(), turn: none(), sync: none(), apply: none() }
    }
}

/// A region's metrics.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    calls: Vec<CallMetrics>,
    /// Every link that was ever shown: what was said of it once stays shown, so one that went is still looked
    /// at, and says that it is down.
    links: Mutex<BTreeMap<Party, Queue>>,
}

struct CallMetrics {
    seconds: Histogram,
    endings: Vec<Counter>,
}

/// What is read when somebody asks.
pub struct Sources<'a> {
    /// The shard's figures.
    pub published: &'a Published,
    /// The way to the shard.
    pub shard: &'a Handle,
    /// What callers have sent in part.
    pub unfinished: &'a [Unfinished],
    /// The links and what waits for them.
    pub links: &'a Queues,
    /// The ways on which calls are passed on.
    pub forward: &'a Forward,
}

impl Metrics {
    /// With everything at nothing.
    pub fn new(region: &RegionName) -> Result<Self, BuildError> {
        let builder = PrometheusBuilder::new().add_global_label("region", region.as_str());
        let recorder = builder.set_buckets(&BUCKETS_SECONDS)?.build_recorder();
        let calls = with_local_recorder(&recorder, || Call::ALL.into_iter().map(CallMetrics::new).collect());
        let handle = recorder.handle();
        Ok(Metrics { recorder, handle, calls, links: Mutex::default() })
    }

    /// The histograms of a shard's work.
    pub fn timings(&self) -> Timings {
        with_local_recorder(&self.recorder, || Timings {
            queue: histogram!("meridian_queue_seconds"),
            turn: histogram!("meridian_turn_seconds"),
            sync: histogram!("meridian_sync_seconds"),
            apply: histogram!("meridian_apply_seconds"),
        })
    }

    /// Records a call.
    pub fn called(&self, call: Call, took: Duration, ending: Ending) {
        let metrics = &self.calls[call as usize];
        metrics.seconds.record(took);
        metrics.endings[ending as usize].increment(1);
    }

    /// Folds recorded samples into their histograms, so that they take no more memory.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// Everything in Prometheus's text format.
    pub fn render(&self, sources: &Sources<'_>) -> String {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() > limits::LINKS_SHOWN_MAX {
            links.retain(|party, _| sources.links.contains_key(party));
        }
        links.extend(sources.links.iter().map(|(party, queue)| (party.clone(), queue.clone())));
        with_local_recorder(&self.recorder, || read(sources, &links));
        self.handle.render()
    }
}

impl CallMetrics {
    fn new(call: Call) -> Self {
        let ending = |ending: Ending| {
            let (operation, result) = (call.name(), ending.name());
            counter!("meridian_requests_total", "operation" => operation, "result" => result)
        };
        CallMetrics {
            seconds: histogram!("meridian_request_seconds", "operation" => call.name()),
            endings: Ending::ALL.into_iter().map(ending).collect(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point")]
fn read(sources: &Sources<'_>, links: &BTreeMap<Party, Queue>) {
    let Sources { published, shard, unfinished, forward, .. } = sources;
    let figures = &published.figures;
    gauge!("meridian_serving").set(f64::from(u8::from(figures.serving)));
    gauge!("meridian_requests_in_flight").set(shard.in_flight() as f64);
    gauge!("meridian_answers_untaken_bytes").set(shard.untaken().bytes() as f64);
    gauge!("meridian_inbox_depth").set(published.inbox_depth as f64);
    gauge!("meridian_tables").set(figures.tables as f64);
    gauge!("meridian_partitions").set(figures.partitions as f64);
    gauge!("meridian_conflict_ledger_entries").set(figures.ledger_entries as f64);
    gauge!("meridian_disk_nearly_full").set(f64::from(u8::from(figures.nearly_full)));
    if let Some(room) = figures.room {
        gauge!("meridian_disk_bytes").set(room.total_bytes as f64);
        gauge!("meridian_disk_free_bytes").set(room.free_bytes as f64);
        gauge!("meridian_disk_reserve_bytes").set(room.reserve_bytes as f64);
    }
    for (name, value) in [
        ("meridian_writes_acknowledged_total", figures.acknowledged_writes),
        ("meridian_refused_for_room_total", figures.refused_for_room),
        ("meridian_records_shipped_total", figures.records_shipped),
        ("meridian_records_received_total", figures.records_received),
        ("meridian_batches_resent_total", figures.batches_resent),
        ("meridian_batches_held_total", figures.batches_held),
        ("meridian_tombstones_collected_total", figures.tombstones_collected),
        ("meridian_closed_times_received_total", figures.closed_times_received),
        ("meridian_clock_steps_total", figures.clock_steps),
        ("meridian_link_messages_refused_total", figures.messages_refused),
        ("meridian_link_messages_dropped_inward_total", shard.links_dropped()),
        ("meridian_calls_passed_on_total", forward.passed_on()),
        ("meridian_messages_given_up_total", unfinished.iter().map(Unfinished::given_up).sum()),
    ] {
        counter!(name).absolute(value);
    }
    let mut peers = BTreeSet::new();
    for (party, queue) in links {
        let labels = match party {
            Party::Peer { region, node } => {
                peers.insert(region);
                vec![Label::new("peer", region.as_str().to_owned()), Label::new("node", node.0.to_string())]
            }
            Party::Node(node) => vec![Label::new("node", node.0.to_string())],
        };
        read_link(labels, queue);
    }
    for name in peers {
        if let Some(peer) = figures.peers.iter().find(|peer| peer.region == name.id()) {
            read_peer(name, peer);
        }
    }
}

/// A link, to a node of another region or, without the label `peer`, of this one.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating point")]
fn read_link(labels: Vec<Label>, queue: &Queue) {
    gauge!("meridian_link_queue_bytes", labels.clone()).set(queue.bytes() as f64);
    counter!("meridian_link_messages_dropped_total", labels.clone()).absolute(queue.dropped());
    gauge!("meridian_link_up", labels).set(f64::from(u8::from(queue.is_up())));
}

/// How far what this node leads has come towards a peer.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating point")]
fn read_peer(name: &RegionName, figures: &PeerFigures) {
    let peer = name.as_str().to_owned();
    gauge!("meridian_link_paused", "peer" => peer.clone()).set(f64::from(u8::from(figures.paused)));
    gauge!("meridian_pending_changes", "peer" => peer.clone()).set(figures.pending_changes as f64);
    gauge!("meridian_pending_bytes", "peer" => peer.clone()).set(figures.pending_bytes as f64);
    // A peer that never told a closed time has no lag that could be told; NaN is how Prometheus says so.
    let lag_ms = figures.lag_ms.map_or(f64::NAN, |lag_ms| lag_ms as f64);
    gauge!("meridian_replication_lag_ms", "peer" => peer).set(lag_ms);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use types::NodeId;

    use super::*;
    use crate::link_queue;

    #[test]
    fn a_link_that_went_is_shown_as_down() {
        let metrics = Metrics::new(&RegionName::new("us").unwrap()).unwrap();
        let (shard, _posts) = Handle::new(limits::INBOX_BYTES_MAX);
        let published = Published::default();
        let shown = |links: &Queues| {
            let forward = Forward::default();
            let sources =
                Sources { published: &published, shard: &shard, unfinished: &[], links, forward: &forward };
            metrics.render(&sources)
        };
        let (queue, waiting) = link_queue::new();
        waiting.set_up();
        let links = Queues::new([(Party::Node(NodeId(2)), queue)].into());
        assert!(shown(&links).contains(r#"meridian_link_up{region="us",node="2"} 1"#));
        waiting.set_down();
        assert!(shown(&Arc::default()).contains(r#"meridian_link_up{region="us",node="2"} 0"#));
    }
}
