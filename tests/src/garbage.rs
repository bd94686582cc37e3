//! Everything on a port that is no good client: rubbish, connections that crawl or fall silent, and HTTP/2
//! streams that are reset as soon as they are opened.
//!
//! Each kind goes on until it is stopped, at a pace of its own: in life garbage comes from other machines, so
//! making it must not take the processors of this one.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::chance::Chance;

/// What opens an HTTP/2 connection (RFC 9113, section 3.4): the preface, and settings that change nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A request whose head never ends.
const ENDLESS: &[u8] = b"GET /metrics HTTP/1.1\r\nx: ";
/// The head of a call of `Ping`, in HPACK (RFC 7541): indexes of the static table, and literals.
const HEAD: &[u8] = b"\x83\x86\x04\x1a/meridian.v1.Meridian/Ping\x01\x01m\x0f\x10\x10application/grpc";
/// Streams that are opened and reset in one go.
const RESETS_AT_ONCE: u32 = 100;
/// The most random bytes that are sent over one connection.
const RUBBISH_BYTES_MAX: usize = 100_000;
/// Connections of a kind to each port at the same time.
const AT_ONCE: [(Kind, usize); 4] =
    [(Kind::Rubbish, 2), (Kind::Slow, 32), (Kind::Silent, 64), (Kind::Reset, 2)];

/// What is wrong with a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Random bytes, perhaps behind a good opening.
    Rubbish,
    /// A good opening, a byte now and then.
    Slow,
    /// Half an opening, and then nothing.
    Silent,
    /// Calls that are given up at once ("rapid reset", CVE-2023-44487).
    Reset,
}

impl Kind {
    /// How long it waits before it goes on.
    fn pace(self) -> Duration {
        Duration::from_millis(match self {
            Kind::Rubbish | Kind::Reset => 50,
            Kind::Slow => 500,
            Kind::Silent => 5000,
        })
    }
}

/// Garbage that is being thrown.
#[derive(Debug)]
pub struct Garbage {
    stop: watch::Sender<bool>,
    throwers: JoinSet<u64>,
}

impl Garbage {
    /// Begins to throw at ports of 127.0.0.1.
    pub fn throw(ports: &[u16], chance: &mut Chance) -> Garbage {
        let (stop, stopped) = watch::channel(false);
        let mut throwers = JoinSet::new();
        for &port in ports {
            for (kind, count) in AT_ONCE {
                for _ in 0..count {
                    throwers.spawn(keep_throwing(kind, port, chance.split(), stopped.clone()));
                }
            }
        }
        Garbage { stop, throwers }
    }

    /// Ends, and says how many connections were made.
    pub async fn end(self) -> u64 {
        self.stop.send_replace(true);
        self.throwers.join_all().await.into_iter().sum()
    }
}

/// One connection after the other.
async fn keep_throwing(kind: Kind, port: u16, mut chance: Chance, mut stopped: watch::Receiver<bool>) -> u64 {
    let mut connections = 0;
    loop {
        let throwing = async {
            // The server may hang up in the middle, as it should, or have no room for one more.
            let thrown = throw(kind, port, &mut chance).await.is_ok();
            tokio::time::sleep(kind.pace()).await;
            thrown
        };
        tokio::select! {
            thrown = throwing => connections += u64::from(thrown),
            _ = stopped.wait_for(|stopped| *stopped) => return connections,
        }
    }
}

async fn throw(kind: Kind, port: u16, chance: &mut Chance) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let opening = [b"".as_slice(), PREFACE, ENDLESS][chance.below(3)];
    match kind {
        Kind::Rubbish => {
            let length = chance.below(RUBBISH_BYTES_MAX);
            stream.write_all(opening).await?;
            stream.write_all(&chance.bytes(length)).await
        }
        Kind::Slow => {
            for byte in opening.iter().copied().chain(chance.bytes(30)) {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(kind.pace()).await;
            }
            Ok(())
        }
        Kind::Silent => {
            stream.write_all(&opening[..opening.len() / 2]).await?;
            tokio::time::sleep(kind.pace()).await;
            Ok(())
        }
        Kind::Reset => reset(stream).await,
    }
}

/// Opens streams and resets them until the server hangs up, reading what it says meanwhile.
async fn reset(stream: TcpStream) -> io::Result<()> {
    let (mut answers, mut requests) = stream.into_split();
    let writing = async {
        requests.write_all(PREFACE).await?;
        let mut first = 1;
        loop {
            requests.write_all(&opened_and_reset(first)).await?;
            first += 2 * RESETS_AT_ONCE;
            tokio::time::sleep(Kind::Reset.pace()).await;
        }
    };
    let reading = async {
        let mut answer = [0; 4096];
        while answers.read(&mut answer).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        ended = writing => ended,
        ended = reading => ended,
    }
}

/// Frames for so many streams from a number on, each a head and a reset (`CANCEL`).
fn opened_and_reset(first: u32) -> Vec<u8> {
    let streams = (0..RESETS_AT_ONCE).map(|stream| first + 2 * stream);
    streams
        .flat_map(|stream| [frame(1, 4, stream, HEAD), frame(3, 0, stream, &[0, 0, 0, 8])].concat())
        .collect()
}

/// A frame (RFC 9113, section 4.1): length, type, flags, stream, payload.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_shape_of_the_standard() {
        assert_eq!(frame(3, 0, 7, &[0, 0, 0, 8]), [0, 0, 4, 3, 0, 0, 0, 0, 7, 0, 0, 0, 8]);
        let literal = |name: &[u8]| HEAD.windows(name.len()).position(|window| window == name);
        let path = literal(b"/meridian.v1.Meridian/Ping").expect("the head names a call");
        assert_eq!(usize::from(HEAD[path - 1]), b"/meridian.v1.Meridian/Ping".len());
    }
}
