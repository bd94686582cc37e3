//! What happened in a run, counted: a simulation that never lost a byte or met a conflict proves nothing.

use serde::Serialize;
use shard::Figures;

use crate::history::{Fact, History, What};
use crate::network::Carried;
use crate::run::Scenario;

macro_rules! counts {
    ($($(#[$doc:meta])* $field:ident,)*) => {
        /// Counts of one run, or of many.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
        pub struct Tally {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Tally {
            /// Adds another run's counts.
            pub fn add(&mut self, other: &Tally) {
                $(self.$field += other.$field;)*
            }

            /// Every count with its name, in the order in which they are declared.
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($field), self.$field),)*]
            }
        }
    };
}

counts! {
    /// Virtual time that passed, in milliseconds.
    virtual_ms,
    /// Virtual time from the end of all faults until the regions agreed, in milliseconds.
    quiesce_ms,
    /// Operations answered, reads and failed conditions included.
    operations,
    /// Writes answered as done, those of batches one by one.
    writes,
    /// Batches of writes answered.
    batch_writes,
    /// Batches of reads answered.
    batch_gets,
    /// Pages of queries answered.
    queries,
    /// Pages of scans answered.
    scans,
    /// Requests whose outcome the client never learnt.
    unknown,
    /// Requests that were refused and did nothing.
    refused,
    /// Processes ended.
    crashes,
    /// Faults of links.
    link_faults,
    /// Connections made.
    connections,
    /// Processes frozen for a while.
    freezes,
    /// Directions paused by command.
    pauses,
    /// Wall clocks stepped.
    steps_made,
    /// Flushes of key spaces.
    flushes,
    /// Bytes appended and not synced that crashes took.
    unsynced_bytes_lost,
    /// Batches written and not flushed that crashes took.
    unflushed_batches_lost,
    /// Acknowledged writes that last-writer-wins lost.
    conflicts,
    /// Batches between regions sent again.
    resends,
    /// Batches held back because a clock was too far ahead.
    batches_held,
    /// Tombstones collected.
    tombstones_collected,
    /// Clock steps that shards noticed.
    clock_steps,
    /// Closed times that shards learnt and that told them more than they knew.
    closed_times_used,
    /// Commands about nodes and replicas that were carried out.
    moves,
    /// Changes of members that leaders proposed.
    changes_of_members,
    /// Replicas whose data came from another node.
    replicas_fetched,
    /// Replicas that were split.
    partitions_split,
    /// Messages carried between regions.
    messages,
    /// Messages lost on the way.
    messages_lost,
    /// Messages that arrived twice.
    messages_doubled,
    /// Messages that arrived over a later connection.
    messages_strayed,
}

impl Tally {
    /// Adds what a shard has counted since its start.
    pub fn take_figures(&mut self, figures: &Figures) {
        self.resends += figures.batches_resent;
        self.batches_held += figures.batches_held;
        self.clock_steps += figures.clock_steps;
        self.changes_of_members += figures.changes_of_members;
        self.replicas_fetched += figures.replicas_fetched;
        self.partitions_split += figures.partitions_split;
        self.closed_times_used += figures.closed_times_received;
    }

    /// Adds what the history shows.
    pub fn take_history(&mut self, history: &History) {
        self.conflicts += history.finals.iter().map(|held| held.ledger.len() as u64).sum::<u64>();
        let collected = |fact: &&Fact| matches!(fact.what, What::Collected { again: false, .. });
        self.tombstones_collected += history.facts.iter().filter(collected).count() as u64;
    }

    /// Adds what the network has counted.
    pub fn take_carried(&mut self, carried: &Carried) {
        self.messages += carried.sent;
        self.messages_lost += carried.lost;
        self.messages_doubled += carried.doubled;
        self.messages_strayed += carried.strayed;
    }

    /// The counts that must not be zero over all runs: without them nothing was put to the test.
    pub fn required(&self, scenario: Scenario) -> Vec<(&'static str, u64)> {
        let mut required = vec![
            ("unsynced bytes lost", self.unsynced_bytes_lost),
            ("re-sends", self.resends),
            ("clock steps", self.clock_steps),
            ("closed times used", self.closed_times_used),
            ("crashes", self.crashes),
            ("link faults", self.link_faults),
        ];
        if matches!(scenario, Scenario::Converge | Scenario::Clusters) {
            required.extend([
                ("conflicts", self.conflicts),
                ("tombstones collected", self.tombstones_collected),
                ("batch writes", self.batch_writes),
                ("batch gets", self.batch_gets),
                ("queries", self.queries),
                ("scans", self.scans),
            ]);
        }
        if scenario == Scenario::Membership {
            required.extend([
                ("moves", self.moves),
                ("changes of members", self.changes_of_members),
                ("replicas fetched", self.replicas_fetched),
            ]);
        }
        required
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_field_by_field() {
        let mut sum = Tally { crashes: 2, messages_strayed: 1, ..Tally::default() };
        sum.add(&Tally { crashes: 3, virtual_ms: 7, ..Tally::default() });
        assert_eq!(sum, Tally { crashes: 5, messages_strayed: 1, virtual_ms: 7, ..Tally::default() });
        assert!(
            sum.named().contains(&("crashes", 5))
                && sum.required(Scenario::Register).contains(&("crashes", 5))
        );
    }
}
