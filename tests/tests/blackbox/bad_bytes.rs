//! Bytes that are no protocol at all, on every port: the server lives, answers others, and its memory stays
//! bounded.

use std::time::Duration;

use blackbox::chance::Chance;
use blackbox::regions::{NAMES, Regions};
use blackbox::report;
use blackbox::settings::{Build, count};
use blackbox::watchdog::{SOON, within};
use blackbox::wire;
use proto::v1::PingRequest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a server may come to hold while it is fed rubbish.
const GROWTH_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What opens an HTTP/2 connection (RFC 9113, section 3.4), so that the rubbish gets past the door.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A request whose head never ends.
const ENDLESS: &[u8] = b"GET /metrics HTTP/1.1\r\nx: ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_on_every_port_harms_nobody() {
    let mut chance = Chance::of_this_run();
    let mut regions = Regions::start(Build::Shipped, &[]).await;
    let before: Vec<u64> = (0..NAMES.len()).map(|region| regions.server(region).resident_bytes()).collect();
    for _ in 0..count(20) {
        for region in 0..NAMES.len() {
            for port in regions.ports(region) {
                for opening in [b"".as_slice(), PREFACE, ENDLESS] {
                    throw(port, opening, &mut chance).await;
                }
            }
        }
    }
    let mut grown_bytes_max = 0;
    for (region, before) in before.into_iter().enumerate() {
        regions.server(region).assert_alive();
        let mut wire = wire::connect(&regions.endpoint(region)).await.expect("it still takes connections");
        let answer = wire.ping(wire::timed(PingRequest { payload: b"still there?".to_vec() })).await;
        assert_eq!(answer.expect("it still answers").into_inner().payload, b"still there?");
        let grown = regions.server(region).resident_bytes().saturating_sub(before);
        assert!(grown < GROWTH_BYTES_MAX, "{} grew by {grown} bytes", NAMES[region]);
        grown_bytes_max = grown_bytes_max.max(grown);
    }
    report::figures("bad_bytes", serde_json::json!({ "grown_bytes_max": grown_bytes_max }));
}

/// Sends an opening and random bytes, and hears the server out until it closes or has nothing to say.
async fn throw(port: u16, opening: &[u8], chance: &mut Chance) {
    let connected = within(SOON, "connection", TcpStream::connect(("127.0.0.1", port))).await;
    let mut stream = connected.expect("the server takes connections");
    let length = chance.below(100_000);
    let rubbish = [opening, &chance.bytes(length)].concat();
    // The server may hang up in the middle, as it should.
    let talk = async {
        stream.write_all(&rubbish).await?;
        stream.shutdown().await?;
        stream.read_to_end(&mut Vec::new()).await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), talk).await;
}
