//! What the server is told when it starts: flags, `MERIDIAN_*` variables, a TOML file, in this order of
//! precedence.
//!
//! `options` says how each value is written, once for all three sources; here they are merged, checked and
//! given their defaults. Nothing here opens a socket or a data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::PathBuf;

use shard::FirstStart;
use types::{Faults, NodeId, RegionName, limits};

use crate::join_address::JoinAddress;
use crate::latency::Latencies;
use crate::member_address::MemberAddress;
use crate::options::{DevOptions, LogFormat, NodeArguments, NodeOptions};
use crate::peer_address::PeerAddress;
use crate::size::Size;
use crate::tls::TlsFiles;

const LISTEN_PORT: u16 = 7001;
const METRICS_PORT: u16 = 9001;
const CLUSTER: &str = "meridian";
/// raft-engine tells of every routine step.
const LOG: &str = "info,raft_engine=warn";
const DATA: &str = "./data";
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// Why the server cannot start with these settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value without a default.
    #[error("--{flag} is required: give the flag, {variable}, or `{flag}` in the file that --config names")]
    Missing {
        /// The flag's name.
        flag: &'static str,
        /// The variable's name.
        variable: &'static str,
    },
    /// An address that others can reach, without TLS.
    #[error(
        "--{flag} {address} is no loopback address and would be served without TLS: add --insecure to do so"
    )]
    Insecure {
        /// Which address.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
    },
    /// Some of the files that TLS takes, and not all.
    #[error("TLS takes --tls-certificate, --tls-key and --tls-authority, or none of them: give --{} too",
        .lacks.join(" and --"))]
    PartOfTls {
        /// The flags that were not given.
        lacks: Vec<&'static str>,
    },
    /// The configuration file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The configuration file is not what it should be.
    #[error("{}: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        source: Box<toml::de::Error>,
    },
    /// A peer that is the region itself.
    #[error("--peer {region} is this region itself")]
    PeerIsSelf {
        /// The region.
        region: RegionName,
    },
    /// A node that is this one, or is given twice.
    #[error("node {} is named twice: --member names each of the other nodes once", node.0)]
    NodeTwice {
        /// The node.
        node: NodeId,
    },
    /// More nodes than a region may have.
    #[error("{count} nodes: the limit is {limit}", limit = limits::NODES_MAX)]
    TooManyNodes {
        /// How many were given.
        count: u64,
    },
    /// A node that joins and is told what only a node that the region is begun with can be told.
    #[error("--join and --{flag} exclude each other: a node that joins is given its number by the others")]
    JoinAnd {
        /// The other flag's name.
        flag: &'static str,
    },
    /// A node that joins and does not say where it is.
    #[error("--join needs --advertise: others cannot reach {listen}")]
    Unreachable {
        /// What it listens on.
        listen: SocketAddr,
    },
    /// A node of another region that is given twice.
    #[error("node {} of {region} is named twice: --peer names each node of a region once", node.0)]
    PeerTwice {
        /// The region.
        region: RegionName,
        /// The node.
        node: NodeId,
    },
    /// A region named twice, or two names of one id.
    #[error("region {region} is named twice")]
    Twice {
        /// The region.
        region: RegionName,
    },
    /// More regions than the messages between them have room for.
    #[error("{count} regions: the limit is {limit}", limit = limits::REGIONS_MAX)]
    TooManyRegions {
        /// How many were named.
        count: usize,
    },
    /// A latency for a region that is not started.
    #[error("--latency names {region}, which is not among the regions")]
    UnknownRegion {
        /// The region.
        region: RegionName,
    },
    /// Less memory than a region can work with.
    #[error("--memory {given} for {regions} region(s): each needs at least {least}",
        least = Size(limits::MEMORY_BYTES_MIN))]
    TooLittleMemory {
        /// What was given.
        given: Size,
        /// Among how many regions it is shared.
        regions: usize,
    },
    /// More ports than there are.
    #[error("--{flag} {first} leaves no port for each of {regions} regions")]
    Ports {
        /// Which flag.
        flag: &'static str,
        /// The first port.
        first: u16,
        /// How many are needed.
        regions: usize,
    },
}

