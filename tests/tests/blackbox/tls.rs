//! TLS from the command that makes certificates to a region of two nodes that speak nothing else.

use std::path::Path;

use blackbox::command_line::{Ran, meridian};
use blackbox::ports;
use blackbox::server::Server;
use blackbox::settings::{Build, disk_folder};
use blackbox::watchdog::{SOON, until};

/// Runs `meridian-server cert`; fails the test if it is refused.
async fn cert(words: &[&str]) {
    let ran = tokio::process::Command::new(Build::Shipped.server()).arg("cert").args(words).output().await;
    let ran = ran.expect("the server's binary can be run");
    assert!(ran.status.success(), "cert {words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// What a node is started with, under a certificate of a folder.
fn node(folder: &Path, number: u64, ports: [u16; 3], certificate: &str) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut words = vec![
        "node".to_owned(),
        "--region=us".to_owned(),
        format!("--data={}", path(&number.to_string())),
        format!("--listen=127.0.0.1:{}", ports[number as usize - 1]),
        format!("--metrics-listen=127.0.0.1:{}", ports::free()),
        format!("--tls-certificate={}", path(&format!("{certificate}/node.pem"))),
        format!("--tls-key={}", path(&format!("{certificate}/node.key"))),
        format!("--tls-authority={}", path("ca/ca.pem")),
    ];
    words.push(match number {
        1 => "--bootstrap".to_owned(),
        _ => format!("--join=127.0.0.1:{}", ports[0]),
    });
    words
}

async fn ask(endpoint: &str, authority: &str, words: &[&str]) -> Ran {
    meridian(endpoint, &[&["--authority", authority], words].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_and_clients_that_trust_one_authority_talk_and_others_do_not() {
    let folder = disk_folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (ca, strange) = (path("ca"), path("strange"));
    cert(&["authority", "--out", &ca]).await;
    cert(&["authority", "--out", &strange]).await;
    for region in ["us", "eu"] {
        let host = ["--host", "127.0.0.1", "--out", &path(region)];
        cert(&[&["node", "--authority", &ca, "--region", region], &host[..]].concat()).await;
    }
    let ports = [ports::free(), ports::free(), ports::free()];
    let log = folder.path().join("log");
    let _first =
        Server::start(Build::Shipped, &node(folder.path(), 1, ports, "us"), &log).await.expect("starts");
    let _second =
        Server::start(Build::Shipped, &node(folder.path(), 2, ports, "us"), &log).await.expect("joins");
    let [first, second, _] = ports.map(|port| format!("https://127.0.0.1:{port}"));
    let trusted = path("ca/ca.pem");
    let created =
        ask(&first, &trusted, &["table", "create", "films", "--key", "id:S", "--partitions", "4"]).await;
    assert_eq!(created.status, 0, "{created:?}");
    // Some partitions are led by each of them, so that calls are passed on as well.
    until(SOON, "replicas on both", || async {
        let listed = ask(&second, &trusted, &["node", "list"]).await.json();
        let first = |node: usize| listed["Nodes"][node]["First"].as_u64();
        if (first(0), first(1)) == (Some(2), Some(2)) { Ok(()) } else { Err(listed.to_string()) }
    })
    .await;
    for id in 0..20 {
        let item = format!("{{\"id\": \"{id}\"}}");
        let endpoint = if id % 2 == 0 { &first } else { &second };
        let put = ask(endpoint, &trusted, &["item", "put", "films", "--plain", &item]).await;
        assert_eq!(put.status, 0, "{put:?}");
    }
    let counted = ask(&second, &trusted, &["item", "scan", "films", "--count", "--consistent"]).await;
    assert_eq!(counted.json()["Count"], 20);

    let stranger = ask(&first, &path("strange/ca.pem"), &["item", "scan", "films", "--count"]).await;
    assert_ne!(stranger.status, 0, "it trusts another authority: {stranger:?}");
    let plain = meridian(&first.replace("https", "http"), &["item", "scan", "films", "--count"]).await;
    assert_ne!(plain.status, 0, "{plain:?}");
    let other = Server::start(Build::Shipped, &node(folder.path(), 3, ports, "eu"), &log).await;
    let refused = other.expect_err("its certificate is another region's");
    assert!(refused.contains("not of region"), "{refused}");
}
