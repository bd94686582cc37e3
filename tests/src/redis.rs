//! Redis that syncs every write, driven by the tool that comes with it.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::ports;
use crate::program::Program;
use crate::watchdog::{SOON, until, within};

/// What must be installed.
pub const PROGRAMS: [&str; 2] = ["redis-server", "redis-benchmark"];
/// Far more than any of its runs takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// Keys that are filled in one go: an answer is short, so that neither side fills the other's buffers.
const FILLED_AT_ONCE: usize = 500;

/// A running Redis.
#[derive(Debug)]
pub struct Redis {
    program: Program,
    port: u16,
}

impl Redis {
    /// Starts it, and waits until it answers.
    pub async fn start() -> Redis {
        let port = ports::free();
        let program = Program::start("redis-server", |folder| {
            let folder = folder.display().to_string();
            let port = port.to_string();
            let words = ["--port", &port, "--bind", "127.0.0.1", "--dir", &folder, "--save", ""];
            // Its log is not rewritten meanwhile: that would take from what it can do.
            let log =
                ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"];
            words.into_iter().chain(log).map(str::to_owned).collect()
        });
        let redis = Redis { program, port };
        until(SOON, "an answer of Redis", || async {
            let answer = redis.ask(b"PING\r\n", b"+PONG\r\n".len()).await;
            let answer = answer.map_err(|error| error.to_string())?;
            if answer == b"+PONG\r\n" { Ok(()) } else { Err(String::from_utf8_lossy(&answer).into_owned()) }
        })
        .await;
        redis
    }

    /// Sets so many keys, under the names that `redis-benchmark` uses.
    pub async fn fill(&self, keys: usize, value_bytes: usize) {
        let value = "x".repeat(value_bytes);
        let set = |key| {
            format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:{key:012}\r\n${value_bytes}\r\n{value}\r\n").into_bytes()
        };
        for first in (0..keys).step_by(FILLED_AT_ONCE) {
            let sets: Vec<Vec<u8>> = (first..keys.min(first + FILLED_AT_ONCE)).map(set).collect();
            let expected = b"+OK\r\n".repeat(sets.len());
            let answer = within(SOON, "filling Redis", self.ask(&sets.concat(), expected.len())).await;
            assert_eq!(answer.expect("Redis answers"), expected);
        }
    }

    async fn ask(&self, request: &[u8], answer_bytes: usize) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(request).await?;
        let mut answer = vec![0; answer_bytes];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    /// How many of so many operations (`set` or `get`) it answers in a second, over so many connections with
    /// so many operations under way on each.
    pub async fn bench(&self, load: &Load<'_>) -> f64 {
        let mut command = Command::new("redis-benchmark");
        let port = self.port.to_string();
        command.args(["-h", "127.0.0.1", "-p", &port, "--csv", "-t", load.operation]);
        for (flag, number) in [
            ("-n", load.operations),
            ("-c", load.connections),
            ("-P", load.on_each),
            ("-d", load.value_bytes),
            ("-r", load.keys),
        ] {
            command.arg(flag).arg(number.to_string());
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = within(PATIENCE, "redis-benchmark", command.output()).await.expect("it can be run");
        let printed = String::from_utf8_lossy(&output.stdout);
        rate(&printed).unwrap_or_else(|| panic!("no rate in what redis-benchmark printed: {printed}"))
    }

    /// Ends it.
    pub async fn end(self) {
        self.program.end().await;
    }
}

/// What `redis-benchmark` is told.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// `set` or `get`.
    pub operation: &'a str,
    /// How many in all.
    pub operations: usize,
    /// How many connections.
    pub connections: usize,
    /// How many operations are under way on each.
    pub on_each: usize,
    /// How long a value is.
    pub value_bytes: usize,
    /// How many keys there are.
    pub keys: usize,
}

/// The rate in a table of one row: `"test","rps",…` and below it `"SET","12345.67",…`.
fn rate(printed: &str) -> Option<f64> {
    let row = printed.lines().nth(1)?;
    row.split(',').nth(1)?.trim_matches('"').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_the_table() {
        let printed = "\"test\",\"rps\",\"avg_latency_ms\"\n\"SET\",\"47619.05\",\"1.236\"\n";
        assert_eq!(rate(printed), Some(47619.05));
        assert_eq!(rate("Could not connect to Redis\n"), None);
    }
}
