//! What may stand on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use types::limits::{IMPORT_BATCHES_IN_FLIGHT_MAX, PARTITIONS_MAX, SCAN_SEGMENTS_AT_ONCE_MAX};

/// The command line of Meridian.
#[derive(Parser, Debug)]
#[command(name = "meridian", version, about)]
pub(crate) struct Arguments {
    /// Where the region listens; several are tried in this order.
    #[arg(
        long,
        global = true,
        env = "MERIDIAN_ENDPOINT",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:7001",
        value_name = "URL"
    )]
    pub(crate) endpoint: Vec<String>,
    /// The certificates of the authority by which https:// endpoints are trusted, in PEM.
    #[arg(long, global = true, env = "MERIDIAN_AUTHORITY", value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,
    /// Print JSON even on a terminal.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create, describe, list, delete and verify tables.
    #[command(subcommand)]
    Table(TableCommand),
    /// Read and write items.
    #[command(subcommand)]
    Item(ItemCommand),
    /// Pause, resume and look at the links between regions.
    #[command(subcommand)]
    Region(RegionCommand),
    /// List, drain, resume and remove the nodes of a region.
    #[command(subcommand)]
    Node(NodeCommand),
    /// List a table's partitions, and move their replicas between nodes.
    #[command(subcommand)]
    Partition(PartitionCommand),
    /// Measure how many operations a region answers, and how fast.
    Bench(crate::bench::arguments::Bench),
}

