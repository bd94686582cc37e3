//! TLS as whoever calls speaks it: whom it trusts, and what it shows of itself.
//!
//! A user's client trusts one authority and shows nothing. A node, which calls other nodes, shows them its
//! certificate and has demands of its own on theirs. Nothing here opens a socket or reads a file.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use types::limits;

use crate::error::Error;

/// How the connections to `https://` endpoints are secured.
#[derive(Clone)]
pub struct Tls {
    trusts: Trusts,
    identity: Option<Identity>,
}

#[derive(Clone)]
enum Trusts {
    /// Servers whose certificates one of these signed, and that are called by a name in them.
    Authority(Certificate),
    /// Servers that this accepts.
    Verifier(Arc<dyn ServerCertVerifier>),
}

impl Tls {
    /// Trusts the servers whose certificates this authority signed: one or more certificates in PEM. Text
    /// that holds none is refused.
    pub fn new(authority: &[u8]) -> Result<Tls, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority) {
            let certificate = certificate.map_err(|_| Error::Authority)?;
            roots.add(certificate).map_err(|_| Error::Authority)?;
        }
        match roots.is_empty() {
            true => Err(Error::Authority),
            false => Ok(Tls { trusts: Trusts::Authority(Certificate::from_pem(authority)), identity: None }),
        }
    }

    /// Trusts the servers that the verifier accepts, and shows them this certificate, to which the key
    /// belongs; both in PEM.
    pub fn mutual(certificate: &[u8], key: &[u8], verifier: Arc<dyn ServerCertVerifier>) -> Tls {
        let identity = Some(Identity::from_pem(certificate, key));
        Tls { trusts: Trusts::Verifier(verifier), identity }
    }

    /// The endpoint with its connections secured. Fails if its host cannot stand in a certificate, or if
    /// certificate and key do not belong together.
    pub fn secure(&self, endpoint: Endpoint) -> Result<Endpoint, tonic::transport::Error> {
        let mut settings = ClientTlsConfig::new().timeout(Duration::from_millis(limits::TLS_HANDSHAKE_MS));
        if let Some(identity) = &self.identity {
            settings = settings.identity(identity.clone());
        }
        match &self.trusts {
            Trusts::Authority(authority) => endpoint.tls_config(settings.ca_certificate(authority.clone())),
            Trusts::Verifier(verifier) => endpoint.tls_config_with_verifier(settings, verifier.clone()),
        }
    }
}

impl fmt::Debug for Tls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("shows_itself", &self.identity.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_certificate_is_no_authority() {
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n", empty] {
            assert_eq!(Tls::new(text.as_bytes()).err(), Some(Error::Authority), "{text}");
        }
    }
}
