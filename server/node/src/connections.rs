//! A listening socket that holds no more than so many connections at once.
//!
//! Every connection takes a file descriptor, and a disk that cannot open its files ends the process: so
//! callers past the limit wait in the system's queue instead.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::transport::server::Connected;
use types::limits;

/// A listening socket.
pub struct Connections {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

/// A connection; its place is free again when it is dropped.
pub struct Connection {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

impl Connections {
    /// Lets in this many at once.
    pub fn new(listener: TcpListener, most: usize) -> Self {
        Connections { listener, places: Arc::new(Semaphore::new(most)) }
    }

    /// The next connection, once there is a place for it.
    pub async fn next(&mut self) -> (Connection, SocketAddr) {
        let place = self.places.clone().acquire_owned().await.expect("places are never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    // Without it small answers wait for more; a socket that refuses is slower, no worse.
                    let _ = stream.set_nodelay(true);
                    return (Connection { stream, _place: place }, from);
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
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn callers_past_the_limit_wait_for_a_place() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Connections::new(listener, 1);
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
}
