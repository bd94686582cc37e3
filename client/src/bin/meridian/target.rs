//! Whom the commands call: the endpoints, and whose word their servers are trusted on.

use std::path::PathBuf;

use client::{Client, Settings, Tls};

use crate::failure::Failure;

/// Endpoints in the order in which they are tried.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// As the user wrote them.
    pub(crate) endpoints: Vec<String>,
    tls: Option<Tls>,
}

impl Target {
    /// Reads the authority's certificates, if a file is named.
    pub(crate) fn new(endpoints: Vec<String>, authority: Option<PathBuf>) -> Result<Target, Failure> {
        let Some(path) = authority else { return Ok(Target { endpoints, tls: None }) };
        let tls = match std::fs::read(&path) {
            Ok(text) => Tls::new(&text).map_err(|cause| Failure::Authority { path, cause })?,
            Err(source) => return Err(Failure::File { path, source }),
        };
        Ok(Target { endpoints, tls: Some(tls) })
    }

    /// A client of all endpoints.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.client_with(Settings::default())
    }

    /// A client of all endpoints that is told this as well.
    pub(crate) fn client_with(&self, settings: Settings) -> Result<Client, Failure> {
        self.connect(&self.endpoints, settings)
    }

    /// The endpoint, and a client of it, for a command that makes sense with one only.
    pub(crate) fn only(&self, command: &'static str) -> Result<(&str, Client), Failure> {
        let [endpoint] = &self.endpoints[..] else {
            return Err(Failure::Endpoints { command, needs: "one endpoint", got: self.endpoints.len() });
        };
        Ok((endpoint, self.connect(&[endpoint], Settings::default())?))
    }

    /// A client of each endpoint.
    pub(crate) fn each(&self) -> Result<Vec<(String, Client)>, Failure> {
        let connect =
            |endpoint: &String| Ok((endpoint.clone(), self.connect(&[endpoint], Settings::default())?));
        self.endpoints.iter().map(connect).collect()
    }

    fn connect<T: AsRef<str>>(&self, endpoints: &[T], settings: Settings) -> Result<Client, Failure> {
        let client = Client::new(endpoints, Settings { tls: self.tls.clone(), ..settings });
        client.map_err(|error| match error {
            client::Error::NoAuthority { text } => Failure::NoAuthority { endpoint: text },
            error => Failure::Call(error),
        })
    }
}
