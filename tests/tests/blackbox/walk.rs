//! The README's walk, word for word, against `meridian-server dev`; and what a user would look at afterwards.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use blackbox::command_line::{meridian, verify};
use blackbox::server::Server;
use blackbox::settings::{self, Build};
use blackbox::watchdog::{SOON, until, within};
use blackbox::wire::{self, Fate};
use blackbox::{ports, report};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

/// The ports that the README speaks of; the test takes others, since a developer may have `make dev` running.
const README_PORTS: [u16; 3] = [7001, 7002, 7003];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_is_true() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let place = Place { folder: folder.path(), port: ports::row(3), metrics: ports::row(3) };
    let server = place.dev(&[]).await;
    for region in 0..3 {
        healthy(place.metrics + region).await;
    }
    place.walk().await;
    let endpoints: Vec<String> = (0..3).map(|region| place.endpoint(region)).collect();
    verify("films", &endpoints).await.expect("the README's table is the same everywhere");

    // What was acknowledged is there after a stop.
    assert!(server.stop().await.success(), "SIGTERM stops gracefully");
    let server = place.dev(&["--latency=us-east-1:eu-west-1=80ms"]).await;
    let words = ["item", "get", "films", r#"{"title": "Solaris"}"#, "--plain"];
    let film = meridian(&place.endpoint(2), &words).await.json();
    assert!(film.to_string().contains("Solaris"), "{film}");
    delayed(&place).await;
    assert!(server.stop().await.success(), "SIGTERM stops gracefully");
    report::figures("walk", serde_json::json!({ "true": true }));
}

/// Where one `dev` server runs.
struct Place<'a> {
    folder: &'a Path,
    port: u16,
    metrics: u16,
}

impl Place<'_> {
    fn endpoint(&self, region: u16) -> String {
        format!("http://127.0.0.1:{}", self.port + region)
    }

    async fn dev(&self, extra: &[&str]) -> Server {
        let mut arguments = vec![
            "dev".to_owned(),
            format!("--data={}", self.folder.join("data").display()),
            format!("--port={}", self.port),
            format!("--metrics-port={}", self.metrics),
        ];
        arguments.extend(extra.iter().map(|&word| word.to_owned()));
        let log = self.folder.join("dev.log");
        Server::start(Build::Shipped, &arguments, &log).await.expect("`dev` starts")
    }

    /// Runs the commands of the README's section "A walk" in the folder; fails where one fails.
    async fn walk(&self) {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
        let readme = std::fs::read_to_string(readme).expect("the README exists");
        let section = readme.split("\n## A walk\n").nth(1).expect("the README has a walk");
        let section = section.split("\n## ").next().expect("a section has an end");
        let blocks = section.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
        let mut script = blocks.collect::<Vec<_>>().join("\n");
        for (region, port) in README_PORTS.iter().enumerate() {
            script = script.replace(&format!(":{port}"), &format!(":{}", usize::from(self.port) + region));
        }
        let tools = settings::meridian();
        let tools = tools.parent().expect("a binary stands in a folder").display();
        let path = format!("{tools}:{}", std::env::var("PATH").expect("a shell has a PATH"));
        let mut shell = Command::new("bash");
        shell.args(["-euxo", "pipefail", "-c", &script]).current_dir(self.folder);
        shell.env("PATH", path).env("MERIDIAN_ENDPOINT", self.endpoint(0));
        shell.stdin(Stdio::null()).kill_on_drop(true);
        let output = within(SOON, "the README's walk", shell.output()).await.expect("there is a bash");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{said}", output.status);
    }
}

/// Between the regions whose link is delayed, a write takes at least that long.
async fn delayed(place: &Place<'_>) {
    let words = ["table", "create", "far", "--key", "id:S", "--regions", "us-east-1,eu-west-1"];
    let created = meridian(&place.endpoint(0), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
    let mut here = wire::connect(&place.endpoint(0)).await.expect("us-east-1 takes connections");
    let there = wire::connect(&place.endpoint(1)).await.expect("eu-west-1 takes connections");
    let state = Some("sent".to_owned());
    assert_eq!(wire::write(&mut here, "far", "a", &state, 0).await, Fate::Acknowledged);
    let took = until(SOON, "arrival in the other region", || {
        let (mut there, state) = (there.clone(), state.clone());
        async move {
            let found = wire::read(&mut there, "far", "a").await.map_err(|status| status.to_string())?;
            if found == state { Ok(()) } else { Err(format!("{found:?}")) }
        }
    });
    let took = took.await;
    assert!(took >= Duration::from_millis(80), "arrived after {took:?}");
}

/// The three pages beside the API answer.
async fn healthy(port: u16) {
    for (path, says) in [("/health/live", "live"), ("/health/ready", ""), ("/metrics", "meridian_")] {
        let connected = within(SOON, "connection", TcpStream::connect(("127.0.0.1", port))).await;
        let mut stream = connected.expect("`dev` serves health");
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request can be sent");
        let mut answer = String::new();
        let read = within(SOON, path, stream.read_to_string(&mut answer)).await;
        read.expect("an answer comes, in UTF-8");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(says), "{path}: {answer}");
    }
}