/// How to log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSettings {
    /// Which events, in `tracing`'s filter language.
    pub filter: String,
    /// How they are written.
    pub format: LogFormat,
}

/// One region's node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeSettings {
    /// Its region.
    pub region: RegionName,
    /// Its data folder.
    pub data: PathBuf,
    /// Where it serves gRPC; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where others reach it; what it listens on, when absent.
    pub advertise: Option<String>,
    /// Where it serves metrics and health.
    pub metrics_listen: SocketAddr,
    /// The other regions.
    pub peers: Vec<PeerAddress>,
    /// Which node of the region it is.
    pub node: NodeId,
    /// The other nodes.
    pub members: Vec<MemberAddress>,
    /// The nodes to ask for a place in the region. If there are any, `node`, `members` and `first_start` say
    /// nothing.
    pub join: Vec<JoinAddress>,
    /// What an empty data folder means.
    pub first_start: FirstStart,
    /// What it takes to speak TLS, if it is to.
    pub tls: Option<TlsFiles>,
    /// Nodes of different clusters refuse each other.
    pub cluster: String,
    /// Memory for everything that grows: block cache, write buffers, requests, answers, logs.
    pub memory: Size,
    /// What is to stay free of the disk, if somebody said how much.
    pub disk_reserve: Option<Size>,
    /// How to log.
    pub log: LogSettings,
    /// The planted bug, in a build that has any.
    pub faults: Faults,
}

/// Several regions in one process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DevSettings {
    /// Where the regions' data folders stand, one of each name.
    pub data: PathBuf,
    /// In the order of their ports.
    pub nodes: Vec<DevNode>,
    /// Artificial distances.
    pub latencies: Latencies,
    /// Memory of all regions together.
    pub memory: Size,
    /// What is to stay free of the disk, if somebody said how much.
    pub disk_reserve: Option<Size>,
    /// How to log.
    pub log: LogSettings,
    /// The planted bug, in a build that has any.
    pub faults: Faults,
}

/// One node of `dev`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DevNode {
    /// Its region's name.
    pub region: RegionName,
    /// Its number in the region.
    pub node: NodeId,
    /// Where it serves gRPC.
    pub listen: SocketAddr,
    /// Where it serves metrics and health.
    pub metrics_listen: SocketAddr,
}

/// Merges flags and variables, which `arguments` holds already, with the file that they name.
pub fn node(arguments: NodeArguments) -> Result<NodeSettings, Error> {
    let file = match &arguments.config {
        Some(path) => read(path.clone())?,
        None => NodeOptions::default(),
    };
    let options = arguments.options.or(file);
    let listen = options.listen.unwrap_or(loopback(LISTEN_PORT));
    check_join(&options, listen)?;
    let missing = |flag, variable| Error::Missing { flag, variable };
    let region = options.region.ok_or(missing("region", "MERIDIAN_REGION"))?;
    let data = options.data.ok_or(missing("data", "MERIDIAN_DATA"))?;
    let metrics_listen = options.metrics_listen.unwrap_or(loopback(METRICS_PORT));
    let tls = tls(options.tls_certificate, options.tls_key, options.tls_authority)?;
    if options.insecure != Some(true) {
        if tls.is_none() {
            refuse_insecure("listen", listen)?;
        }
        refuse_insecure("metrics-listen", metrics_listen)?;
    }
    if options.peer.iter().any(|peer| peer.region == region) {
        return Err(Error::PeerIsSelf { region });
    }
    check_peers(&region, &options.peer)?;
    let node = options.node.map_or(NodeId::ONLY, |node| NodeId(node.get()));
    check_nodes(node, &options.member)?;
    let memory = options.memory.unwrap_or(Size(limits::MEMORY_BYTES_DEFAULT));
    check_memory(memory, 1)?;
    Ok(NodeSettings {
        region,
        data,
        listen,
        advertise: options.advertise,
        metrics_listen,
        peers: options.peer,
        node,
        join: options.join,
        first_start: match (options.member.is_empty(), options.bootstrap) {
            (true, _) => FirstStart::Unsaid,
            (false, Some(true)) => FirstStart::Yes,
            (false, _) => FirstStart::No,
        },
        members: options.member,
        tls,
        cluster: options.cluster.unwrap_or(CLUSTER.to_owned()),
        memory,
        disk_reserve: options.disk_reserve,
        log: log(options.log, options.log_format),
        faults: faults(&arguments.planted),
    })
}

