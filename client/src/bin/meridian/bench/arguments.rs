//! What may stand after `meridian bench`.

use clap::Args;
use types::limits::{
    BENCH_CONNECTIONS_MAX, BENCH_IN_FLIGHT_MAX, BENCH_ITEM_BYTES_MIN, BENCH_KEYS_MAX, BENCH_PAGE_ITEMS_MAX,
    BENCH_RATE_MAX, BENCH_SECONDS_MAX, ITEM_BYTES_MAX, PARTITIONS_MAX,
};

use super::workload::Workload;
use super::zipf::Theta;

#[derive(Args, Clone, Debug)]
pub(crate) struct Bench {
    /// What to measure.
    #[arg(value_enum)]
    pub(crate) workload: Workload,
    /// Make every call a gRPC call of its own, instead of sending them through one stream.
    #[arg(long)]
    pub(crate) unary: bool,
    /// Send every call through an endpoint, which passes on what another node leads, and none straight there.
    #[arg(long)]
    pub(crate) through: bool,
    /// The size of an item, names and values together; of the payload for echo.
    #[arg(long, default_value_t = 300, value_name = "BYTES",
        value_parser = clap::value_parser!(u32).range(BENCH_ITEM_BYTES_MIN as i64..=ITEM_BYTES_MAX as i64))]
    pub(crate) item_size: u32,
    /// How many operations are under way at once.
    #[arg(long, default_value_t = 64, value_name = "OPERATIONS",
        value_parser = clap::value_parser!(u32).range(1..=BENCH_IN_FLIGHT_MAX as i64))]
    pub(crate) in_flight: u32,
    /// Over how many connections they are spread; each brings a thread while there are processors for them.
    #[arg(long, default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=BENCH_CONNECTIONS_MAX as i64))]
    pub(crate) connections: u32,
    /// For how long to measure.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=BENCH_SECONDS_MAX))]
    pub(crate) seconds: u64,
    /// For how long to run before measuring.
    #[arg(long, default_value_t = 1, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(0..=BENCH_SECONDS_MAX))]
    pub(crate) warm_up: u64,
    /// Start so many operations in every second, and count latency from when each was to start; without it
    /// one operation follows the other.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u64).range(1..=BENCH_RATE_MAX))]
    pub(crate) rate: Option<u64>,
    /// How many items there are.
    #[arg(long, default_value_t = 100_000, value_name = "ITEMS",
        value_parser = clap::value_parser!(u64).range(1..=BENCH_KEYS_MAX))]
    pub(crate) keys: u64,
    /// Choose some items much oftener than others; uniformly without it. YCSB uses 0.99.
    #[arg(long, value_name = "THETA")]
    pub(crate) zipf: Option<Theta>,
    /// Partitions of the table.
    #[arg(long, default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PARTITIONS_MAX)))]
    pub(crate) partitions: u32,
    /// Let reads be answered by any copy, instead of with what was last written in the region.
    #[arg(long)]
    pub(crate) eventual: bool,
    /// Items in a page of `query`.
    #[arg(long, default_value_t = 20, value_name = "ITEMS",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(BENCH_PAGE_ITEMS_MAX)))]
    pub(crate) limit: u32,
    /// Use a table that is there and holds the items already; do not drop it.
    #[arg(long, value_name = "TABLE")]
    pub(crate) table: Option<String>,
    /// The same, but create and load the table if it is missing.
    #[arg(long, value_name = "TABLE", conflicts_with = "table")]
    pub(crate) keep: Option<String>,
}

impl Bench {
    /// How skewed the choice of items is; that of the latest always is.
    pub(super) fn theta(&self) -> Option<Theta> {
        self.zipf.or((self.workload == Workload::D).then_some(Theta::USUAL))
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn parse(line: &[&str]) -> Result<Bench, clap::Error> {
        let command = Bench::augment_args(Command::new("bench"));
        let matches = command.try_get_matches_from([&["bench"], line].concat())?;
        Bench::from_arg_matches(&matches)
    }

    #[test]
    fn a_workload_alone_is_enough() {
        let bench = parse(&["get"]).unwrap();
        assert_eq!((bench.workload, bench.item_size, bench.in_flight), (Workload::Get, 300, 64));
        assert_eq!((bench.connections, bench.seconds, bench.warm_up), (1, 10, 1));
        assert_eq!((bench.keys, bench.zipf, bench.partitions, bench.rate), (100_000, None, 1, None));
        assert!(!bench.through && parse(&["get", "--through"]).unwrap().through);
        assert_eq!((bench.theta(), parse(&["d"]).unwrap().theta()), (None, Some(Theta::USUAL)));
    }

    #[test]
    fn what_is_out_of_range_is_wrong_usage_and_named_with_its_limit() {
        for (line, word) in [
            (vec!["nothing"], "echo, put, get, update, query, a, b, c, d, e, f"),
            (vec!["get", "--in-flight", "0"], "1..=8192"),
            (vec!["get", "--keys", "0"], "1..=100000000"),
            (vec!["get", "--item-size", "409601"], "64..=409600"),
            (vec!["get", "--item-size", "10"], "64..=409600"),
            (vec!["get", "--connections", "0"], "1..=256"),
            (vec!["get", "--seconds", "0"], "1..=86400"),
            (vec!["get", "--rate", "0"], "1..=10000000"),
            (vec!["get", "--zipf", "1"], "between 0 and 1"),
            (vec!["get", "--partitions", "4097"], "1..=4096"),
            (vec!["query", "--limit", "0"], "1..=128"),
            (vec!["get", "--table", "a", "--keep", "b"], "cannot be used with"),
        ] {
            let error = parse(&line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line:?}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
