//! What a node's certificate says: which region it belongs to and on which hosts it may be.
//!
//! The region is a URI among the certificate's names, `meridian://REGION`, the hosts are its DNS names and
//! addresses. Whether an authority signed it is for TLS to find out, before anybody asks here.

use rustls::pki_types::{CertificateDer, ServerName};
use types::{RegionName, limits};
use webpki::EndEntityCert;

/// Comes before the region's name.
const SCHEME: &str = "meridian://";

/// A node's certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate(CertificateDer<'static>);

/// What a certificate does not prove of the node that shows it, or that should have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unproven {
    /// No certificate was shown.
    #[error("no certificate was shown")]
    Missing,
    /// It is another region's, or none's.
    #[error("the certificate is not of region {region:?}")]
    Region {
        /// Which region it should be of, cut to a name's length.
        region: String,
    },
    /// It is another host's.
    #[error("the certificate does not name the host of {address:?}")]
    Host {
        /// Where the node says it is, cut to an address's length.
        address: String,
    },
}

/// The name under which a certificate is a region's.
pub fn name_of(region: &RegionName) -> String {
    format!("{SCHEME}{region}")
}

/// The host in `HOST:PORT`, as certificates name hosts; `None` if no certificate can name it.
pub fn host(address: &str) -> Option<ServerName<'_>> {
    let (host, _) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    ServerName::try_from(bare.unwrap_or(host)).ok()
}

impl Certificate {
    /// What the other side of a TLS connection showed, or is about to show.
    pub fn new(shown: &CertificateDer<'_>) -> Self {
        Certificate(shown.clone().into_owned())
    }

    /// Whether it is of the region, and names the host of the address; one that says no address need not.
    pub fn proves(&self, region: &str, address: &str) -> Result<(), Unproven> {
        self.is_of(region)?;
        let names = || {
            let certificate = EndEntityCert::try_from(&self.0).ok()?;
            certificate.verify_is_valid_for_subject_name(&host(address)?).ok()
        };
        match address.is_empty() || names().is_some() {
            true => Ok(()),
            false => Err(Unproven::Host { address: cut(address, limits::NODE_ADDRESS_BYTES_MAX) }),
        }
    }

    /// Whether it is of the region.
    pub fn is_of(&self, region: &str) -> Result<(), Unproven> {
        let is_of = |certificate: EndEntityCert<'_>| {
            certificate.valid_uri_names().any(|name| name.strip_prefix(SCHEME) == Some(region))
        };
        match EndEntityCert::try_from(&self.0).is_ok_and(is_of) {
            true => Ok(()),
            false => Err(Unproven::Region { region: cut(region, limits::REGION_NAME_BYTES_MAX) }),
        }
    }
}

fn cut(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::authority::Authority;

    fn certificate(region: &str, hosts: &[&str]) -> Certificate {
        let hosts: Vec<_> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        let authority = Authority::new().unwrap();
        let issued = authority.issue(&RegionName::new(region).unwrap(), &hosts).unwrap();
        Certificate::new(&CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap())
    }

    #[test]
    fn a_certificate_proves_its_region_and_its_hosts_and_nothing_else() {
        let eu = certificate("eu-west-1", &["node1.example", "127.0.0.1", "::1"]);
        for address in ["node1.example:7001", "NODE1.example:1", "127.0.0.1:7001", "[::1]:7001", ""] {
            assert_eq!(eu.proves("eu-west-1", address), Ok(()), "{address}");
        }
        for address in ["node2.example:7001", "example:1", "127.0.0.2:7001", "[::2]:1", "node1.example", ":"]
        {
            let refused = Unproven::Host { address: address.to_owned() };
            assert_eq!(eu.proves("eu-west-1", address), Err(refused), "{address}");
        }
        for region in ["eu-west-2", "eu-west", "eu-west-11", "", "meridian://eu-west-1"] {
            let refused = Unproven::Region { region: region.to_owned() };
            assert_eq!(eu.proves(region, "node1.example:7001"), Err(refused), "{region}");
        }
    }

    #[test]
    fn what_is_said_is_quoted_no_further_than_names_go() {
        let long = "x".repeat(100_000);
        let Err(Unproven::Region { region }) = certificate("eu", &["h"]).is_of(&long) else {
            panic!("let in")
        };
        assert_eq!(region.len(), limits::REGION_NAME_BYTES_MAX);
    }
}
