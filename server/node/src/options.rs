//! How each setting is written: one field gives a flag, a `MERIDIAN_*` variable and a key of the TOML file.
//!
//! Everything is optional here; `settings` knows the defaults and what must be given.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use types::RegionName;

use crate::authority::Host;
use crate::join_address::JoinAddress;
use crate::latency::Latencies;
use crate::member_address::MemberAddress;
use crate::peer_address::PeerAddress;
use crate::size::Size;

/// Meridian's server: a table that every region reads and writes, replicated between them.
#[derive(Clone, Debug, Parser)]
#[command(name = "meridian-server", version)]
pub struct CommandLine {
    /// What to run.
    #[command(subcommand)]
    pub command: Command,
}

/// What to run.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Runs several regions in this process, on loopback addresses.
    Dev(DevOptions),
    /// Runs one region's node.
    Node(Box<NodeArguments>),
    /// Makes keys and certificates for trying TLS out; needs no server.
    #[command(subcommand)]
    Cert(CertCommand),
}

/// What to make.
#[derive(Clone, Debug, Subcommand)]
pub enum CertCommand {
    /// Makes a test authority: ca.pem, which nodes and clients are given, and ca.key, which signs.
    Authority {
        /// The folder for the files, made when it is not there; nothing in it is written over
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Makes a node's certificate, node.pem, and its key, node.key.
    Node {
        /// The folder with the test authority
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
        /// The region that the node is of: it is believed to be of no other
        #[arg(long, value_parser = region, value_name = "REGION")]
        region: RegionName,
        /// Where others reach the node, and as whom they believe it: a DNS name or an address, without a
        /// port; may be repeated
        #[arg(long, required = true, value_delimiter = ',', value_name = "HOST")]
        host: Vec<Host>,
        /// The folder for the files, made when it is not there; nothing in it is written over
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The arguments of `node`.
#[derive(Clone, Debug, Default, Args)]
pub struct NodeArguments {
    /// A TOML file with any of the settings below, under the names of their flags
    #[arg(long, env = "MERIDIAN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The rest, which the file may hold as well.
    #[command(flatten)]
    pub options: NodeOptions,
    /// In a build that has planted bugs, which one.
    #[command(flatten)]
    pub planted: PlantedOption,
}

/// The settings of `node`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeOptions {
    /// The region that this node belongs to
    #[arg(long, env = "MERIDIAN_REGION", value_parser = region, value_name = "REGION")]
    #[serde(deserialize_with = "named")]
    pub region: Option<RegionName>,
    /// The data folder, made when it is not there
    #[arg(long, env = "MERIDIAN_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to serve gRPC [default: 127.0.0.1:7001]
    #[arg(long, env = "MERIDIAN_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where clients and peers reach this node [default: what it listens on]
    #[arg(long, env = "MERIDIAN_ADVERTISE", value_name = "ADDRESS")]
    pub advertise: Option<String>,
    /// Where to serve metrics and health [default: 127.0.0.1:9001]
    #[arg(long, env = "MERIDIAN_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// A node of another region and its address; may be repeated. Every node is given those that the other
    /// regions are begun with, and the number of each that is not its region's first; they tell of the rest
    #[arg(long, env = "MERIDIAN_PEER", value_delimiter = ',', value_name = "REGION[/NUMBER]=ADDRESS")]
    pub peer: Vec<PeerAddress>,
    /// The number of this node in its region [default: 1]
    #[arg(long, env = "MERIDIAN_NODE", value_name = "NUMBER")]
    pub node: Option<NonZeroU64>,
    /// Another node of the region and its address; may be repeated. Every node that the region is begun with
    /// is given all the others, always the same; nodes that come later join
    #[arg(long, env = "MERIDIAN_MEMBER", value_delimiter = ',', value_name = "NUMBER=ADDRESS")]
    pub member: Vec<MemberAddress>,
    /// Join a region as a new node, by way of the node at this address; may be repeated. The nodes that are
    /// there give it its number; once it has one, its data folder says so
    #[arg(long, env = "MERIDIAN_JOIN", value_delimiter = ',', value_name = "ADDRESS")]
    pub join: Vec<JoinAddress>,
    /// Make this node, one of several, for the first time: its data folder must be empty then, and never
    /// again
    #[arg(long, env = "MERIDIAN_BOOTSTRAP", num_args = 0..=1, default_missing_value = "true",
        require_equals = true, value_name = "BOOL")]
    pub bootstrap: Option<bool>,
    /// Serve gRPC under TLS with this certificate, in PEM, and show it to other nodes, which are then called
    /// under TLS too: it names the node's region and host, as `cert node` makes it. Read once, at start
    #[arg(long, env = "MERIDIAN_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, env = "MERIDIAN_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// The authority that signs the certificates of all nodes of all regions, in PEM
    #[arg(long, env = "MERIDIAN_TLS_AUTHORITY", value_name = "FILE")]
    pub tls_authority: Option<PathBuf>,
    /// Nodes of different clusters refuse each other [default: meridian]
    #[arg(long, env = "MERIDIAN_CLUSTER", value_name = "NAME")]
    pub cluster: Option<String>,
    /// Memory for block cache and write buffers [default: 1GiB]
    #[arg(long, env = "MERIDIAN_MEMORY", value_name = "SIZE")]
    pub memory: Option<Size>,
    /// What stays free of the disk, or puts and updates are refused; 0 writes it full [default: 5 % of it,
    /// from 256MiB to 2GiB]
    #[arg(long, env = "MERIDIAN_DISK_RESERVE", value_name = "SIZE")]
    pub disk_reserve: Option<Size>,
    /// Serve addresses that are not loopback, though without TLS; metrics and health never have it
    #[arg(long, env = "MERIDIAN_INSECURE", num_args = 0..=1, default_missing_value = "true",
        require_equals = true, value_name = "BOOL")]
    pub insecure: Option<bool>,
    /// Which events to log, as in RUST_LOG [default: info,raft_engine=warn]
    #[arg(long, env = "MERIDIAN_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How to write log lines [default: text]
    #[arg(long, env = "MERIDIAN_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// The settings of `dev`.