/// Checks the settings of `dev`.
pub fn dev(options: DevOptions) -> Result<DevSettings, Error> {
    let names = match options.regions.is_empty() {
        true => REGIONS.iter().map(|name| RegionName::new(*name).expect("the names are valid")).collect(),
        false => options.regions,
    };
    check_regions(names.iter())?;
    let ids: Vec<_> = options.latency.regions().filter(|region| !names.contains(region)).cloned().collect();
    if let Some(region) = ids.into_iter().next() {
        return Err(Error::UnknownRegion { region });
    }
    let count = options.nodes.map_or(1, NonZeroU64::get);
    if count > limits::NODES_MAX as u64 {
        return Err(Error::TooManyNodes { count });
    }
    // The first nodes come first, so that their ports are those that the regions have without others.
    let nodes: Vec<_> =
        (1..=count).flat_map(|node| names.iter().map(move |name| (name.clone(), NodeId(node)))).collect();
    let memory = options.memory.unwrap_or(Size(limits::MEMORY_BYTES_DEFAULT));
    check_memory(memory, nodes.len())?;
    let listen = ports("port", options.port.unwrap_or(LISTEN_PORT), nodes.len())?;
    let metrics = ports("metrics-port", options.metrics_port.unwrap_or(METRICS_PORT), nodes.len())?;
    let node = |(((region, node), listen), metrics_listen)| DevNode { region, node, listen, metrics_listen };
    Ok(DevSettings {
        data: options.data.unwrap_or(PathBuf::from(DATA)),
        nodes: nodes.into_iter().zip(listen).zip(metrics).map(node).collect(),
        latencies: options.latency,
        memory,
        disk_reserve: options.disk_reserve,
        log: log(options.log, options.log_format),
        faults: faults(&options.planted),
    })
}

impl DevSettings {
    /// The settings of one node, once the addresses of all are known.
    pub fn node(&self, index: usize, addresses: &[SocketAddr]) -> NodeSettings {
        let this = &self.nodes[index];
        let (near, far): (Vec<_>, Vec<_>) =
            self.nodes.iter().zip(addresses).partition(|(other, _)| other.region == this.region);
        let folder = self.data.join(this.region.as_str());
        let members = near.iter().filter(|(other, _)| other.node != this.node);
        NodeSettings {
            region: this.region.clone(),
            // A region's only node keeps the region's folder for itself.
            data: if near.len() == 1 { folder } else { folder.join(this.node.0.to_string()) },
            node: this.node,
            join: vec![],
            first_start: FirstStart::Unsaid,
            members: members
                .map(|(other, address)| MemberAddress { node: other.node, address: address.to_string() })
                .collect(),
            listen: this.listen,
            advertise: None,
            metrics_listen: this.metrics_listen,
            peers: far
                .into_iter()
                .map(|(other, address)| PeerAddress {
                    region: other.region.clone(),
                    node: other.node,
                    address: address.to_string(),
                })
                .collect(),
            tls: None,
            cluster: CLUSTER.to_owned(),
            memory: Size(self.memory.0 / self.nodes.len() as u64),
            disk_reserve: self.disk_reserve,
            log: self.log.clone(),
            faults: self.faults,
        }
    }
}

fn read(path: PathBuf) -> Result<NodeOptions, Error> {
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|source| Error::Parse { path, source: Box::new(source) }),
        Err(source) => Err(Error::Read { path, source }),
    }
}

