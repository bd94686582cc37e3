//! The operations on regions. Pausing what is paused changes nothing, so all of them may be repeated.

use proto::v1::{
    DescribeRegionRequest, PauseRegionRequest, PingRequest, PingResponse, RegionDescription,
    ResumeRegionRequest, SessionOperation,
};

use super::{Client, MeridianClient};
use crate::error::Error;
use crate::retry::Repeat;

impl Client {
    /// `PauseRegion`.
    pub async fn pause_region(&self, request: PauseRegionRequest) -> Result<RegionDescription, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.pause_region(request).await };
        present(self.call(Repeat::Harmless, request, method).await?.region)
    }

    /// `ResumeRegion`.
    pub async fn resume_region(&self, request: ResumeRegionRequest) -> Result<RegionDescription, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.resume_region(request).await };
        present(self.call(Repeat::Harmless, request, method).await?.region)
    }

    /// `DescribeRegion`.
    pub async fn describe_region(&self) -> Result<RegionDescription, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.describe_region(request).await };
        present(self.call(Repeat::Harmless, DescribeRegionRequest {}, method).await?.region)
    }

    /// `Ping`.
    pub async fn ping(&self, payload: Vec<u8>) -> Result<PingResponse, Error> {
        let method = |mut client: MeridianClient<_>, request| async move { client.ping(request).await };
        let request = PingRequest { payload };
        self.item_call(Repeat::Harmless, SessionOperation::Ping, None, &request, method).await
    }
}

fn present(region: Option<RegionDescription>) -> Result<RegionDescription, Error> {
    region.ok_or(Error::Incomplete { field: "Region" })
}
