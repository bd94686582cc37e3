//! Why a data folder cannot be opened. Each names the file and what to do about it.

use std::path::PathBuf;

/// What to do with a folder that is damaged: no program can put back what the disk lost.
const REMEDY: &str =
    "restore the folder from a copy, or move it away and let this node be filled again from others";

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process, or another part of this one, uses the folder.
    #[error("{} is held by a running server: stop it, or choose another data folder", file.display())]
    Locked {
        /// The lock file.
        file: PathBuf,
    },
    /// The folder holds something, but not Meridian's data.
    #[error("{} is not empty and has no FORMAT file: choose an empty data folder", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
    /// The FORMAT file is not one that any release wrote.
    #[error("{} is damaged: {REMEDY}", file.display())]
    Format {
        /// The file.
        file: PathBuf,
    },
    /// A later release wrote the folder.
    #[error("{} has format {found}, this release reads up to {known}: start a later one", file.display())]
    TooNew {
        /// The FORMAT file.
        file: PathBuf,
        /// The format met.
        found: u32,
        /// The newest format this release reads.
        known: u32,
    },
    /// A log file has bytes that were durable once and are others today.
    #[error("{} is damaged at byte {offset}, before its end: {REMEDY}", file.display())]
    DamagedLog {
        /// The file.
        file: PathBuf,
        /// Where the first batch begins that does not read back.
        offset: u64,
    },
    /// A log file that was durable once is shorter today, or gone.
    #[error("{} has {found} of the {synced} bytes that were durable: {REMEDY}", file.display())]
    ShortLog {
        /// The file.
        file: PathBuf,
        /// Its bytes today.
        found: u64,
        /// Its durable bytes when it was last synced.
        synced: u64,
    },
    /// RocksDB refuses its folder, by a checksum or otherwise.
    #[error("{} cannot be opened ({source}): {REMEDY}", folder.display())]
    Database {
        /// RocksDB's folder.
        folder: PathBuf,
        /// Its reason, which names the file.
        source: rocksdb::Error,
    },
    /// raft-engine refuses its folder.
    #[error("{} cannot be opened ({source}): {REMEDY}", folder.display())]
    Log {
        /// raft-engine's folder.
        folder: PathBuf,
        /// Its reason.
        source: raft_engine::Error,
    },
    /// A path that raft-engine, which takes text, cannot be told.
    #[error("{} is not valid UTF-8: choose another data folder", folder.display())]
    Path {
        /// The folder.
        folder: PathBuf,
    },
    /// The system refused.
    #[error("cannot {operation} {}: {source}", path.display())]
    System {
        /// What was tried.
        operation: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Error {
    /// Makes a system's refusal into an error, for `map_err`.
    pub(crate) fn system(
        operation: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::System { operation, path, source }
    }
}
