//! Three regions, each a process of its own with a folder and ports that outlive it.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::ports;
use crate::server::Server;
use crate::settings::Build;

/// The regions of every test, in the order of their indexes.
pub const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// Three regions.
#[derive(Debug)]
pub struct Regions {
    build: Build,
    folder: TempDir,
    extra: Vec<String>,
    sites: Vec<Site>,
}

#[derive(Debug)]
struct Site {
    grpc: u16,
    metrics: u16,
    server: Option<Server>,
}

impl Regions {
    /// Starts all three, with empty disks. `extra` goes to every server's command line.
    pub async fn start(build: Build, extra: &[&str]) -> Regions {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let site = |_| Site { grpc: ports::free(), metrics: ports::free(), server: None };
        let extra = extra.iter().map(|&word| word.to_owned()).collect();
        let mut regions = Regions { build, folder, extra, sites: (0..NAMES.len()).map(site).collect() };
        for region in 0..NAMES.len() {
            regions.restart(region).await.expect("a region with an empty disk starts");
        }
        regions
    }

    /// Starts a region that does not run; its last words, if it refuses.
    pub async fn restart(&mut self, region: usize) -> Result<(), String> {
        assert!(self.sites[region].server.is_none(), "{} runs already", NAMES[region]);
        let log = self.folder.path().join(format!("{}.log", NAMES[region]));
        let server = Server::start(self.build, &self.arguments(region), &log).await?;
        self.sites[region].server = Some(server);
        Ok(())
    }

    /// What a region's server is started with.
    pub fn arguments(&self, region: usize) -> Vec<String> {
        let site = &self.sites[region];
        let mut arguments = vec![
            "node".to_owned(),
            format!("--region={}", NAMES[region]),
            format!("--data={}", self.data(region).display()),
            format!("--listen=127.0.0.1:{}", site.grpc),
            format!("--metrics-listen=127.0.0.1:{}", site.metrics),
        ];
        for peer in (0..NAMES.len()).filter(|peer| *peer != region) {
            arguments.push(format!("--peer={}=127.0.0.1:{}", NAMES[peer], self.sites[peer].grpc));
        }
        arguments.extend(self.extra.iter().cloned());
        arguments
    }

    /// Ends a region's process at once; its disk stays.
    pub async fn kill(&mut self, region: usize) {
        self.take(region).kill().await;
    }

    /// Stops a region's process; fails unless it ends well.
    pub async fn stop(&mut self, region: usize) {
        let status = self.take(region).stop().await;
        assert!(status.success(), "{} stopped with {status}", NAMES[region]);
    }

    fn take(&mut self, region: usize) -> Server {
        self.sites[region].server.take().expect("the region runs")
    }

    /// The running server of a region.
    pub fn server(&mut self, region: usize) -> &mut Server {
        self.sites[region].server.as_mut().expect("the region runs")
    }

    /// A region's disk.
    pub fn data(&self, region: usize) -> PathBuf {
        self.folder.path().join(NAMES[region])
    }

    /// Where a region answers clients.
    pub fn endpoint(&self, region: usize) -> String {
        format!("http://127.0.0.1:{}", self.sites[region].grpc)
    }

    /// The ports of a region: gRPC, and metrics with health.
    pub fn ports(&self, region: usize) -> [u16; 2] {
        [self.sites[region].grpc, self.sites[region].metrics]
    }
}
