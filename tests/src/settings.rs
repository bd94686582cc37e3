//! What the Makefile tells the tests: where the binaries are, how often to try, whether times are judged.

use std::env;
use std::path::PathBuf;

use tempfile::TempDir;

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

/// How much of something: in full where times are judged, and what a change can wait for otherwise.
pub fn amount(full: u64, otherwise: u64) -> u64 {
    if judges_times() { full } else { otherwise }
}

/// Whether times are judged: only when nothing else runs on the machine.
pub fn judges_times() -> bool {
    env::var_os("MERIDIAN_ACCEPT").is_some()
}

/// A new folder on the disk of the target folder: the usual temporary folder may be memory, where a sync
/// costs nothing.
pub fn disk_folder() -> TempDir {
    let folder = target().join("tmp");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    tempfile::tempdir_in(folder).expect("a temporary folder can be made")
}

/// A folder of binaries: named by the Makefile, or in the target folder that this test was built in.
fn folder(variable: &str, name: &str) -> PathBuf {
    env::var_os(variable).map_or_else(|| target().join(name), PathBuf::from)
}

fn target() -> PathBuf {
    let own = env::current_exe().expect("a running program has a path");
    own.ancestors().nth(3).expect("tests run from target/release/deps").to_owned()
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is missing: run `make shipped hooked datasets`", path.display());
    path
}
