//! TLS as a node speaks it: with one certificate it both serves and calls other nodes.
//!
//! Whoever calls may show a certificate of the authority or none; one that shows another is not let in at
//! all. A node that calls another wants its certificate to name the host that it dialled, as always with TLS,
//! and the region that it means. The files are read once, when the node starts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use client::Tls as Calls;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::TlsAcceptor;
use tonic::transport::Endpoint;
use types::RegionName;

use crate::certificate::{Certificate, Unproven};

/// HTTP/2, the one protocol that is spoken inside.
const PROTOCOL: &[u8] = b"h2";

/// Where a node finds what it needs for TLS, all of it in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The node's certificate, and those between it and the authority's, if there are any.
    pub certificate: PathBuf,
    /// The key that belongs to it.
    pub key: PathBuf,
    /// The certificates of the authority that all nodes of all regions trust.
    pub authority: PathBuf,
}

/// Why a node cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Something is not the PEM that it should be.
    #[error("no {wanted} in PEM: {source}")]
    Pem {
        /// What should be there.
        wanted: &'static str,
        /// What is wrong.
        source: pem::Error,
    },
    /// The authority's certificates cannot be used.
    #[error("the authority: {0}")]
    Authority(#[from] VerifierBuilderError),
    /// A certificate is refused, or its key is another's.
    #[error(transparent)]
    Refused(#[from] rustls::Error),
    /// The other nodes would refuse this one.
    #[error("other nodes would refuse this one: {0}")]
    Unproven(#[from] Unproven),
    /// One of the files is not what it should be.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },
}

/// A node's certificate and whom it trusts.
#[derive(Clone)]
pub struct Tls {
    certificate: Certificate,
    /// The certificate and its key as they were read.
    shown: Arc<[Vec<u8>; 2]>,
    trust: Trust,
    serves: Arc<ServerConfig>,
    /// Named when something is wrong with the certificate.
    path: PathBuf,
}

/// An authority whose word counts.
#[derive(Clone)]
pub struct Trust {
    roots: Arc<RootCertStore>,
    callers: Arc<dyn ClientCertVerifier>,
}

impl Tls {
    /// Reads the files.
    pub fn read(files: &TlsFiles) -> Result<Self, Error> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source });
        let [certificate, key] = [read(&files.certificate)?, read(&files.key)?];
        let trust = Trust::new(&read(&files.authority)?).map_err(|error| error.in_file(&files.authority))?;
        trust.accepts(&certificate).map_err(|error| error.in_file(&files.certificate))?;
        let chain = chain(&certificate)?;
        let secret = PrivateKeyDer::from_pem_slice(&key);
        let secret =
            secret.map_err(|source| Error::Pem { wanted: "private key", source }.in_file(&files.key))?;
        let own = Certificate::new(chain.first().expect("what is accepted holds a certificate"));
        let mut serves = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(trust.callers.clone())
            .with_single_cert(chain, secret)
            .map_err(|error| Error::from(error).in_file(&files.key))?;
        serves.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Tls {
            certificate: own,
            shown: Arc::new([certificate, key]),
            trust,
            serves: Arc::new(serves),
            path: files.certificate.clone(),
        })
    }

    /// Whether other nodes believe this one to be of the region, at the address that it tells them.
    pub fn prove(&self, region: &RegionName, address: &str) -> Result<(), Error> {
        let proved = self.certificate.proves(region.as_str(), address);
        proved.map_err(|unproven| Error::from(unproven).in_file(&self.path))
    }

    /// Secures connections that come in.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.serves.clone())
    }

    /// Secures connections to nodes of the region.
    pub fn calls(&self, region: &RegionName) -> Calls {
        let usual = WebPkiServerVerifier::builder_with_provider(self.trust.roots.clone(), provider())
            .build()
            .expect("there is an authority, as was found when it was read");
        let [certificate, key] = &*self.shown;
        Calls::mutual(certificate, key, Arc::new(OfRegion { region: region.clone(), usual }))
    }
}

impl Trust {
    /// Trusts these certificates, in PEM.
    pub fn new(authority: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in chain(authority)? {
            roots.add(certificate)?;
        }
        let roots = Arc::new(roots);
        let callers = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider());
        Ok(Trust { roots, callers: callers.allow_unauthenticated().build()? })
    }

    /// Whether it signed a certificate that is valid at this time, in PEM.
    pub fn accepts(&self, certificate: &[u8]) -> Result<(), Error> {
        let chain = chain(certificate)?;
        let (first, others) = chain.split_first().ok_or(NO_CERTIFICATE)?;
        self.callers.verify_client_cert(first, others, UnixTime::now())?;
        Ok(())
    }
}

impl Error {
    fn in_file(self, path: &Path) -> Error {
        Error::File { path: path.to_owned(), source: Box::new(self) }
    }
}

const NO_CERTIFICATE: Error = Error::Pem { wanted: "certificate", source: pem::Error::NoItemsFound };

/// At least one certificate.
fn chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if chain.is_empty() => Err(NO_CERTIFICATE),
        Ok(chain) => Ok(chain),
        Err(source) => Err(Error::Pem { wanted: "certificate", source }),
    }
}

/// The endpoint of a node at this address, secured if the node that calls speaks TLS.
pub fn endpoint(address: &str, tls: Option<&Calls>) -> Result<Endpoint, tonic::transport::Error> {
    match tls {
        None => Endpoint::from_shared(format!("http://{address}")),
        Some(tls) => tls.secure(Endpoint::from_shared(format!("https://{address}"))?),
    }
}

/// What was not proved by a node that was called, if that is why it could not be.
pub fn unproven(error: &(dyn std::error::Error + 'static)) -> Option<Unproven> {
    let all = std::iter::successors(Some(error), |error| error.source());
    // What an I/O error was made of is not among its sources.
    let mut within = all.filter_map(|error| error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref());
    match within.next()? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            other.downcast_ref::<Unproven>().cloned()
        }
        _ => None,
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Accepts nodes of one region.
#[derive(Debug)]
struct OfRegion {
    region: RegionName,
    usual: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OfRegion {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.usual.verify_server_cert(shown, others, host, ocsp_response, now)?;
        match Certificate::new(shown).is_of(self.region.as_str()) {
            Ok(()) => Ok(verified),
            Err(unproven) => Err(CertificateError::Other(OtherError(Arc::new(unproven))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, shown, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
pub(crate) mod tests;
