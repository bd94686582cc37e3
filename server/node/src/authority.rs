//! `meridian-server cert`: an authority for trying TLS out, and the certificates of nodes that it signs.
//!
//! It is made of two files and keeps no books: what it signed cannot be revoked, only its whole authority
//! replaced. Nothing is ever written over.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::ServerName;
use types::{RegionName, limits};

use crate::certificate;
use crate::options::CertCommand;
use crate::tls::{self, Trust};

const AUTHORITY_FILE: &str = "ca.pem";
const AUTHORITY_KEY_FILE: &str = "ca.key";
const NODE_FILE: &str = "node.pem";
const NODE_KEY_FILE: &str = "node.key";
/// Keys are for their owner alone.
const KEY_MODE: u32 = 0o600;
const CERTIFICATE_MODE: u32 = 0o644;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is there already.
    #[error("{} is there already: choose another folder, or remove it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {operation} {}: {source}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file holds no key of an authority.
    #[error("{}: not the key of an authority: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rcgen::Error,
    },
    /// A file holds no certificate of an authority, or one that the key beside it is not of.
    #[error("{}: not the certificate of the authority whose key is beside it: {source}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: tls::Error,
    },
    /// It cannot be signed.
    #[error("cannot sign: {0}")]
    Sign(#[from] rcgen::Error),
}

/// A host as certificates name it: a DNS name or an address, without a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host(String);

/// A text that names no host.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is no host: write a DNS name or an address, without a port")]
pub struct InvalidHost {
    /// The text.
    text: String,
}

/// An authority.
#[derive(Debug)]
pub struct Authority {
    key: KeyPair,
    /// Its certificate, in PEM.
    pub certificate: String,
}

/// What an authority gives to a node, in PEM.
pub struct Issued {
    /// The certificate, for serving and for calling others.
    pub certificate: String,
    /// The key that belongs to it.
    pub key: String,
}

/// Does what the command says, and tells which files it made.
pub fn run(command: &CertCommand) -> Result<Vec<PathBuf>, Error> {
    match command {
        CertCommand::Authority { out } => Authority::new()?.write(out),
        CertCommand::Node { authority, region, host, out } => {
            Authority::read(authority)?.issue(region, host)?.write(out)
        }
    }
}

impl Authority {
    /// A new authority, with a key of its own.
    pub fn new() -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let certificate = authority(&key).self_signed(&key)?.pem();
        Ok(Authority { key, certificate })
    }

    /// The authority that was written to a folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let read = |name| {
            let path = folder.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => Ok((text, path)),
                Err(source) => Err(Error::File { operation: "read", path, source }),
            }
        };
        let ((certificate, path), (key, of_key)) = (read(AUTHORITY_FILE)?, read(AUTHORITY_KEY_FILE)?);
        let key = KeyPair::from_pem(&key).map_err(|source| Error::Key { path: of_key, source })?;
        let authority = Authority { key, certificate };
        let sample = authority.sign(vec![])?;
        let trusts = Trust::new(authority.certificate.as_bytes());
        let trusts = trusts.and_then(|trust| trust.accepts(sample.certificate.as_bytes()));
        match trusts {
            Ok(()) => Ok(authority),
            Err(source) => Err(Error::Authority { path, source }),
        }
    }

    /// Writes it to a folder, which is made if it is not there.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let key = self.key.serialize_pem();
        write(folder, (AUTHORITY_FILE, &self.certificate), (AUTHORITY_KEY_FILE, &key))
    }

    /// A certificate for a node of the region on these hosts.
    pub fn issue(&self, region: &RegionName, hosts: &[Host]) -> Result<Issued, Error> {
        let mut names = vec![SanType::URI(certificate::name_of(region).try_into()?)];
        for Host(host) in hosts {
            names.push(match host.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(host.clone().try_into()?),
            });
        }
        self.sign(names)
    }

    fn sign(&self, names: Vec<SanType>) -> Result<Issued, Error> {
        let key = KeyPair::generate()?;
        let mut wanted = valid_for(limits::CERTIFICATE_DAYS, "Meridian node");
        wanted.subject_alt_names = names;
        wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        wanted.use_authority_key_identifier_extension = true;
        let signed = wanted.signed_by(&key, &Issuer::new(authority(&self.key), &self.key))?;
        Ok(Issued { certificate: signed.pem(), key: key.serialize_pem() })
    }
}

