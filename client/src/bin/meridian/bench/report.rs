//! What a run came to: JSON for programs, tables for people.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::arguments::Bench;
use super::measure::Measured;
use super::recorder::histogram;
use crate::failure::Failure;
use crate::output::Output;

/// Prints the report.
pub(super) fn show(
    arguments: &Bench,
    table: &str,
    measured: &Measured,
    output: &Output,
) -> Result<(), Failure> {
    if output.is_json() {
        return output.value(&value(arguments, table, measured));
    }
    let headings = ["", "operations", "p50 µs", "p90 µs", "p99 µs", "p99.9 µs", "max µs", "mean µs"];
    let mut rows = vec![row(&arguments.workload.name(), &all(measured))];
    rows.extend(by_kind(arguments, measured).map(|(kind, latencies)| row(kind, latencies)));
    output.table(headings.map(str::to_owned).to_vec(), rows)?;
    output.line(&summary(measured))?;
    measured.recorder.errors.iter().try_for_each(|(name, count)| output.line(&format!("{count} × {name}")))
}

/// One line below the table.
fn summary(measured: &Measured) -> String {
    let recorder = &measured.recorder;
    let rate = per_second(recorder.operations(), measured.took);
    let seconds = measured.took.as_secs_f64();
    let mut line = format!("{rate:.0} operations/s over {seconds:.1} s, {} failed", recorder.failures());
    if recorder.missing > 0 {
        line += &format!(", {} found nothing", recorder.missing);
    }
    if measured.unstarted > 0 {
        line += &format!(", {} were due and could not start", measured.unstarted);
    }
    line
}

fn row(name: &str, latencies: &Histogram<u64>) -> Vec<String> {
    let figures = figures(latencies).map(|(_, us)| format!("{us:.1}"));
    [name.to_owned(), latencies.len().to_string()].into_iter().chain(figures).collect()
}

fn value(arguments: &Bench, table: &str, measured: &Measured) -> Value {
    let recorder = &measured.recorder;
    let rate = round(per_second(recorder.operations(), measured.took), 1);
    let mut report = json!({
        "workload": arguments.workload.name(),
        "ops_per_second": rate,
        "operations": recorder.operations(),
        "seconds": round(measured.took.as_secs_f64(), 3),
        "latency_us": latency(&all(measured)),
        "errors": {"total": recorder.failures(), "by_name": recorder.errors},
        "missing": recorder.missing,
    });
    if arguments.workload.is_mix() {
        let kinds = by_kind(arguments, measured);
        report["by_kind"] = kinds.map(|(kind, latencies)| (kind.to_owned(), kind_value(latencies))).collect();
    }
    if let Some(wanted) = arguments.rate {
        report["rate"] = json!(wanted);
        report["rate_achieved"] = json!(rate);
        report["unstarted"] = json!(measured.unstarted);
    }
    report["settings"] = settings(arguments, table);
    report
}

fn kind_value(latencies: &Histogram<u64>) -> Value {
    json!({"operations": latencies.len(), "latency_us": latency(latencies)})
}

fn settings(arguments: &Bench, table: &str) -> Value {
    json!({
        "table": if arguments.workload.has_table() { json!(table) } else { Value::Null },
        "unary": arguments.unary,
        "through": arguments.through,
        "item_size": arguments.item_size,
        "in_flight": arguments.in_flight,
        "connections": arguments.connections,
        "seconds": arguments.seconds,
        "warm_up": arguments.warm_up,
        "keys": arguments.keys,
        "zipf": arguments.theta().map(|theta| theta.number()),
        "partitions": arguments.partitions,
        "eventual": arguments.eventual,
        "limit": arguments.limit,
    })
}

/// The latencies of all parts together.
fn all(measured: &Measured) -> Histogram<u64> {
    measured.recorder.latencies.iter().fold(histogram(), |mut all, part| {
        all.add(part).expect("all histograms have the same bounds");
        all
    })
}

/// The latencies of each part, for workloads that have several by their nature.
fn by_kind<'m>(
    arguments: &Bench,
    measured: &'m Measured,
) -> impl Iterator<Item = (&'static str, &'m Histogram<u64>)> {
    let parts = if arguments.workload.is_mix() { arguments.workload.parts() } else { &[] };
    parts.iter().map(|part| part.kind).zip(&measured.recorder.latencies)
}

