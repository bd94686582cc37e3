//! One endpoint: HTTP/2 connections that open and come back by themselves, with a session on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proto::v1::meridian_client::MeridianClient;
use tonic::transport::Channel;
use types::limits::MESSAGE_BYTES_MAX;

use super::session::{Renewed, Session};
use super::tls::Tls;
use crate::error::Error;

/// Where a region listens.
pub(super) struct Endpoint {
    /// As the user wrote it.
    pub(super) text: String,
    /// Its HOST:PORT.
    pub(super) authority: String,
    connections: Vec<Renewed>,
    /// Calls take the connections by turns.
    next: AtomicUsize,
}

impl Endpoint {
    /// Checks the text; connects later, so many times, and under TLS where the text says so.
    pub(super) fn new(text: &str, connections: usize, tls: Option<&Tls>) -> Result<Endpoint, Error> {
        let invalid = || Error::Endpoint { text: text.to_owned() };
        let is_secure = text.starts_with("https://");
        if !is_secure && !text.starts_with("http://") {
            return Err(invalid());
        }
        let endpoint = tonic::transport::Endpoint::from_shared(text.to_owned()).map_err(|_| invalid())?;
        let authority = endpoint.uri().authority().ok_or_else(invalid)?.to_string();
        let endpoint = endpoint
            .connect_timeout(Duration::from_secs(3))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .initial_stream_window_size(4 * 1024 * 1024)
            .initial_connection_window_size(16 * 1024 * 1024);
        let endpoint = match (is_secure, tls) {
            (false, _) => endpoint,
            (true, Some(tls)) => tls.secure(endpoint).map_err(|_| invalid())?,
            (true, None) => return Err(Error::NoAuthority { text: text.to_owned() }),
        };
        let connection = |_| {
            let client = MeridianClient::new(endpoint.connect_lazy());
            let client = client.max_decoding_message_size(MESSAGE_BYTES_MAX);
            Renewed::new(client.max_encoding_message_size(MESSAGE_BYTES_MAX))
        };
        let connections = (0..connections.max(1)).map(connection).collect();
        Ok(Endpoint { text: text.to_owned(), authority, connections, next: AtomicUsize::new(0) })
    }

    /// Another endpoint that speaks as this one does, at HOST:PORT.
    pub(super) fn sibling(&self, address: &str) -> String {
        let scheme = if self.text.starts_with("https://") { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    fn connection(&self) -> &Renewed {
        match &self.connections[..] {
            [only] => only,
            several => &several[self.next.fetch_add(1, Ordering::Relaxed) % several.len()],
        }
    }

    /// A handle for one call; calls share the connection.
    pub(super) fn client(&self) -> MeridianClient<Channel> {
        self.connection().client()
    }

    /// A session for one call; calls share it. One that has ended is replaced.
    pub(super) fn session(&self) -> Arc<Session> {
        self.connection().session()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_endpoint_is_refused_by_name() {
        for text in ["", "127.0.0.1:7001", "ftp://127.0.0.1:7001", "http://", "http://a b", "https://"] {
            assert_eq!(Endpoint::new(text, 1, None).err(), Some(Error::Endpoint { text: text.to_owned() }));
        }
        let endpoint = Endpoint::new("http://127.0.0.1:7001/", 1, None).unwrap();
        assert_eq!(endpoint.authority, "127.0.0.1:7001");
        assert_eq!(endpoint.sibling("[::1]:7002"), "http://[::1]:7002");
        let text = "https://127.0.0.1:7001".to_owned();
        assert_eq!(Endpoint::new(&text, 1, None).err(), Some(Error::NoAuthority { text }));
    }
}
