//! Three regions, three nodes of one region, or two regions of three nodes each: every node is a process of
//! its own with a folder and ports that outlive it.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::server::Server;
use crate::settings::Build;
use crate::{ports, settings};

/// The regions of every test, in the order of their indexes.
pub const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// What the processes are to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Regions that replicate to each other.
    Regions,
    /// Nodes of the first region.
    Nodes,
    /// Nodes of the first two regions, three of each: first the first ones, and so on.
    Clusters,
}

impl Layout {
    fn regions(self) -> &'static [&'static str] {
        match self {
            Layout::Regions => &NAMES,
            Layout::Nodes => &NAMES[..1],
            Layout::Clusters => &NAMES[..2],
        }
    }

    /// Nodes of each region.
    fn nodes(self) -> usize {
        match self {
            Layout::Regions => 1,
            Layout::Nodes | Layout::Clusters => 3,
        }
    }
}

/// Regions, nodes of one region, or both.
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
    /// Whether it joined a region that was there.
    joined: bool,
    server: Option<Server>,
}

impl Site {
    fn new(joined: bool) -> Self {
        Site { grpc: ports::free(), metrics: ports::free(), joined, server: None }
    }
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

    /// The same with words of its own on every server's command line.
    pub async fn start_nodes_with(build: Build, extra: &[&str]) -> Regions {
        Regions::start_as(Layout::Nodes, build, extra).await
    }

    /// Starts two regions of three nodes each, with empty disks.
    pub async fn start_clusters(build: Build) -> Regions {
        Regions::start_as(Layout::Clusters, build, &[]).await
    }

    async fn start_as(layout: Layout, build: Build, extra: &[&str]) -> Regions {
        let folder = settings::disk_folder();
        let site = |_| Site::new(false);
        let extra = extra.iter().map(|&word| word.to_owned()).collect();
        let count = layout.regions().len() * layout.nodes();
        let sites = (0..count).map(site).collect();
        let mut regions = Regions { build, layout, folder, extra, sites };
        let all: Vec<_> = (0..count).collect();
        regions.restart_all(&all).await.expect("what has an empty disk starts");
        regions
    }

    /// The regions there are.
    pub fn names(&self) -> &'static [&'static str] {
        self.layout.regions()
    }

    /// How many processes there are.
    pub fn count(&self) -> usize {
        self.sites.len()
    }

    /// A process's region, and its node's number there.
    fn place(&self, site: usize) -> (&'static str, usize) {
        let names = self.names();
        (names[site % names.len()], site / names.len() + 1)
    }

    /// What a process is called.
    pub fn name(&self, site: usize) -> String {
        let (region, node) = self.place(site);
        format!("{region}-{node}")
    }

    /// Starts several that do not run, together: a node is ready only when enough others are there. The last
    /// words of one that refuses.
    pub async fn restart_all(&mut self, regions: &[usize]) -> Result<(), String> {
        let starting = regions.iter().map(|region| {
            assert!(self.sites[*region].server.is_none(), "{} runs already", self.name(*region));
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

    /// Has a new node, with an empty disk, join the only region; gives its index.
    pub async fn join(&mut self) -> usize {
        assert_eq!(self.layout, Layout::Nodes, "a node joins the only region");
        self.sites.push(Site::new(true));
        let node = self.count() - 1;
        self.restart(node).await.expect("a new node joins");
        node
    }

    /// Waits until a process has ended by itself.
    pub async fn ends(&mut self, region: usize) {
        let status = self.take(region).ends().await;
        assert!(!status.success(), "{} ended with {status}", self.name(region));
    }

    fn log(&self, region: usize) -> PathBuf {
        self.folder.path().join(format!("{}.log", self.name(region)))
    }

    /// Starts a region that does not run; its last words, if it refuses.
    pub async fn restart(&mut self, region: usize) -> Result<(), String> {
        self.restart_all(&[region]).await
    }

    /// What a region's server is started with.
    pub fn arguments(&self, region: usize) -> Vec<String> {
        let site = &self.sites[region];
        let (name, node) = self.place(region);
        let mut arguments = vec![
            "node".to_owned(),
            format!("--region={name}"),
            format!("--data={}", self.data(region).display()),
            format!("--listen=127.0.0.1:{}", site.grpc),
            format!("--metrics-listen=127.0.0.1:{}", site.metrics),
        ];
        if site.joined {
            let begun = self.sites.iter().filter(|site| !site.joined);
            let addresses: Vec<_> = begun.map(|site| format!("127.0.0.1:{}", site.grpc)).collect();
            arguments.push(format!("--join={}", addresses.join(",")));
            arguments.extend(self.extra.iter().cloned());
            return arguments;
        }
        if self.layout.nodes() > 1 {
            arguments.push(format!("--node={node}"));
            // Only the first start finds no folder.
            arguments.push(format!("--bootstrap={}", !self.data(region).exists()));
        }
        let begun = |other: &usize| *other != region && !self.sites[*other].joined;
        for other in (0..self.count()).filter(begun) {
            let address = format!("127.0.0.1:{}", self.sites[other].grpc);
            let (other, node) = self.place(other);
            arguments.push(match other == name {
                true => format!("--member={node}={address}"),
                false if node == 1 => format!("--peer={other}={address}"),
                false => format!("--peer={other}/{node}={address}"),
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
        assert!(status.success(), "{} stopped with {status}", self.name(region));
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
        self.folder.path().join(self.name(region))
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
