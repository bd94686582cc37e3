//! Batches that have arrived and whose shares are not all committed: who is waiting for what.
//!
//! A batch is acknowledged when every receiving partition has committed its share (`P13`); one that arrives
//! again meanwhile is not begun twice, and one out of an older stream is dropped.

use std::collections::BTreeMap;

use types::{GroupId, Incarnation, limits};

use crate::message::{Ack, Origin, Verdict};

/// Batches under way into this region.
#[derive(Debug, Default)]
pub struct Arrivals {
    under_way: BTreeMap<Origin, Waiting>,
    newest: BTreeMap<(Incarnation, GroupId), (u64, u64)>,
}

#[derive(Debug)]
struct Waiting {
    shares: usize,
    verdict: Verdict,
}

/// Whether to take a batch in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Begin it.
    Begin,
    /// It is under way, or out of an older stream: drop it.
    Drop,
    /// Too many are under way: tell the sender to wait.
    Busy,
}

impl Arrivals {
    /// Decides about a batch that arrived.
    pub fn admit(&mut self, origin: &Origin) -> Admission {
        let newest = self.newest.entry((origin.from, origin.segment)).or_default();
        if (origin.term, origin.stream) < *newest || self.under_way.contains_key(origin) {
            return Admission::Drop;
        }
        *newest = (origin.term, origin.stream);
        if self.under_way.len() >= limits::ARRIVALS_MAX {
            return Admission::Busy;
        }
        Admission::Begin
    }

    /// Begins a batch of so many shares, at least one.
    pub fn begin(&mut self, origin: Origin, shares: usize) {
        self.under_way.insert(origin, Waiting { shares, verdict: Verdict::Committed });
    }

    /// A share is committed, or could not be; the last one brings the answer.
    pub fn share(&mut self, origin: Origin, committed: bool) -> Option<Ack> {
        let waiting = self.under_way.get_mut(&origin)?;
        waiting.shares -= 1;
        if !committed {
            waiting.verdict = Verdict::Busy;
        }
        if waiting.shares > 0 {
            return None;
        }
        let verdict = waiting.verdict;
        self.under_way.remove(&origin);
        Some(Ack { origin, verdict })
    }
}

#[cfg(test)]
mod tests {
    use types::{HybridTime, RegionId, TableId};

    use super::*;

    fn origin(stream: u64, number: u64) -> Origin {
        let life = |region| Incarnation { region: RegionId(region), counter: 1 };
        Origin {
            table: TableId { created: HybridTime::ZERO, origin: RegionId(1) },
            from: life(1),
            to: life(2),
            segment: GroupId(16),
            term: 2,
            stream,
            number,
        }
    }

    #[test]
    fn an_ack_waits_for_every_share() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.admit(&origin(1, 1)), Admission::Begin);
        arrivals.begin(origin(1, 1), 2);
        assert_eq!(arrivals.admit(&origin(1, 1)), Admission::Drop, "it is under way");
        assert_eq!(arrivals.share(origin(1, 1), true), None);
        let ack = arrivals.share(origin(1, 1), true);
        assert_eq!(ack, Some(Ack { origin: origin(1, 1), verdict: Verdict::Committed }));
        assert_eq!(arrivals.admit(&origin(1, 1)), Admission::Begin, "a lost ack is made good");
    }

    #[test]
    fn one_failed_share_fails_the_batch() {
        let mut arrivals = Arrivals::default();
        arrivals.begin(origin(1, 1), 2);
        assert_eq!(arrivals.share(origin(1, 1), false), None);
        assert_eq!(arrivals.share(origin(1, 1), true).map(|ack| ack.verdict), Some(Verdict::Busy));
    }

    #[test]
    fn older_streams_are_dropped() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.admit(&origin(2, 1)), Admission::Begin);
        assert_eq!(arrivals.admit(&origin(1, 7)), Admission::Drop);
    }
}
