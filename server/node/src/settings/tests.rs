//! Flags, variables and files: which one wins, and what is refused.

use std::io::Write;

use clap::Parser;

use super::*;
use crate::options::{CertCommand, Command, CommandLine};

fn parse(arguments: &[&str]) -> Command {
    let line = std::iter::once("meridian-server").chain(arguments.iter().copied());
    CommandLine::try_parse_from(line).unwrap().command
}

fn node_of(arguments: &[&str]) -> Result<NodeSettings, Error> {
    let arguments: Vec<_> = std::iter::once("node").chain(arguments.iter().copied()).collect();
    match parse(&arguments) {
        Command::Node(arguments) => node(*arguments),
        _ => unreachable!("asked for node"),
    }
}

fn dev_of(arguments: &[&str]) -> Result<DevSettings, Error> {
    let arguments: Vec<_> = std::iter::once("dev").chain(arguments.iter().copied()).collect();
    match parse(&arguments) {
        Command::Dev(options) => dev(options),
        _ => unreachable!("asked for dev"),
    }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

const FILE: &str = r#"
region = "eu-west-1"
data = "/file"
listen = "127.0.0.1:1"
metrics-listen = "127.0.0.1:2"
peer = ["us-east-1=us:7001", "ap-northeast-1=ap:7001"]
memory = "2GiB"
disk-reserve = "5GB"
log-format = "json"
"#;

#[test]
fn defaults_fill_what_nobody_said() {
    let settings = node_of(&["--region", "us-east-1", "--data", "/data"]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7001");
    assert_eq!(settings.metrics_listen.to_string(), "127.0.0.1:9001");
    assert_eq!(settings.cluster, "meridian");
    assert_eq!(settings.log, LogSettings { filter: LOG.to_owned(), format: LogFormat::Text });
    assert_eq!(settings.peers, vec![]);
}

#[test]
fn flags_win_over_the_file() {
    let file = file(FILE);
    let config = file.path().to_str().unwrap();
    let settings =
        node_of(&["--config", config, "--data", "/flag", "--peer", "b=b:1", "--peer", "c=c:1"]).unwrap();
    assert_eq!(settings.region.as_str(), "eu-west-1");
    assert_eq!(settings.data, PathBuf::from("/flag"));
    assert_eq!(settings.listen.port(), 1);
    assert_eq!(settings.memory, Size(2 << 30));
    assert_eq!(settings.disk_reserve, Some(Size(5_000_000_000)));
    assert_eq!(settings.log.format, LogFormat::Json);
    let peers: Vec<_> = settings.peers.iter().map(|peer| peer.region.as_str()).collect();
    assert_eq!(peers, ["b", "c"]);
}

/// A process's variables cannot be changed safely while it runs, so this test runs itself once more with them
/// set.
#[test]
fn variables_win_over_the_file_and_lose_to_flags() {
    const CHILD: &str = "MERIDIAN_SETTINGS_TEST_FILE";
    if let Some(config) = std::env::var_os(CHILD) {
        let settings = node_of(&["--config", config.to_str().unwrap(), "--cluster", "flag"]).unwrap();
        assert_eq!(settings.region.as_str(), "us-east-1");
        assert_eq!(settings.cluster, "flag");
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.peers.len(), 1);
        return;
    }
    let file = file(FILE);
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "settings::tests::variables_win_over_the_file_and_lose_to_flags"])
        .env(CHILD, file.path())
        .env("MERIDIAN_REGION", "us-east-1")
        .env("MERIDIAN_CLUSTER", "variable")
        .env("MERIDIAN_PEER", "ap-northeast-1=ap:7001")
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
}

#[test]
fn what_must_be_given_is_asked_for_by_name() {
    let refused = node_of(&["--data", "/data"]).unwrap_err();
    assert!(matches!(refused, Error::Missing { flag: "region", .. }));
    assert!(refused.to_string().contains("MERIDIAN_REGION"), "{refused}");
    assert!(matches!(node_of(&["--region", "a"]), Err(Error::Missing { flag: "data", .. })));
}