fn log(filter: Option<String>, format: Option<LogFormat>) -> LogSettings {
    LogSettings { filter: filter.unwrap_or(LOG.to_owned()), format: format.unwrap_or_default() }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn refuse_insecure(flag: &'static str, address: SocketAddr) -> Result<(), Error> {
    match address.ip().is_loopback() {
        true => Ok(()),
        false => Err(Error::Insecure { flag, address }),
    }
}

/// The files that TLS takes: all of them or none.
fn tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    authority: Option<PathBuf>,
) -> Result<Option<TlsFiles>, Error> {
    match (certificate, key, authority) {
        (None, None, None) => Ok(None),
        (Some(certificate), Some(key), Some(authority)) => Ok(Some(TlsFiles { certificate, key, authority })),
        (certificate, key, authority) => {
            let given = [("tls-certificate", certificate), ("tls-key", key), ("tls-authority", authority)];
            let lacks = given.into_iter().filter(|(_, path)| path.is_none()).map(|(flag, _)| flag);
            Err(Error::PartOfTls { lacks: lacks.collect() })
        }
    }
}

/// Regions are told apart by their ids, so two names of one id are one region named twice.
fn check_regions<'a>(regions: impl Iterator<Item = &'a RegionName>) -> Result<(), Error> {
    let mut known = BTreeMap::new();
    for region in regions {
        if known.insert(region.id(), region).is_some() {
            return Err(Error::Twice { region: region.clone() });
        }
    }
    match known.len() {
        count if count > limits::REGIONS_MAX => Err(Error::TooManyRegions { count }),
        _ => Ok(()),
    }
}

/// Each node of each other region is named once.
fn check_peers(me: &RegionName, peers: &[PeerAddress]) -> Result<(), Error> {
    let (mut regions, mut known) = (BTreeSet::from([me]), BTreeSet::new());
    for PeerAddress { region, node, .. } in peers {
        regions.insert(region);
        if !known.insert((region, node)) {
            return Err(Error::PeerTwice { region: region.clone(), node: *node });
        }
    }
    let nodes = |region: &&RegionName| peers.iter().filter(|peer| peer.region == **region).count();
    match regions.iter().map(nodes).max().unwrap_or(0) {
        count if count > limits::NODES_MAX => Err(Error::TooManyNodes { count: count as u64 }),
        _ => check_regions(regions.into_iter()),
    }
}

/// Nodes are told apart by their numbers.
fn check_nodes(me: NodeId, members: &[MemberAddress]) -> Result<(), Error> {
    let mut known = BTreeSet::from([me]);
    for member in members {
        if !known.insert(member.node) {
            return Err(Error::NodeTwice { node: member.node });
        }
    }
    match known.len() {
        count if count > limits::NODES_MAX => Err(Error::TooManyNodes { count: count as u64 }),
        _ => Ok(()),
    }
}

/// A node that joins is told its number and the others by them, and has to be reached by them.
fn check_join(options: &NodeOptions, listen: SocketAddr) -> Result<(), Error> {
    if options.join.is_empty() {
        return Ok(());
    }
    let excluded = [
        ("member", !options.member.is_empty()),
        ("bootstrap", options.bootstrap == Some(true)),
        ("node", options.node.is_some()),
    ];
    if let Some((flag, _)) = excluded.into_iter().find(|(_, is_given)| *is_given) {
        return Err(Error::JoinAnd { flag });
    }
    match options.advertise.is_none() && listen.ip().is_unspecified() {
        true => Err(Error::Unreachable { listen }),
        false => Ok(()),
    }
}

fn check_memory(given: Size, regions: usize) -> Result<(), Error> {
    match given.0 / regions as u64 {
        each if each < limits::MEMORY_BYTES_MIN => Err(Error::TooLittleMemory { given, regions }),
        _ => Ok(()),
    }
}

/// Consecutive ports from the first one; as many 0s, when that is 0.
fn ports(flag: &'static str, first: u16, regions: usize) -> Result<Vec<SocketAddr>, Error> {
    let step = u16::from(first != 0);
    let port = |index: usize| u16::try_from(index).ok().and_then(|index| first.checked_add(index * step));
    let ports: Option<Vec<_>> = (0..regions).map(|index| port(index).map(loopback)).collect();
    ports.ok_or(Error::Ports { flag, first, regions })
}

#[cfg(feature = "planted")]
fn faults(planted: &crate::options::PlantedOption) -> Faults {
    planted.planted.map(Faults::with).unwrap_or_default()
}

#[cfg(not(feature = "planted"))]
fn faults(_planted: &crate::options::PlantedOption) -> Faults {
    Faults::default()
}

#[cfg(test)]
mod tests;
