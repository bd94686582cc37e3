//! `Ping`: answered without the shard, since it asks whether the server is there, not whether it can work.

use item::error::Invalid;
use proto::v1::{PingRequest, PingResponse};
use types::{RegionName, limits};

/// The payload back, unless it is too large.
pub fn answer(region: &RegionName, request: PingRequest) -> Result<PingResponse, item::Error> {
    let (max, got) = (limits::PING_BYTES_MAX as u64, request.payload.len() as u64);
    if got > max {
        return Err(Invalid::Range { field: "Payload", min: 0, max, got }.into());
    }
    Ok(PingResponse {
        payload: request.payload,
        region_name: region.as_str().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}
