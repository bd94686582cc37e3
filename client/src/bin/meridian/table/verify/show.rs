//! Shows what a verification found.

use serde_json::{Value, json};

use super::compare::{Difference, State};
use super::{Region, Report};
use crate::arguments::Spelling;
use crate::failure::Failure;
use crate::output::Output;
use crate::shape;

/// Prints the report.
pub(super) fn report(
    table: &str,
    regions: &[Region],
    report: &Report,
    output: &Output,
) -> Result<(), Failure> {
    let endpoints: Vec<&str> = regions.iter().map(|region| region.endpoint.as_str()).collect();
    if output.is_json() {
        return output.value(&value(table, &endpoints, report)?);
    }
    let equal = report.differences.is_empty() && !report.more;
    let counts = endpoints.iter().zip(&report.digests).map(|(endpoint, digest)| {
        let positions = digest.positions.iter().map(|at| format!("{}@{}", at.partition, at.applied_index));
        let count: u64 = digest.parts.iter().map(|part| part.count).sum();
        vec![(*endpoint).to_owned(), count.to_string(), positions.collect::<Vec<_>>().join(" ")]
    });
    output.table(vec!["Endpoint".into(), "Count".into(), "Positions".into()], counts.collect())?;
    if !report.differences.is_empty() {
        let mut headings = vec!["Key".to_owned()];
        headings.extend(endpoints.iter().map(|endpoint| (*endpoint).to_owned()));
        let rows = report.differences.iter().map(row).collect::<Result<Vec<_>, Failure>>()?;
        output.table(headings, rows)?;
    }
    output.line(match (equal, report.more) {
        (true, _) => "equal",
        (false, false) => "different",
        (false, true) => "different; not every differing key is named",
    })
}

fn row(difference: &Difference) -> Result<Vec<String>, Failure> {
    let key = shape::item(difference.key.attributes.clone(), Spelling { plain: true })?;
    let state = |state: &State| match time(*state) {
        Some(time) => format!("{} {}.{}", word(*state), time >> 16, time & 0xffff),
        None => word(*state).to_owned(),
    };
    Ok(std::iter::once(key.to_string()).chain(difference.states.iter().map(state)).collect())
}

fn value(table: &str, endpoints: &[&str], report: &Report) -> Result<Value, Failure> {
    let region = |(endpoint, digest): (&&str, &proto::v1::DigestTableResponse)| {
        let position =
            |at: &proto::v1::Position| json!({"Partition": at.partition, "AppliedIndex": at.applied_index});
        json!({
            "Endpoint": endpoint,
            "TableId": digest.table_id,
            "Count": digest.parts.iter().map(|part| part.count).sum::<u64>(),
            "Positions": digest.positions.iter().map(position).collect::<Vec<_>>(),
        })
    };
    let differences = report.differences.iter().map(|found| difference(found, endpoints));
    Ok(json!({
        "TableName": table,
        "Equal": report.differences.is_empty() && !report.more,
        "Regions": endpoints.iter().zip(&report.digests).map(region).collect::<Vec<_>>(),
        "Differences": differences.collect::<Result<Vec<_>, Failure>>()?,
        "MoreDifferences": report.more,
    }))
}

fn difference(difference: &Difference, endpoints: &[&str]) -> Result<Value, Failure> {
    let version = |(endpoint, state): (&&str, &State)| {
        let mut version = json!({"Endpoint": endpoint, "State": word(*state)});
        if let Some(time) = time(*state) {
            version["Time"] = json!(time);
        }
        version
    };
    let key = shape::item(difference.key.attributes.clone(), Spelling { plain: false })?;
    let versions: Vec<Value> = endpoints.iter().zip(&difference.states).map(version).collect();
    Ok(json!({"Key": key, "Versions": versions}))
}

fn word(state: State) -> &'static str {
    match state {
        State::Missing => "missing",
        State::Older { .. } => "older",
        State::Newest { .. } => "newest",
        State::Conflicting { .. } => "conflicting",
    }
}

fn time(state: State) -> Option<u64> {
    match state {
        State::Missing => None,
        State::Older { time } | State::Newest { time } | State::Conflicting { time } => Some(time),
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::{DigestTableResponse, Item, PartDigest, Position};

    use super::*;

    #[test]
    fn the_report_names_positions_counts_and_keys() {
        let digest = |count| DigestTableResponse {
            table_id: "7".into(),
            parts: vec![PartDigest { range: None, count, digest: vec![] }],
            positions: vec![Position { partition: 16, applied_index: 40 }],
        };
        let states = vec![State::Newest { time: 9 }, State::Missing];
        let report = Report {
            digests: vec![digest(2), digest(1)],
            differences: vec![Difference { key: Item::default(), states }],
            more: false,
        };
        let region = |endpoint, count| {
            json!({"Endpoint": endpoint, "TableId": "7", "Count": count,
                "Positions": [{"Partition": 16, "AppliedIndex": 40}]})
        };
        assert_eq!(
            value("movies", &["a", "b"], &report).unwrap(),
            json!({
                "TableName": "movies", "Equal": false, "Regions": [region("a", 2), region("b", 1)],
                "Differences": [{"Key": {}, "Versions": [
                    {"Endpoint": "a", "State": "newest", "Time": 9}, {"Endpoint": "b", "State": "missing"}]}],
                "MoreDifferences": false,
            })
        );
    }
}
