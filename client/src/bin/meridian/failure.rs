//! Why a command did not succeed, and the exit status that says so.

use std::io;
use std::path::PathBuf;

/// Every way in which a command fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] client::Error),
    /// An argument that is no JSON, or not the JSON it should be.
    #[error("{argument}: {cause}")]
    Json {
        /// Its name in the usage.
        argument: &'static str,
        /// What is wrong with it.
        cause: item::json::InvalidJson,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A CSV file whose first row cannot name attributes.
    #[error("the header row: {cause}")]
    Header {
        /// Why.
        cause: crate::import::csv::InvalidHeader,
    },
    /// Standard output could not be written.
    #[error("standard output: {source}")]
    Output {
        /// Why.
        #[from]
        source: io::Error,
    },
    /// The runtime did not start.
    #[error("cannot start: {source}")]
    Runtime {
        /// Why.
        source: io::Error,
    },
    /// An endpoint of another region than the one named.
    #[error("{endpoint} is region {actual}, not {named}: give the endpoint of {named}")]
    OtherRegion {
        /// The endpoint.
        endpoint: String,
        /// Its region.
        actual: String,
        /// The region in the arguments.
        named: String,
    },
    /// A command for a number of endpoints other than was given.
    #[error("{command} needs {needs}: got {got}")]
    Endpoints {
        /// The command.
        command: &'static str,
        /// In words.
        needs: &'static str,
        /// How many were given.
        got: usize,
    },
    /// A file that should hold an authority's certificates.
    #[error("{}: {cause}", path.display())]
    Authority {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        cause: client::Error,
    },
    /// An endpoint that speaks TLS, without an authority to trust it by.
    #[error("{endpoint} needs --authority FILE, the certificate by which its servers are trusted")]
    NoAuthority {
        /// Which.
        endpoint: String,
    },
    /// The endpoints do not have the same table under this name.
    #[error("not the same table: {one} has id {one_id}, {other} has id {other_id}")]
    OtherTable {
        /// An endpoint.
        one: String,
        /// Its table's id.
        one_id: String,
        /// Another endpoint.
        other: String,
        /// Its table's id.
        other_id: String,
    },
    /// A table that did not become ACTIVE in time.
    #[error("table {table} is still not ACTIVE after {seconds} s; it goes on being created")]
    StillCreating {
        /// Which.
        table: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A table whose key is not what the benchmark needs.
    #[error("table {table} has another key than {key}, which this workload needs")]
    OtherKey {
        /// Which.
        table: String,
        /// The key that it should have.
        key: String,
    },
    /// A table that lacks the items of a benchmark.
    #[error("table {table} does not hold so many items: load it with --keep and the same --keys")]
    NotLoaded {
        /// Which.
        table: String,
    },
    /// Items of a benchmark that the server left unprocessed for too long.
    #[error("table {table} could not be loaded: the server leaves items unprocessed")]
    Unprocessed {
        /// Which.
        table: String,
    },
    /// A benchmark's table that is still there.
    #[error("table {table} was not dropped: {cause}")]
    NotDropped {
        /// Which.
        table: String,
        /// Why.
        cause: client::Error,
    },
    /// The user did not wait until a benchmark's table was dropped.
    #[error("table {table} may not be dropped: interrupted again")]
    Left {
        /// Which.
        table: String,
    },
    /// The user ended the command.
    #[error("interrupted")]
    Interrupted,
    /// An answer that this release does not understand.
    #[error("the server's answer is not understood: {cause}")]
    Answer {
        /// What is wrong with it.
        cause: item::json::InvalidJson,
    },
}

impl Failure {
    /// 2 for wrong usage, 1 for anything else.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Failure::Json { .. }
            | Failure::Header { .. }
            | Failure::OtherKey { .. }
            | Failure::NotLoaded { .. }
            | Failure::OtherRegion { .. }
            | Failure::Endpoints { .. }
            | Failure::Authority { .. }
            | Failure::NoAuthority { .. }
            | Failure::Call(client::Error::Endpoint { .. }) => 2,
            _ => 1,
        }
    }

    /// A name for programs: DynamoDB's where it is the server's word.
    pub(crate) fn name(&self) -> &str {
        match self {
            Failure::Call(error) => error.name(),
            _ if self.exit_status() == 2 => "UsageError",
            _ => "CommandError",
        }
    }

    /// Whether it only tells that nobody reads the output any more.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Failure::Output { source } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
