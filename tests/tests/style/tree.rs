//! The files that the rules judge: what stands in the repository, less what builds and runs leave there.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no source of ours.
const SKIPPED_FOLDERS: [&str; 6] = [".git", "target", "data", "artifacts", "corpus", "coverage"];

/// One file's text.
pub struct Source {
    /// Relative to the repository's root, with `/` between folders.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A file that exists only in a test.
    #[cfg(test)]
    pub fn of(path: &str, text: &str) -> Self {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether the file is a test as a whole: it stands in a crate's `tests` folder.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the repository that must exist.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every `.rs` file.
pub fn sources() -> Vec<Source> {
    texts().into_iter().filter(|source| source.path.ends_with(".rs")).collect()
}

/// Every crate's `Cargo.toml`; the workspace's own is left out.
pub fn manifests() -> Vec<Source> {
    texts().into_iter().filter(|source| source.path.ends_with("/Cargo.toml")).collect()
}

/// Every file that is text and written by hand: `Cargo.lock` is Cargo's.
pub fn texts() -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a folder being read stays readable");
        let name = entry.file_name().into_string().expect("file names here are UTF-8");
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                walk(&entry.path(), &format!("{path}/"), found);
            }
        } else if name != "Cargo.lock"
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push(Source { path, text });
        }
    }
}
