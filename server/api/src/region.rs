//! Regions as responses show them.

use item::Error;
use item::outcome::Answer;
use proto::v1;
use types::command::{PeerStatus, RegionAnswer};

/// Shapes an answer that is a region.
pub(crate) fn encode(result: Result<Answer, Error>) -> Result<v1::RegionDescription, Error> {
    match result? {
        Answer::Region(region) => Ok(description(region)),
        other => unreachable!("this command is answered by Region, not by {other:?}"),
    }
}

fn description(region: RegionAnswer) -> v1::RegionDescription {
    v1::RegionDescription {
        region_name: region.region.as_str().to_owned(),
        tables: region.tables,
        partitions: region.partitions,
        ledger_entries: region.ledger_entries,
        peers: region.peers.into_iter().map(peer).collect(),
    }
}

fn peer(peer: PeerStatus) -> v1::PeerDescription {
    v1::PeerDescription {
        region_name: peer.region.as_str().to_owned(),
        connected: peer.connected,
        paused: peer.paused,
        pending_changes: peer.pending_changes,
        pending_bytes: peer.pending_bytes,
        lag_ms: peer.lag_ms,
    }
}