/// `p50`, `p90`, … in microseconds; zeros when there are none.
fn latency(latencies: &Histogram<u64>) -> Value {
    let members = figures(latencies).map(|(name, us)| (name.to_owned(), json!(round(us, 1))));
    Value::Object(members.collect::<Map<_, _>>())
}

fn figures(latencies: &Histogram<u64>) -> impl Iterator<Item = (&'static str, f64)> {
    let quantile = |quantile| latencies.value_at_quantile(quantile) as f64;
    let figures = [
        ("p50", quantile(0.5)),
        ("p90", quantile(0.9)),
        ("p99", quantile(0.99)),
        ("p999", quantile(0.999)),
        ("max", latencies.max() as f64),
        ("mean", latencies.mean()),
    ];
    figures.into_iter().map(|(name, nanoseconds)| (name, nanoseconds / 1000.0))
}

fn per_second(operations: u64, took: Duration) -> f64 {
    operations as f64 / took.as_secs_f64().max(0.001)
}

fn round(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use clap::{Args, Command, FromArgMatches};

    use super::*;
    use crate::bench::recorder::Recorder;

    fn arguments(line: &[&str]) -> Bench {
        let matches = Bench::augment_args(Command::new("bench"));
        let matches = matches.try_get_matches_from([&["bench"], line].concat()).unwrap();
        Bench::from_arg_matches(&matches).unwrap()
    }

    fn measured(parts: usize) -> Measured {
        let mut recorder = Recorder::new(parts);
        for count in 1..=1000 {
            recorder.answered(count % parts, Duration::from_micros(count as u64), Instant::now(), true);
        }
        recorder.failed("ThrottlingException");
        Measured { recorder, took: Duration::from_secs(2), unstarted: 3 }
    }

    fn near(value: &Value, expected: f64) {
        let value = value.as_f64().unwrap();
        assert!((value - expected).abs() <= expected / 1000.0, "{value}, not {expected}");
    }

    #[test]
    fn a_report_has_the_shape_that_programs_read() {
        let report = value(&arguments(&["get"]), "bench-1", &measured(1));
        assert_eq!((&report["workload"], &report["operations"]), (&json!("get"), &json!(1000)));
        assert_eq!(report["ops_per_second"].as_f64(), Some(500.0));
        assert_eq!(report["seconds"].as_f64(), Some(2.0));
        for (name, expected) in [("p50", 500.0), ("p90", 900.0), ("p99", 990.0), ("p999", 999.0)] {
            near(&report["latency_us"][name], expected);
        }
        near(&report["latency_us"]["max"], 1000.0);
        near(&report["latency_us"]["mean"], 500.5);
        assert_eq!(report["errors"], json!({"total": 1, "by_name": {"ThrottlingException": 1}}));
        assert_eq!(report["missing"], json!(0));
        assert_eq!(report["settings"]["table"], json!("bench-1"));
        assert_eq!(report["settings"]["zipf"], Value::Null);
        for absent in ["by_kind", "rate", "rate_achieved", "unstarted"] {
            assert!(report.get(absent).is_none(), "{report}");
        }
    }

    #[test]
    fn a_mix_at_a_rate_tells_its_kinds_and_rates_apart() {
        let report = value(&arguments(&["a", "--rate", "600", "--zipf", "0.9"]), "t", &measured(2));
        assert_eq!(report["by_kind"]["read"]["operations"], json!(500));
        near(&report["by_kind"]["write"]["latency_us"]["max"], 999.0);
        assert_eq!((&report["rate"], &report["unstarted"]), (&json!(600), &json!(3)));
        assert_eq!(report["rate_achieved"].as_f64(), Some(500.0));
        assert_eq!(report["settings"]["zipf"].as_f64(), Some(0.9));
    }

    #[test]
    fn people_see_what_went_wrong() {
        let mut measured = measured(1);
        measured.recorder.missing = 2;
        let expected =
            "500 operations/s over 2.0 s, 1 failed, 2 found nothing, 3 were due and could not start";
        assert_eq!(summary(&measured), expected);
        let latencies = all(&measured);
        assert_eq!(row("get", &latencies)[..2], ["get", "1000"]);
        assert_eq!(row("get", &histogram())[1..4], ["0", "0.0", "0.0"]);
    }
}
