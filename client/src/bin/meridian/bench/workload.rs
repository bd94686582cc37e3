//! What a run does: the workloads of the command line, and the table of what each consists of.
//!
//! `a` to `f` are those of the Yahoo! Cloud Serving Benchmark (Cooper et al., SoCC 2010, section 4).

use clap::ValueEnum;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// Pings that come back with their payload: the cost of a call alone.
    Echo,
    /// Puts of whole items.
    Put,
    /// Gets of single items.
    Get,
    /// Updates that count up an attribute.
    Update,
    /// Queries for a page of items.
    Query,
    /// YCSB A: half reads, half updates.
    A,
    /// YCSB B: 95 % reads, 5 % updates.
    B,
    /// YCSB C: reads only.
    C,
    /// YCSB D: 95 % reads of the latest items, 5 % inserts.
    D,
    /// YCSB E: 95 % short scans, 5 % inserts.
    E,
    /// YCSB F: half reads, half reads each followed by a write of the same item.
    F,
}

/// What one operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Sends a payload there and back.
    Echo,
    /// Puts an item in the place of a loaded one.
    Put,
    /// Puts an item that was not there.
    Insert,
    /// Gets an item.
    Get,
    /// Counts up an attribute.
    CountUp,
    /// Gives an item another payload, as YCSB's updates give a field another value.
    Replace,
    /// Gets an item, then gives it another payload.
    GetAndReplace,
    /// Queries for a full page.
    Page,
    /// Queries for a page of any length up to YCSB's hundred.
    Scan,
}

/// A share of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What is done.
    pub(super) action: Action,
    /// In how many of a hundred operations.
    pub(super) percent: u32,
    /// What the report calls it.
    pub(super) kind: &'static str,
}

const fn part(action: Action, percent: u32, kind: &'static str) -> Part {
    Part { action, percent, kind }
}

const HALF_READS: Part = part(Action::Get, 50, "read");

impl Workload {
    /// The parts; their shares add up to a hundred.
    pub(super) fn parts(self) -> &'static [Part] {
        match self {
            Workload::Echo => const { &[part(Action::Echo, 100, "echo")] },
            Workload::Put => const { &[part(Action::Put, 100, "write")] },
            Workload::Get => const { &[part(Action::Get, 100, "read")] },
            Workload::Update => const { &[part(Action::CountUp, 100, "write")] },
            Workload::Query => const { &[part(Action::Page, 100, "scan")] },
            Workload::A => const { &[HALF_READS, part(Action::Replace, 50, "write")] },
            Workload::B => const { &[part(Action::Get, 95, "read"), part(Action::Replace, 5, "write")] },
            Workload::C => const { &[part(Action::Get, 100, "read")] },
            Workload::D => const { &[part(Action::Get, 95, "read"), part(Action::Insert, 5, "insert")] },
            Workload::E => const { &[part(Action::Scan, 95, "scan"), part(Action::Insert, 5, "insert")] },
            Workload::F => const { &[HALF_READS, part(Action::GetAndReplace, 50, "read_modify_write")] },
        }
    }

    /// The part for a number below a hundred.
    pub(super) fn draw(self, mut percent: u32) -> usize {
        let parts = self.parts();
        let holds = |part: &Part| match percent.checked_sub(part.percent) {
            Some(rest) => {
                percent = rest;
                false
            }
            None => true,
        };
        parts.iter().position(holds).unwrap_or(0)
    }

    /// Whether it is one of YCSB's, whose parts the report tells apart.
    pub(super) fn is_mix(self) -> bool {
        matches!(self, Workload::A | Workload::B | Workload::C | Workload::D | Workload::E | Workload::F)
    }

    /// Whether it needs a table at all.
    pub(super) fn has_table(self) -> bool {
        self != Workload::Echo
    }

    /// Whether it needs items before it starts.
    pub(super) fn reads(self) -> bool {
        self.has_table() && self != Workload::Put
    }

    /// Whether its table has a sort key.
    pub(super) fn has_sort_key(self) -> bool {
        matches!(self, Workload::Query | Workload::E)
    }

    /// As on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_their_shares() {
        for workload in Workload::value_variants() {
            let parts = workload.parts();
            let mut counts = vec![0; parts.len()];
            (0..100).for_each(|percent| counts[workload.draw(percent)] += 1);
            let shares: Vec<u32> = parts.iter().map(|part| part.percent).collect();
            assert_eq!(counts, shares, "{workload:?}");
        }
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        let names: Vec<String> = Workload::value_variants().iter().map(|workload| workload.name()).collect();
        assert_eq!(names.join("|"), "echo|put|get|update|query|a|b|c|d|e|f");
    }
}
