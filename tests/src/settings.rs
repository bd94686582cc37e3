//! What the Makefile tells the tests: where the binaries are, how often to try, whether times are judged.

use std::env;
use std::path::PathBuf;

/// Which server a test starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Build {
    /// What users get.
    Shipped,
    /// The same with bugs to plant.
    Hooked,
}

impl Build {
    /// The path of its `meridian-server`.
    pub fn server(self) -> PathBuf {
        let folder = match self {
            Build::Shipped => folder("MERIDIAN_SHIPPED", "shipped"),
            Build::Hooked => folder("MERIDIAN_HOOKED", "hooked"),
        };
        existing(folder.join("meridian-server"))
    }
}

/// The path of the command line.
pub fn meridian() -> PathBuf {
    existing(folder("MERIDIAN_SHIPPED", "shipped").join("meridian"))
}

/// The path of a file of the npm package vega-datasets.
pub fn dataset(name: &str) -> PathBuf {
    let folder = env::var_os("MERIDIAN_DATASETS").expect("MERIDIAN_DATASETS is set by `make test`");
    existing(PathBuf::from(folder).join(name))
}

/// How often to try what is left to chance: `MERIDIAN_COUNT`, or what a change can wait for.
pub fn count(otherwise: usize) -> usize {
    match env::var("MERIDIAN_COUNT") {
        Ok(count) => count.parse().expect("MERIDIAN_COUNT is a number"),
        Err(_) => otherwise,
    }
}

/// Whether times are judged: only when nothing else runs on the machine.
pub fn judges_times() -> bool {
    env::var_os("MERIDIAN_ACCEPT").is_some()
}

/// A folder of binaries: named by the Makefile, or in the target folder that this test was built in.
fn folder(variable: &str, name: &str) -> PathBuf {
    if let Some(folder) = env::var_os(variable) {
        return folder.into();
    }
    let own = env::current_exe().expect("a running program has a path");
    let target = own.ancestors().nth(3).expect("tests run from target/release/deps");
    target.join(name)
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is missing: run `make shipped hooked datasets`", path.display());
    path
}
