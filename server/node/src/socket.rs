//! One caller's bytes: as they come, or out of TLS.
//!
//! The handshake is part of reading and writing, on the connection's own task: nobody else waits for it, and
//! whoever bounds the time of the first bytes bounds the handshake with them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::caller::Caller;
use crate::certificate::Certificate;

/// A connection's bytes.
pub struct Socket {
    state: State,
    caller: Caller,
}

enum State {
    Plain(TcpStream),
    /// In the handshake.
    Shaking(Box<Accept<TcpStream>>),
    Secured(Box<TlsStream<TcpStream>>),
    /// The handshake failed.
    Failed,
}

/// Whatever carries bytes.
trait Bytes: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Bytes for T {}

impl Socket {
    /// The bytes on a stream, under TLS if there is an acceptor for it.
    pub fn new(stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> Self {
        match acceptor {
            None => Socket { state: State::Plain(stream), caller: Caller::Believed },
            Some(acceptor) => {
                let state = State::Shaking(Box::new(acceptor.accept(stream)));
                Socket { state, caller: Caller::Seen(Default::default()) }
            }
        }
    }

    /// Who is at the other end; told once the handshake is over.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What to read from and write to, after the handshake.
    fn open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Bytes>>> {
        if let State::Shaking(shaking) = &mut self.state {
            match ready!(Pin::new(&mut **shaking).poll(context)) {
                Ok(secured) => {
                    let shown = secured.get_ref().1.peer_certificates();
                    if let Some(first) = shown.and_then(<[_]>::first) {
                        self.caller.showed(Certificate::new(first));
                    }
                    self.state = State::Secured(Box::new(secured));
                }
                Err(error) => {
                    tracing::debug!("a TLS handshake failed: {error}");
                    self.state = State::Failed;
                    return Poll::Ready(Err(error));
                }
            }
        }
        let stream: &mut dyn Bytes = match &mut self.state {
            State::Plain(stream) => stream,
            State::Secured(stream) => stream,
            State::Shaking(_) | State::Failed => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        Poll::Ready(Ok(Pin::new(stream)))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.open(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.open(context))?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.open(context))?.poll_flush(context)
    }

    /// Ends a handshake rather than wait for it.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.state {
            State::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            State::Secured(stream) => Pin::new(stream).poll_shutdown(context),
            State::Shaking(_) | State::Failed => {
                self.state = State::Failed;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.open(context))?.poll_write_vectored(context, buffers)
    }

    /// Both kinds of stream do.
    fn is_write_vectored(&self) -> bool {
        true
    }
}