#[derive(Subcommand, Debug)]
pub(crate) enum TableCommand {
    /// Create a table, and wait until it is ACTIVE.
    Create(CreateTable),
    /// Show a table.
    Describe {
        /// The table.
        table: String,
    },
    /// List the tables.
    List,
    /// Delete a table in every region.
    Delete {
        /// The table.
        table: String,
    },
    /// Compare the regions at the endpoints, and name the keys that differ.
    Verify {
        /// The table.
        table: String,
        /// How long to wait for regions that are not equal yet.
        #[arg(long, default_value_t = 5, value_name = "SECONDS")]
        wait: u64,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateTable {
    /// The table.
    pub(crate) table: String,
    /// The partition key and perhaps a sort key, each with its type S, N or B.
    #[arg(long, value_name = "NAME:TYPE[,NAME:TYPE]")]
    pub(crate) key: crate::table::key::Key,
    /// The regions that hold a copy; the endpoint's own when absent.
    #[arg(long, value_delimiter = ',', value_name = "REGION,…")]
    pub(crate) regions: Vec<String>,
    /// Partitions in each region.
    #[arg(long, default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PARTITIONS_MAX)))]
    pub(crate) partitions: u32,
    /// Do not wait until the table is ACTIVE.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ItemCommand {
    /// Put a whole item.
    Put(PutItem),
    /// Get one item.
    Get(GetItem),
    /// Change one item.
    Update(UpdateItem),
    /// Delete one item.
    Delete(DeleteItem),
    /// Read items of one partition key.
    Query(Query),
    /// Read the whole table.
    Scan(Scan),
    /// Put the rows of a file: a JSON array, JSON lines, or CSV with a header row.
    Import(Import),
    /// Write the whole table as JSON lines.
    Export(Export),
}

/// In which JSON items are given and shown.
#[derive(Args, Debug, Clone, Copy)]
pub(crate) struct Spelling {
    /// Ordinary JSON instead of DynamoDB's.
    #[arg(long)]
    pub(crate) plain: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Substitutions {
    /// What the `#name`s of expressions stand for, as JSON: {"#n": "name"}.
    #[arg(long, value_name = "JSON")]
    pub(crate) names: Option<String>,
    /// What the `:value`s of expressions stand for, as JSON: {":v": {"N": "1"}}, or plain with --plain.
    #[arg(long, value_name = "JSON")]
    pub(crate) values: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct WriteOptions {
    /// Write only if this holds.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) condition: Option<String>,
    /// What to show of the item when it was written.
    #[arg(long, value_enum, default_value_t = Returned::None)]
    pub(crate) return_values: Returned,
    #[command(flatten)]
    pub(crate) substitutions: Substitutions,
    #[command(flatten)]
    pub(crate) spelling: Spelling,
}

/// DynamoDB's `ReturnValues`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Returned {
    /// Nothing.
    None,
    /// The whole item before the write.
    AllOld,
    /// The updated attributes before the write.
    UpdatedOld,
    /// The whole item after the write.
    AllNew,
    /// The updated attributes after the write.
    UpdatedNew,
}

#[derive(Args, Debug)]
pub(crate) struct PutItem {
    /// The table.
    pub(crate) table: String,
    /// The item as JSON.
    pub(crate) item: String,
    #[command(flatten)]
    pub(crate) options: WriteOptions,
}

#[derive(Args, Debug)]
pub(crate) struct GetItem {
    /// The table.
    pub(crate) table: String,
    /// The key as JSON.
    pub(crate) key: String,
    /// Read what was last written in this region.
    #[arg(long)]
    pub(crate) consistent: bool,
    /// Which parts of the item to show.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) projection: Option<String>,
    /// What the `#name`s of the projection stand for, as JSON.
    #[arg(long, value_name = "JSON")]
    pub(crate) names: Option<String>,
    #[command(flatten)]
    pub(crate) spelling: Spelling,
}

#[derive(Args, Debug)]
pub(crate) struct UpdateItem {
    /// The table.
    pub(crate) table: String,
    /// The key as JSON.
    pub(crate) key: String,
    /// What to change.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) update: Option<String>,
    #[command(flatten)]
    pub(crate) options: WriteOptions,
}

#[derive(Args, Debug)]
pub(crate) struct DeleteItem {
    /// The table.
    pub(crate) table: String,
    /// The key as JSON.
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) options: WriteOptions,
}

#[derive(Args, Debug)]
pub(crate) struct ReadOptions {
    /// Keep only items for which this holds.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,
    /// Which parts of the items to show.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) projection: Option<String>,
    /// Read one page of at most so many items; every page when absent.
    #[arg(long, value_name = "ITEMS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Continue after this key, as JSON: the LastEvaluatedKey of the page before.
    #[arg(long, value_name = "KEY")]
    pub(crate) start_key: Option<String>,
    /// Show how many items there are, not the items.
    #[arg(long)]
    pub(crate) count: bool,
    /// Read what was last written in this region.
    #[arg(long)]
    pub(crate) consistent: bool,
    #[command(flatten)]
    pub(crate) substitutions: Substitutions,
    #[command(flatten)]
    pub(crate) spelling: Spelling,
}

#[derive(Args, Debug)]
pub(crate) struct Query {
    /// The table.
    pub(crate) table: String,
    /// Which partition key, and which of its sort keys.
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) key_condition: String,
    /// Show the greatest sort keys first.
    #[arg(long)]
    pub(crate) descending: bool,
    #[command(flatten)]
    pub(crate) options: ReadOptions,
}

#[derive(Args, Debug)]
pub(crate) struct Scan {
    /// The table.
    pub(crate) table: String,
    /// Scan in so many segments at once.
    #[arg(long, default_value_t = 1, conflicts_with_all = ["limit", "start_key"],
        value_parser = clap::value_parser!(u32).range(1..=i64::from(SCAN_SEGMENTS_AT_ONCE_MAX)))]
    pub(crate) segments: u32,
    #[command(flatten)]
    pub(crate) options: ReadOptions,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The table.
    pub(crate) table: String,
    /// The file, or - for standard input.
    pub(crate) file: PathBuf,
    /// What the file holds; read off its name and first byte when absent.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// The rows are DynamoDB's JSON instead of ordinary JSON.
    #[arg(long)]
    pub(crate) dynamodb_json: bool,
    /// Give every row its number as this attribute: from 1, refused rows included.
    #[arg(long, value_name = "ATTRIBUTE")]
    pub(crate) row_number: Option<String>,
    /// Columns of a CSV file that hold numbers; key attributes have the type that the table says.
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    pub(crate) numbers: Vec<String>,
    /// How many batches are under way at once.
    #[arg(long, default_value_t = IMPORT_BATCHES_IN_FLIGHT_MAX as u32, value_name = "BATCHES",
        value_parser = clap::value_parser!(u32).range(1..=IMPORT_BATCHES_IN_FLIGHT_MAX as i64))]
    pub(crate) in_flight: u32,
}