#[derive(Clone, Debug, Default, Args)]
pub struct DevOptions {
    /// Holds a data folder for each region [default: ./data]
    #[arg(long, env = "MERIDIAN_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The regions [default: us-east-1,eu-west-1,ap-northeast-1]
    #[arg(long, env = "MERIDIAN_REGIONS", value_delimiter = ',', value_parser = region, value_name = "LIST")]
    pub regions: Vec<RegionName>,
    /// Nodes of each region [default: 1]
    #[arg(long, env = "MERIDIAN_NODES", value_name = "COUNT")]
    pub nodes: Option<NonZeroU64>,
    /// Delays messages between regions one way, both ways alike, such as us-east-1:eu-west-1=80ms
    #[arg(
        long,
        env = "MERIDIAN_LATENCY",
        default_value = "",
        hide_default_value = true,
        value_name = "A:B=80ms,…"
    )]
    pub latency: Latencies,
    /// The first node's gRPC port, the others follow; 0 lets the system choose [default: 7001]
    #[arg(long, env = "MERIDIAN_PORT")]
    pub port: Option<u16>,
    /// The first node's port for metrics and health; 0 lets the system choose [default: 9001]
    #[arg(long, env = "MERIDIAN_METRICS_PORT")]
    pub metrics_port: Option<u16>,
    /// Memory for block caches and write buffers of all regions [default: 1GiB]
    #[arg(long, env = "MERIDIAN_MEMORY", value_name = "SIZE")]
    pub memory: Option<Size>,
    /// What stays free of the disk, or puts and updates are refused; 0 writes it full [default: 5 % of it,
    /// from 256MiB to 2GiB]
    #[arg(long, env = "MERIDIAN_DISK_RESERVE", value_name = "SIZE")]
    pub disk_reserve: Option<Size>,
    /// Which events to log, as in RUST_LOG [default: info,raft_engine=warn]
    #[arg(long, env = "MERIDIAN_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How to write log lines [default: text]
    #[arg(long, env = "MERIDIAN_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// In a build that has planted bugs, which one.
    #[command(flatten)]
    pub planted: PlantedOption,
}

/// Which bug to plant; empty without the feature `planted`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Args)]
pub struct PlantedOption {
    /// The protocol rule to break, for a test that must then fail
    #[cfg(feature = "planted")]
    #[arg(long, value_parser = planted, value_name = "NAME")]
    pub planted: Option<types::Planted>,
}

impl NodeOptions {
    /// These settings, and where they are silent the others.
    pub fn or(self, others: NodeOptions) -> NodeOptions {
        NodeOptions {
            region: self.region.or(others.region),
            data: self.data.or(others.data),
            listen: self.listen.or(others.listen),
            advertise: self.advertise.or(others.advertise),
            metrics_listen: self.metrics_listen.or(others.metrics_listen),
            peer: if self.peer.is_empty() { others.peer } else { self.peer },
            node: self.node.or(others.node),
            member: if self.member.is_empty() { others.member } else { self.member },
            join: if self.join.is_empty() { others.join } else { self.join },
            bootstrap: self.bootstrap.or(others.bootstrap),
            tls_certificate: self.tls_certificate.or(others.tls_certificate),
            tls_key: self.tls_key.or(others.tls_key),
            tls_authority: self.tls_authority.or(others.tls_authority),
            cluster: self.cluster.or(others.cluster),
            memory: self.memory.or(others.memory),
            disk_reserve: self.disk_reserve.or(others.disk_reserve),
            insecure: self.insecure.or(others.insecure),
            log: self.log.or(others.log),
            log_format: self.log_format.or(others.log_format),
        }
    }
}

fn region(text: &str) -> Result<RegionName, types::InvalidName> {
    RegionName::new(text)
}

fn named<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<RegionName>, D::Error> {
    let text = String::deserialize(deserializer)?;
    RegionName::new(text).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(feature = "planted")]
fn planted(text: &str) -> Result<types::Planted, String> {
    let names: Vec<_> = types::Planted::ALL.iter().map(|planted| planted.name()).collect();
    types::Planted::of_name(text).ok_or_else(|| format!("choose one of {}", names.join(", ")))
}
