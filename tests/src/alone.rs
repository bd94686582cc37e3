//! One region alone, to be measured: nothing of a figure is due to its peers.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::bench::{self, Measured};
use crate::metrics::{self, Metrics};
use crate::server::Server;
use crate::settings::Build;
use crate::{ports, settings};

/// A region without peers, with a folder and ports that outlive its process.
#[derive(Debug)]
pub struct Alone {
    folder: TempDir,
    grpc: u16,
    metrics: u16,
    memory: &'static str,
    server: Option<Server>,
}

impl Alone {
    /// Starts it with an empty disk and so much memory, as `--memory` spells it.
    pub async fn start(memory: &'static str) -> Alone {
        let folder = settings::disk_folder();
        let (grpc, metrics) = (ports::free(), ports::free());
        let mut alone = Alone { folder, grpc, metrics, memory, server: None };
        alone.restart().await;
        alone
    }

    /// Ends the process at once, as `kill -9` does; its disk stays.
    pub async fn kill(&mut self) {
        self.server.take().expect("the region runs").kill().await;
    }

    /// Starts it again, and says how long it took to be ready.
    pub async fn restart(&mut self) -> Duration {
        self.restart_with(&[]).await
    }

    /// The same with more arguments.
    pub async fn restart_with(&mut self, more: &[&str]) -> Duration {
        let mut arguments = vec![
            "node".to_owned(),
            "--region=us-east-1".to_owned(),
            format!("--data={}", self.data().display()),
            format!("--listen=127.0.0.1:{}", self.grpc),
            format!("--metrics-listen=127.0.0.1:{}", self.metrics),
            format!("--memory={}", self.memory),
        ];
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        let begun = Instant::now();
        let log = self.folder.path().join("server.log");
        let started = Server::start(Build::Shipped, &arguments, &log).await;
        self.server = Some(started.expect("the region starts"));
        begun.elapsed()
    }

    /// Runs `meridian bench` against it, as on the command line.
    pub async fn bench(&self, line: &str) -> Measured {
        bench::run(&self.endpoint(), line).await
    }

    /// What it tells of itself.
    pub async fn metrics(&self) -> Metrics {
        metrics::scrape(self.metrics).await
    }

    /// The running server.
    pub fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("the region runs")
    }

    /// Its disk.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where it answers clients.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    /// Its ports: gRPC, and metrics with health.
    pub fn ports(&self) -> [u16; 2] {
        [self.grpc, self.metrics]
    }
}
