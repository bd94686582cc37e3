//! What is read and believed, and what is not. Others' tests have their certificates from here.

use std::fs;

use tempfile::TempDir;
use types::RegionName;

use super::*;
use crate::authority::{Authority, Host};

/// An authority, and a folder for what it signs.
pub(crate) struct Signer {
    folder: TempDir,
    authority: Authority,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new().unwrap());
        authority.write(folder.path()).unwrap();
        Signer { folder, authority }
    }

    /// The authority's certificate.
    pub(crate) fn authority(&self) -> &[u8] {
        self.authority.certificate.as_bytes()
    }

    /// What a node of the region on these hosts is given.
    pub(crate) fn files(&self, region: &str, hosts: &[&str]) -> TlsFiles {
        let hosts: Vec<Host> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        let out = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        self.authority.issue(&of(region), &hosts).unwrap().write(&out).unwrap();
        TlsFiles {
            certificate: out.join("node.pem"),
            key: out.join("node.key"),
            authority: self.folder.path().join("ca.pem"),
        }
    }

    /// The same, read.
    pub(crate) fn tls(&self, region: &str, hosts: &[&str]) -> Tls {
        Tls::read(&self.files(region, hosts)).unwrap()
    }
}

fn of(region: &str) -> RegionName {
    RegionName::new(region).unwrap()
}

fn refused(files: &TlsFiles) -> String {
    Tls::read(files).err().expect("it is refused").to_string()
}

#[test]
fn a_node_that_others_would_refuse_is_told_so() {
    let signer = Signer::new();
    let tls = signer.tls("eu-west-1", &["node1.example"]);
    tls.prove(&of("eu-west-1"), "node1.example:7001").unwrap();
    tls.prove(&of("eu-west-1"), "").unwrap();
    let region = tls.prove(&of("us-east-1"), "node1.example:7001").unwrap_err().to_string();
    assert!(region.contains("not of region \"us-east-1\"") && region.contains("node.pem"), "{region}");
    let host = tls.prove(&of("eu-west-1"), "127.0.0.1:7001").unwrap_err().to_string();
    assert!(host.contains("does not name the host of \"127.0.0.1:7001\""), "{host}");
}

#[test]
fn what_cannot_be_used_is_refused_by_its_file() {
    let signer = Signer::new();
    let (good, other) = (signer.files("eu", &["h"]), signer.files("eu", &["h"]));
    Tls::read(&good).unwrap();
    let nowhere = TlsFiles { key: PathBuf::from("/nowhere/at/all"), ..good.clone() };
    assert!(refused(&nowhere).contains("cannot read /nowhere/at/all"));
    let mixed = TlsFiles { key: other.key.clone(), ..good.clone() };
    let said = refused(&mixed);
    assert!(said.contains(&mixed.key.display().to_string()), "{said}");
    let another = Signer::new();
    let stranger = TlsFiles { authority: another.files("eu", &["h"]).authority, ..good.clone() };
    let said = refused(&stranger);
    assert!(said.contains("node.pem") && said.contains("invalid peer certificate"), "{said}");
    for (path, wanted) in [(&good.key, "private key"), (&good.certificate, "certificate")] {
        fs::write(path, "nothing").unwrap();
        let said = refused(&good);
        assert!(said.contains(&path.display().to_string()) && said.contains(wanted), "{said}");
    }
    fs::write(&good.authority, "nothing").unwrap();
    assert!(refused(&good).contains("ca.pem: no certificate in PEM"));
}
