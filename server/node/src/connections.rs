//! A listening socket that holds no more than so many connections at once.
//!
//! Under TLS the handshake belongs to the greeting: it is bounded as that is, in time and in number.
//!
//! Every connection takes a file descriptor, and a disk that cannot open its files ends the process: so
//! callers past the limit wait in the system's queue instead. And since places are few, a caller who does not
//! come to the point loses its own.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;
use types::limits;

use crate::caller::Caller;
use crate::socket::Socket;

/// HTTP/2's preface and the header of the settings that follow it.
const GREETING_BYTES: usize = 24 + 9;

/// What is expected of a caller.
#[derive(Clone, Copy, Debug)]
pub enum Manners {
    /// An HTTP/2 greeting, soon; from then on HTTP/2's own probes tell whether anybody is there.
    Greets,
    /// To ask and go: the connection ends after a while, whatever it is about.
    IsBrief,
}

/// A listening socket.
pub struct Connections {
    listener: TcpListener,
    places: Arc<Semaphore>,
    manners: Manners,
    /// Secures each of them, if there is one.
    acceptor: Option<TlsAcceptor>,
}

/// A connection; its place is free again when it is dropped.
pub struct Connection {
    socket: Socket,
    /// When it ends, unless what is owed has been read by then.
    end: Option<Pin<Box<Sleep>>>,
    /// Bytes that must be read before the end is called off.
    owed: usize,
    _place: OwnedSemaphorePermit,
}

impl Connections {
    /// Lets in this many at once.
    pub fn new(listener: TcpListener, most: usize, manners: Manners) -> Self {
        Connections { listener, places: Arc::new(Semaphore::new(most)), manners, acceptor: None }
    }

    /// All of them under TLS, and nothing else.
    pub fn secured(self, acceptor: TlsAcceptor) -> Self {
        Connections { acceptor: Some(acceptor), ..self }
    }

    /// The next connection, once there is a place for it.
    pub async fn next(&mut self) -> (Connection, SocketAddr) {
        let place = self.places.clone().acquire_owned().await.expect("places are never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    // Without it small answers wait for more; a socket that refuses is slower, no worse.
                    let _ = stream.set_nodelay(true);
                    let socket = Socket::new(stream, self.acceptor.as_ref());
                    return (Connection::new(socket, self.manners, place), from);
                }
                // Whatever the system is short of, it is short of for a while.
                Err(_) => tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MS)).await,
            }
        }
    }

    /// All connections, as tonic wants them.
    pub fn stream(self) -> impl Stream<Item = io::Result<Connection>> {
        futures::stream::unfold(self, |mut connections| async {
            let (connection, _) = connections.next().await;
            Some((Ok(connection), connections))
        })
    }
}

impl Connection {
    fn new(socket: Socket, manners: Manners, place: OwnedSemaphorePermit) -> Self {
        let (after_ms, owed) = match manners {
            Manners::Greets => (limits::GREETING_MS, GREETING_BYTES),
            Manners::IsBrief => (limits::METRICS_CONNECTION_MS, usize::MAX),
        };
        let end = Box::pin(tokio::time::sleep(Duration::from_millis(after_ms)));
        Connection { socket, end: Some(end), owed, _place: place }
    }

    /// Refuses to go on when its time is over. Asks to be woken then.
    fn go_on(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().is_some_and(|end| end.as_mut().poll(context).is_ready()) {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }
}

impl axum::serve::Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        self.next().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.socket.caller().clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.go_on(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        if self.end.is_some() {
            self.owed = self.owed.saturating_sub(buffer.filled().len() - before);
            self.end = self.end.take().filter(|_| self.owed > 0);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.go_on(context)?;
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.go_on(context)?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.go_on(context)?;
        Pin::new(&mut self.socket).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::tls::tests::Signer;

    #[tokio::test]
    async fn callers_past_the_limit_wait_for_a_place() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Connections::new(listener, 1, Manners::Greets);
        let _first_caller = TcpStream::connect(address).await.unwrap();
        let mut second_caller = TcpStream::connect(address).await.unwrap();
        let (first, _) = connections.next().await;
        let waiting = tokio::spawn(async move { connections.next().await.0 });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        let mut second = waiting.await.unwrap();
        second_caller.write_all(b"here").await.unwrap();
        let mut bytes = [0; 4];
        second.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"here");
    }

    /// A caller and its connection, on a clock that stands still unless it is moved.
    async fn pair(manners: Manners) -> (TcpStream, Connection) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Connections::new(listener, 1, manners);
        let caller = TcpStream::connect(address).await.unwrap();
        let (connection, _) = connections.next().await;
        tokio::time::pause();
        (caller, connection)
    }

    /// A caller who said so much and then nothing until the time for a greeting is over, and what its
    /// connection reads next.
    async fn after_a_greeting_of(bytes: usize) -> (TcpStream, tokio::task::JoinHandle<io::Result<u8>>) {
        let (mut caller, mut connection) = pair(Manners::Greets).await;
        caller.write_all(&vec![1; bytes]).await.unwrap();
        connection.read_exact(&mut vec![0; bytes]).await.unwrap();
        let read = tokio::spawn(async move { connection.read_u8().await });
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_millis(limits::GREETING_MS + 1)).await;
        (caller, read)
    }

    #[tokio::test]
    async fn a_caller_who_does_not_greet_is_dropped() {
        let (_caller, read) = after_a_greeting_of(GREETING_BYTES - 1).await;
        assert_eq!(read.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_caller_who_greets_may_stay() {
        let (mut caller, read) = after_a_greeting_of(GREETING_BYTES).await;
        caller.write_all(&[7]).await.unwrap();
        assert_eq!(read.await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn a_handshake_counts_as_greeting() {
        let tls = Signer::new().tls("eu", &["localhost"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Connections::new(listener, 1, Manners::Greets).secured(tls.acceptor());
        let _caller = TcpStream::connect(address).await.unwrap();
        let (mut connection, _) = connections.next().await;
        tokio::time::pause();
        // HTTP/2 speaks first, and reads nothing until that is done.
        let written = tokio::spawn(async move { connection.write_all(b"settings").await });
        tokio::task::yield_now().await;
        assert!(!written.is_finished());
        tokio::time::advance(Duration::from_millis(limits::GREETING_MS + 1)).await;
        let ended = tokio::time::timeout(Duration::from_secs(1), written).await.expect("it ends by itself");
        assert_eq!(ended.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_brief_connection_ends_whatever_was_said() {
        let (mut caller, mut connection) = pair(Manners::IsBrief).await;
        caller.write_all(&[1; 1000]).await.unwrap();
        connection.read_exact(&mut [0; 1000]).await.unwrap();
        tokio::time::advance(Duration::from_millis(limits::METRICS_CONNECTION_MS + 1)).await;
        assert_eq!(connection.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