#[test]
fn addresses_that_others_reach_need_a_word() {
    let base = ["--region", "a", "--data", "/data"];
    let with = |more: &[&'static str]| node_of(&[&base[..], more].concat());
    let refused = with(&["--listen", "0.0.0.0:7001"]).unwrap_err();
    assert!(matches!(refused, Error::Insecure { flag: "listen", .. }));
    assert!(refused.to_string().contains("--insecure"), "{refused}");
    let metrics = with(&["--metrics-listen", "10.0.0.1:9001"]);
    assert!(matches!(metrics, Err(Error::Insecure { flag: "metrics-listen", .. })));
    assert!(with(&["--listen", "0.0.0.0:7001", "--insecure"]).is_ok());
    assert!(with(&["--listen", "0.0.0.0:7001", "--insecure=false"]).is_err());
    assert!(with(&["--listen", "[::1]:7001"]).is_ok());
}

#[test]
fn peers_are_other_regions_each_named_once() {
    let with = |more: &[&'static str]| node_of(&[&["--region", "a", "--data", "/data"], more].concat());
    assert!(matches!(with(&["--peer", "a=h:1"]), Err(Error::PeerIsSelf { .. })));
    assert!(matches!(with(&["--peer", "b=h:1", "--peer", "b=h:2"]), Err(Error::PeerTwice { .. })));
    let many: Vec<String> = (0..16).map(|number| format!("--peer=r{number}=h:1")).collect();
    let many: Vec<&str> =
        ["--region", "a", "--data", "/d"].into_iter().chain(many.iter().map(|m| &m[..])).collect();
    assert!(matches!(node_of(&many), Err(Error::TooManyRegions { count: 17 })));
}

#[test]
fn a_file_that_says_what_nobody_knows_is_refused() {
    for text in ["regoin = 'a'", "region = 'A'", "peer = ['x']", "memory = 'lots'", "listen = 7"] {
        let file = file(text);
        let refused = node_of(&["--config", file.path().to_str().unwrap()]).unwrap_err();
        assert!(matches!(refused, Error::Parse { .. }), "{text}: {refused}");
    }
    assert!(matches!(node_of(&["--config", "/nowhere/at/all"]), Err(Error::Read { .. })));
}

#[test]
fn dev_runs_three_regions_on_consecutive_ports() {
    let settings = dev_of(&[]).unwrap();
    let shown: Vec<_> = settings
        .nodes
        .iter()
        .map(|node| format!("{} {} {}", node.region, node.listen.port(), node.metrics_listen.port()))
        .collect();
    assert_eq!(shown, ["us-east-1 7001 9001", "eu-west-1 7002 9002", "ap-northeast-1 7003 9003"]);
    assert_eq!(settings.data, PathBuf::from("./data"));
    let addresses: Vec<_> = settings.nodes.iter().map(|node| node.listen).collect();
    let eu = settings.node(1, &addresses);
    assert_eq!(eu.data, PathBuf::from("./data/eu-west-1"));
    let peers: Vec<_> = eu.peers.iter().map(|peer| format!("{}={}", peer.region, peer.address)).collect();
    assert_eq!(peers, ["us-east-1=127.0.0.1:7001", "ap-northeast-1=127.0.0.1:7003"]);
}

#[test]
fn dev_refuses_what_cannot_be() {
    assert!(matches!(dev_of(&["--regions", "a,a"]), Err(Error::Twice { .. })));
    assert!(matches!(
        dev_of(&["--regions", "a,b", "--latency", "a:c=1ms"]),
        Err(Error::UnknownRegion { .. })
    ));
    assert!(matches!(dev_of(&["--port", "65534"]), Err(Error::Ports { flag: "port", .. })));
    assert!(matches!(dev_of(&["--memory", "100MiB"]), Err(Error::TooLittleMemory { regions: 3, .. })));
    let chosen = dev_of(&["--port", "0", "--metrics-port", "0"]).unwrap();
    assert!(chosen.nodes.iter().all(|node| node.listen.port() == 0));
}

#[test]
fn a_node_is_told_all_others_of_its_region() {
    let alone = node_of(&["--region", "a", "--data", "d"]).unwrap();
    assert_eq!((alone.node, alone.members), (NodeId::ONLY, vec![]));
    let given = ["--region", "a", "--data", "d", "--node", "2", "--member", "1=h:1,3=h:3"];
    let second = node_of(&given).unwrap();
    let members: Vec<_> = second.members.iter().map(|member| (member.node.0, &*member.address)).collect();
    assert_eq!((second.node, members), (NodeId(2), vec![(1, "h:1"), (3, "h:3")]));
    for twice in ["2=h:1", "1=h:1,1=h:2"] {
        let refused = node_of(&["--region", "a", "--data", "d", "--node", "2", "--member", twice]);
        assert!(matches!(refused, Err(Error::NodeTwice { .. })), "{twice}");
    }
    let far = [&given[..], &["--peer", "b=h:7,b/2=h:8,c/3=h:9"]].concat();
    let peers = node_of(&far).unwrap().peers;
    let peers: Vec<_> =
        peers.iter().map(|peer| (peer.region.as_str(), peer.node.0, &*peer.address)).collect();
    assert_eq!(peers, [("b", 1, "h:7"), ("b", 2, "h:8"), ("c", 3, "h:9")]);
    let twice = [&given[..], &["--peer", "b=h:7,b/1=h:8"]].concat();
    assert!(matches!(node_of(&twice), Err(Error::PeerTwice { .. })));
}

#[test]
fn dev_runs_several_nodes_of_each_region() {
    let settings = dev_of(&["--regions", "a", "--nodes", "3", "--data", "d"]).unwrap();
    let addresses: Vec<_> = settings.nodes.iter().map(|node| node.listen).collect();
    let second = settings.node(1, &addresses);
    assert_eq!((second.node, second.data, second.peers), (NodeId(2), PathBuf::from("d/a/2"), vec![]));
    let members: Vec<_> = second.members.iter().map(|member| (member.node.0, &*member.address)).collect();
    assert_eq!(members, [(1, "127.0.0.1:7001"), (3, "127.0.0.1:7003")]);
    let settings = dev_of(&["--regions", "a,b", "--nodes", "3"]).unwrap();
    let ports: Vec<_> =
        settings.nodes.iter().map(|node| (node.region.as_str(), node.node.0, node.listen.port())).collect();
    let first =
        [("a", 1, 7001), ("b", 1, 7002), ("a", 2, 7003), ("b", 2, 7004), ("a", 3, 7005), ("b", 3, 7006)];
    assert_eq!(ports, first);
    let addresses: Vec<_> = settings.nodes.iter().map(|node| node.listen).collect();
    let peers = settings.node(2, &addresses).peers;
    let peers: Vec<_> =
        peers.iter().map(|peer| (peer.region.as_str(), peer.node.0, &*peer.address)).collect();
    assert_eq!(peers, [("b", 1, "127.0.0.1:7002"), ("b", 2, "127.0.0.1:7004"), ("b", 3, "127.0.0.1:7006")]);
    let many = dev_of(&["--regions", "a", "--nodes", "65"]);
    assert!(matches!(many, Err(Error::TooManyNodes { count: 65 })));
}

#[test]
fn a_node_that_joins_is_told_nothing_of_the_others() {
    let with = |more: &[&'static str]| node_of(&[&["--region", "a", "--data", "d"], more].concat());
    let joining = with(&["--join", "one:1,two:2"]).unwrap();
    let asked: Vec<_> = joining.join.iter().map(|at| at.0.as_str()).collect();
    assert_eq!((asked, joining.members), (vec!["one:1", "two:2"], vec![]));
    assert_eq!(with(&[]).unwrap().join, vec![]);
    let excluded = [("member", ["--member", "2=h:1"]), ("node", ["--node", "2"])];
    for (name, arguments) in excluded {
        let refused = with(&[&["--join", "one:1"], &arguments[..]].concat()).unwrap_err();
        assert!(matches!(refused, Error::JoinAnd { flag } if flag == name), "{refused}");
        assert!(refused.to_string().contains("--join and --"), "{refused}");
    }
    let refused = with(&["--join", "one:1", "--bootstrap"]);
    assert!(matches!(refused, Err(Error::JoinAnd { flag: "bootstrap" })));
    assert!(with(&["--join", "one:1", "--bootstrap=false"]).is_ok());
    let everywhere = ["--join", "one:1", "--listen", "0.0.0.0:7001", "--insecure"];
    assert!(matches!(with(&everywhere), Err(Error::Unreachable { .. })));
    assert!(with(&[&everywhere[..], &["--advertise", "h:1"]].concat()).is_ok());
    let file = file("region = 'a'\ndata = 'd'\njoin = ['one:1', 'two:2']");
    let config = file.path().to_str().unwrap();
    assert_eq!(node_of(&["--config", config]).unwrap().join.len(), 2);
    assert_eq!(node_of(&["--config", config, "--join", "three:3"]).unwrap().join.len(), 1);
    assert!(matches!(node_of(&["--config", config, "--node", "2"]), Err(Error::JoinAnd { flag: "node" })));
    let bad = self::file("region = 'a'\ndata = 'd'\njoin = ['nowhere']");
    let refused = node_of(&["--config", bad.path().to_str().unwrap()]);
    assert!(matches!(refused, Err(Error::Parse { .. })));
}

#[test]
fn tls_takes_all_of_its_files_and_then_others_may_reach_the_node() {
    let with = |more: &[&'static str]| {
        node_of(&[&["--region", "a", "--data", "/data", "--listen", "0.0.0.0:7001"], more].concat())
    };
    let all = ["--tls-certificate", "c", "--tls-key", "k", "--tls-authority", "a"];
    let files = |settings: NodeSettings| settings.tls.unwrap();
    let [certificate, key, authority] = ["c", "k", "a"].map(PathBuf::from);
    let wanted = TlsFiles { certificate, key, authority };
    assert_eq!(files(with(&all).unwrap()), wanted);
    let metrics = with(&[&all[..], &["--metrics-listen", "0.0.0.0:9001"]].concat());
    assert!(matches!(metrics, Err(Error::Insecure { flag: "metrics-listen", .. })));
    assert!(with(&[&all[..], &["--metrics-listen", "0.0.0.0:9001", "--insecure"]].concat()).is_ok());
    let refused = with(&all[2..]).unwrap_err();
    assert!(matches!(&refused, Error::PartOfTls { lacks } if *lacks == ["tls-certificate"]));
    let refused = with(&all[..2]).unwrap_err().to_string();
    assert!(refused.ends_with("give --tls-key and --tls-authority too"), "{refused}");
    let file = file("region = 'a'\ndata = 'd'\ntls-certificate = 'c'\ntls-key = 'k'\ntls-authority = 'a'");
    assert_eq!(files(node_of(&["--config", file.path().to_str().unwrap()]).unwrap()), wanted);
}

#[test]
fn a_certificate_is_for_one_region_and_named_hosts() {
    let cert = |more: &[&str]| {
        let line = ["meridian-server", "cert", "node", "--authority", "a", "--out", "o"];
        CommandLine::try_parse_from(line.iter().chain(more)).map(|line| line.command)
    };
    let Command::Cert(CertCommand::Node { region, host, .. }) =
        cert(&["--region", "eu", "--host", "node1.example,127.0.0.1", "--host", "::1"]).unwrap()
    else {
        panic!("asked for a node's certificate")
    };
    let hosts: Vec<_> = host.iter().map(ToString::to_string).collect();
    assert_eq!((region.as_str(), hosts.join(" ")), ("eu", "node1.example 127.0.0.1 ::1".to_owned()));
    for bad in [
        &["--region", "eu"][..],
        &["--host", "h"],
        &["--region", "EU", "--host", "h"],
        &["--region", "eu", "--host", "h:7001"],
        &["--region", "eu", "--host", ""],
    ] {
        assert!(cert(bad).is_err(), "{bad:?}");
    }
}
