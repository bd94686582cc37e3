//! One endpoint and its HTTP/2 connection, which opens by itself and comes back by itself.

use std::time::Duration;

use proto::v1::meridian_client::MeridianClient;
use tonic::transport::Channel;
use types::limits::MESSAGE_BYTES_MAX;

use crate::error::Error;

/// Where a region listens.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// As the user wrote it.
    pub(super) text: String,
    client: MeridianClient<Channel>,
}

impl Endpoint {
    /// Checks the text; connects later.
    pub(super) fn new(text: &str) -> Result<Endpoint, Error> {
        let invalid = || Error::Endpoint { text: text.to_owned() };
        if !text.starts_with("http://") {
            return Err(invalid());
        }
        let endpoint = tonic::transport::Endpoint::from_shared(text.to_owned()).map_err(|_| invalid())?;
        endpoint.uri().authority().ok_or_else(invalid)?;
        let channel = endpoint
            .connect_timeout(Duration::from_secs(3))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .initial_stream_window_size(1024 * 1024)
            .initial_connection_window_size(16 * 1024 * 1024)
            .connect_lazy();
        let client = MeridianClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Endpoint { text: text.to_owned(), client })
    }

    /// A handle for one call; calls share the connection.
    pub(super) fn client(&self) -> MeridianClient<Channel> {
        self.client.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_endpoint_is_refused_by_name() {
        for text in ["", "127.0.0.1:7001", "ftp://127.0.0.1:7001", "http://", "http://a b", "https://x"] {
            assert_eq!(Endpoint::new(text).err(), Some(Error::Endpoint { text: text.to_owned() }));
        }
        assert!(Endpoint::new("http://127.0.0.1:7001").is_ok());
    }
}