impl Issued {
    /// Writes it to a folder, which is made if it is not there.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        write(folder, (NODE_FILE, &self.certificate), (NODE_KEY_FILE, &self.key))
    }
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        match ServerName::try_from(text) {
            Ok(_) => Ok(Host(text.to_owned())),
            Err(_) => Err(InvalidHost { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The certificate of the authority with this key. Its name follows from the key: so whoever signs needs
/// nothing but the key, and who is shown the work of another authority is told that, and not of a bad
/// signature.
fn authority(key: &KeyPair) -> CertificateParams {
    let name = format!("Meridian test authority {:08x}", crc32fast::hash(key.public_key_raw()));
    let mut authority = valid_for(limits::AUTHORITY_DAYS, &name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
}

/// A certificate that is valid for so many days, given to whom is named so.
fn valid_for(days: u64, name: &str) -> CertificateParams {
    let now = SystemTime::now();
    let mut certificate = CertificateParams::default();
    certificate.not_before = (now - hours(limits::CERTIFICATE_BACKDATED_HOURS)).into();
    certificate.not_after = (now + hours(24 * days)).into();
    certificate.distinguished_name = DistinguishedName::new();
    certificate.distinguished_name.push(DnType::CommonName, name);
    certificate
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 60 * 60)
}

/// Writes a certificate and its key where neither is.
fn write(folder: &Path, certificate: (&str, &str), key: (&str, &str)) -> Result<Vec<PathBuf>, Error> {
    let files = [(certificate, CERTIFICATE_MODE), (key, KEY_MODE)];
    let path = |name| folder.join(name);
    let error = |operation, path| move |source| Error::File { operation, path, source };
    for ((name, _), _) in files {
        if path(name).try_exists().map_err(error("look for", path(name)))? {
            return Err(Error::Exists { path: path(name) });
        }
    }
    fs::create_dir_all(folder).map_err(error("make", folder.to_owned()))?;
    for ((name, text), mode) in files {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path(name))
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(error("write", path(name)))?;
    }
    Ok(files.map(|((name, _), _)| path(name)).to_vec())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn region() -> RegionName {
        RegionName::new("eu-west-1").unwrap()
    }

    #[test]
    fn an_authority_signs_after_it_was_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new/ca");
        let made = run(&CertCommand::Authority { out: out.clone() }).unwrap();
        assert_eq!(made, [out.join("ca.pem"), out.join("ca.key")]);
        let node = CertCommand::Node {
            authority: out.clone(),
            region: region(),
            host: vec!["h".parse().unwrap()],
            out: out.clone(),
        };
        let made = run(&node).unwrap();
        let trust = Trust::new(&fs::read(out.join("ca.pem")).unwrap()).unwrap();
        trust.accepts(&fs::read(&made[0]).unwrap()).unwrap();
        let mode = |name| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("ca.key"), mode("node.key")), (0o600, 0o600));
        let other = Trust::new(Authority::new().unwrap().certificate.as_bytes()).unwrap();
        other.accepts(&fs::read(&made[0]).unwrap()).unwrap_err();
    }

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new().unwrap();
        fs::write(folder.path().join("ca.key"), "precious").unwrap();
        let refused = authority.write(folder.path());
        assert!(matches!(refused, Err(Error::Exists { .. })));
        assert_eq!(fs::read_to_string(folder.path().join("ca.key")).unwrap(), "precious");
        assert!(!folder.path().join("ca.pem").exists());
    }

    #[test]
    fn what_is_no_authority_is_refused_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let said = || Authority::read(folder.path()).unwrap_err().to_string();
        assert!(said().contains("ca.pem"), "{}", said());
        Authority::new().unwrap().write(folder.path()).unwrap();
        fs::write(folder.path().join("ca.pem"), Authority::new().unwrap().certificate).unwrap();
        assert!(matches!(Authority::read(folder.path()), Err(Error::Authority { .. })), "another's key");
        fs::write(folder.path().join("ca.key"), "no key").unwrap();
        assert!(matches!(Authority::read(folder.path()), Err(Error::Key { .. })));
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for good in ["node1.example", "localhost", "127.0.0.1", "::1"] {
            good.parse::<Host>().unwrap();
        }
        for bad in ["", "node1:7001", "a b", "*.example", "[::1]", "http://a"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }
}
