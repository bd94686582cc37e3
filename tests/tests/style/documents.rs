//! Documents and code agree: every rule that the code cites is explained. No text names a registry's host.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::tree::Source;

/// Hosts of package registries: packages are named, where they come from is the machine's business.
const HOSTS: [&str; 5] = [
    concat!("crates", ".io"),
    concat!("registry.npmjs", ".org"),
    concat!("deb.debian", ".org"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
];

/// Finds citations, such as `P8` between backticks, of rules that ARCHITECTURE does not state in bold.
pub fn unexplained_rules(source: &Source, architecture: &str) -> Vec<Finding> {
    let explained: BTreeSet<&str> = architecture
        .split("**")
        .skip(1)
        .step_by(2)
        .filter_map(|bold| bold.split(' ').next())
        .filter(|word| is_rule(word))
        .collect();
    let mut found = Vec::new();
    for (at, line) in source.text.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            if is_rule(word) && !explained.contains(word) {
                let what = format!("cites {word}, which ARCHITECTURE.md does not explain");
                found.push(Finding::new(&source.path, at + 1, what));
            }
        }
    }
    found
}

fn is_rule(word: &str) -> bool {
    word.strip_prefix('P')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Finds the host of a package registry.
pub fn registry_hosts(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate();
    lines
        .filter_map(|(at, line)| {
            let host = HOSTS.iter().find(|host| line.contains(**host))?;
            Some(Finding::new(&source.path, at + 1, format!("names a package registry's host, {host}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_without_its_rule_is_found() {
        let architecture = "Text.\n**P8 Closed time.** The leader…\n";
        let cited = Source::of("a.rs", "//! Time (`P8`).\n//! Floors (`P11`).\n");
        let expected = Finding::new("a.rs", 2, "cites P11, which ARCHITECTURE.md does not explain");
        assert_eq!(unexplained_rules(&cited, architecture), vec![expected]);
    }

    #[test]
    fn a_host_is_found() {
        let named = Source::of("README.md", &format!("See https://{}/x", HOSTS[0]));
        assert_eq!(registry_hosts(&named).len(), 1);
        assert!(registry_hosts(&Source::of("README.md", "See the npm registry.")).is_empty());
    }
}