/// What a file to import holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One array, or one value per line.
    Json,
    /// A header row, then rows.
    Csv,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The table.
    pub(crate) table: String,
    /// The file; standard output when absent.
    pub(crate) file: Option<PathBuf>,
    /// Scan in so many segments at once.
    #[arg(long, default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(SCAN_SEGMENTS_AT_ONCE_MAX)))]
    pub(crate) segments: u32,
    #[command(flatten)]
    pub(crate) spelling: Spelling,
}

#[derive(Subcommand, Debug)]
pub(crate) enum RegionCommand {
    /// Stop shipping from one region to another; the endpoint is the first one's.
    Pause {
        /// The region that stops sending.
        from: String,
        /// The region that no longer receives.
        to: String,
    },
    /// Ship again.
    Resume {
        /// The region that sends again.
        from: String,
        /// The region that receives again.
        to: String,
    },
    /// Show the endpoint's region and its peers.
    Status,
}

#[derive(Subcommand, Debug)]
pub(crate) enum NodeCommand {
    /// List the nodes of the endpoint's region.
    List,
    /// Move everything away from a node, and give it nothing more until it is resumed.
    Drain {
        /// The node's number.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        node: u64,
    },
    /// Give a node its share again.
    Resume {
        /// The node's number.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        node: u64,
    },
    /// Take a node out of the region for ever: one that was drained, or one that is dead.
    Remove {
        /// The node's number.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        node: u64,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum PartitionCommand {
    /// List a table's partitions in the endpoint's region.
    List {
        /// The table.
        table: String,
    },
    /// Move a replica of a partition from one node to another.
    Move(MovePartition),
    /// Split a partition in two.
    Split(SplitPartition),
}

#[derive(Args, Debug)]
pub(crate) struct SplitPartition {
    /// The table.
    pub(crate) table: String,
    /// The partition's number.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) partition: u64,
    /// The first hash of the upper half, in hexadecimal as `partition list` shows it [default: the middle].
    #[arg(long, value_name = "HASH")]
    pub(crate) at: Option<Hash>,
}

/// A hash in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hash(pub(crate) u64);

impl std::str::FromStr for Hash {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Hash)
    }
}

#[derive(Args, Debug)]
pub(crate) struct MovePartition {
    /// The table.
    pub(crate) table: String,
    /// The partition's number.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) partition: u64,
    /// The node that gives the replica up.
    #[arg(long, value_name = "NODE", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) from: u64,
    /// The node that takes it.
    #[arg(long, value_name = "NODE", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) to: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn endpoints_may_follow_the_command() {
        let line =
            ["meridian", "table", "verify", "t", "--endpoint", "http://a:1", "--endpoint", "http://b:1"];
        let arguments = Arguments::try_parse_from(line).unwrap();
        assert_eq!(arguments.endpoint, ["http://a:1", "http://b:1"]);
    }

    #[test]
    fn what_is_out_of_range_is_refused_before_any_call() {
        for line in [
            vec!["meridian", "table", "create", "t", "--key", "k:S", "--partitions", "0"],
            vec!["meridian", "table", "create", "t", "--key", "k:S", "--partitions", "4097"],
            vec!["meridian", "table", "create", "t", "--key", "k:X"],
            vec!["meridian", "item", "scan", "t", "--limit", "0"],
            vec!["meridian", "item", "scan", "t", "--segments", "2", "--limit", "5"],
            vec!["meridian", "item", "import", "t", "f", "--in-flight", "33"],
            vec!["meridian", "node", "drain", "0"],
            vec!["meridian", "partition", "move", "t", "--partition", "16", "--from", "1"],
            vec!["meridian", "nothing"],
        ] {
            let error = Arguments::try_parse_from(&line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
    }
}
