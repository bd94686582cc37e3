//! Three regions, or three nodes of one region, each a process of its own with a folder and ports that
//! outlive it.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::ports;
use crate::server::Server;
use crate::settings::Build;

/// The regions of every test, in the order of their indexes.
pub const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// What the three processes are to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Regions that replicate to each other.
    Regions,
    /// Nodes of the first region.
    Nodes,
}

/// Three regions, or nodes of one.
#[derive(Debug)]
pub struct Regions {
    build: Build,
    layout: Layout,
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
        Regions::start_as(Layout::Regions, build, extra).await
    }

    /// Starts three nodes of one region, with empty disks.
    pub async fn start_nodes(build: Build) -> Regions {
        Regions::start_as(Layout::Nodes, build, &[]).await
    }

    async fn start_as(layout: Layout, build: Build, extra: &[&str]) -> Regions {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let site = |_| Site { grpc: ports::free(), metrics: ports::free(), server: None };
        let extra = extra.iter().map(|&word| word.to_owned()).collect();
        let sites = (0..NAMES.len()).map(site).collect();
        let mut regions = Regions { build, layout, folder, extra, sites };
        regions.restart_all(&[0, 1, 2]).await.expect("what has an empty disk starts");
        regions
    }

    /// What the processes are to each other.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Starts several that do not run, together: a node is ready only when enough others are there. The last
    /// words of one that refuses.
    pub async fn restart_all(&mut self, regions: &[usize]) -> Result<(), String> {
        let starting = regions.iter().map(|region| {
            assert!(self.sites[*region].server.is_none(), "{} runs already", NAMES[*region]);
            let (build, arguments, log) = (self.build, self.arguments(*region), self.log(*region));
            tokio::spawn(async move { Server::start(build, &arguments, &log).await })
        });
        let starting: Vec<_> = starting.collect();
        for (region, server) in regions.iter().zip(starting) {
            let server = server.await.expect("starting a server does not panic")?;
            self.sites[*region].server = Some(server);
        }
        Ok(())
    }

    fn log(&self, region: usize) -> PathBuf {
        self.folder.path().join(format!("{}.log", NAMES[region]))
    }

    /// Starts a region that does not run; its last words, if it refuses.
    pub async fn restart(&mut self, region: usize) -> Result<(), String> {
        self.restart_all(&[region]).await
    }

    /// What a region's server is started with.
    pub fn arguments(&self, region: usize) -> Vec<String> {
        let site = &self.sites[region];
        let mut arguments = vec![
            "node".to_owned(),
            format!("--region={}", NAMES[if self.layout == Layout::Nodes { 0 } else { region }]),
            format!("--data={}", self.data(region).display()),
            format!("--listen=127.0.0.1:{}", site.grpc),
            format!("--metrics-listen=127.0.0.1:{}", site.metrics),
        ];
        if self.layout == Layout::Nodes {
            arguments.push(format!("--node={}", region + 1));
            // Only the first start finds no folder.
            arguments.push(format!("--bootstrap={}", !self.data(region).exists()));
        }
        for other in (0..NAMES.len()).filter(|other| *other != region) {
            let address = format!("127.0.0.1:{}", self.sites[other].grpc);
            arguments.push(match self.layout {
                Layout::Regions => format!("--peer={}={address}", NAMES[other]),
                Layout::Nodes => format!("--member={}={address}", other + 1),
            });
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
