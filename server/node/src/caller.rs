//! Who is at the other end of a connection, as far as it has proved it.
//!
//! Clients need prove nothing; what nodes ask each other is refused to whoever cannot. Without TLS nobody can
//! prove anything, and everybody is believed.

use std::sync::{Arc, OnceLock};

use tonic::Extensions;
use types::RegionName;

use crate::certificate::{Certificate, Unproven};

/// The caller on a connection. The connection holds it, and each of its requests.
#[derive(Clone, Default, Debug)]
pub enum Caller {
    /// The node does not speak TLS.
    #[default]
    Believed,
    /// The certificate that was shown in the handshake, which is over before there is any request.
    Seen(Arc<OnceLock<Certificate>>),
}

impl Caller {
    /// Who makes a request.
    pub fn of(extensions: &Extensions) -> Caller {
        extensions.get::<Caller>().cloned().unwrap_or_default()
    }

    /// Notes what was shown.
    pub fn showed(&self, certificate: Certificate) {
        if let Caller::Seen(seen) = self {
            // There is one handshake on a connection.
            let _ = seen.set(certificate);
        }
    }

    /// Whether it is a node of the region that it names, on the host of the address that it gives; one that
    /// gives none may be anywhere.
    pub fn proves(&self, region: &str, address: &str) -> Result<(), Unproven> {
        self.judged(|certificate| certificate.proves(region, address))
    }

    /// Whether it is a node of this region.
    pub fn is_of(&self, region: &RegionName) -> Result<(), Unproven> {
        self.judged(|certificate| certificate.is_of(region.as_str()))
    }

    fn judged(&self, judge: impl FnOnce(&Certificate) -> Result<(), Unproven>) -> Result<(), Unproven> {
        match self {
            Caller::Believed => Ok(()),
            Caller::Seen(seen) => seen.get().map_or(Err(Unproven::Missing), judge),
        }
    }
}

impl From<Unproven> for item::Error {
    fn from(unproven: Unproven) -> Self {
        item::Error::AccessDenied {
            lacks: match unproven {
                Unproven::Missing => "a certificate",
                Unproven::Region { .. } => "a certificate of this region",
                Unproven::Host { .. } => "a certificate that names the host of its address",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_everybody_is_believed_and_with_it_nobody_without_proof() {
        assert_eq!(Caller::of(&Extensions::new()).proves("eu", "h:1"), Ok(()));
        let mut extensions = Extensions::new();
        extensions.insert(Caller::Seen(Arc::default()));
        assert_eq!(Caller::of(&extensions).proves("eu", "h:1"), Err(Unproven::Missing));
        assert_eq!(Caller::of(&extensions).is_of(&RegionName::new("eu").unwrap()), Err(Unproven::Missing));
    }
}
