//! Batches that have arrived and whose shares are not all committed: who is waiting for what.
//!
//! A batch is acknowledged when every receiving partition has committed its share (`P13`); one that arrives
//! again meanwhile is not begun twice, and one out of an older stream is dropped.

use std::collections::{BTreeMap, BTreeSet};

use types::{GroupId, Incarnation, NodeId, limits};

use crate::message::{Ack, Origin, Verdict};

const NS_PER_MS: u64 = 1_000_000;

/// Batches under way into this region by way of this node.
#[derive(Debug, Default)]
pub struct Arrivals {
    under_way: BTreeMap<Origin, Waiting>,
    newest: BTreeMap<(Incarnation, GroupId), (u64, u64)>,
}

#[derive(Debug)]
struct Waiting {
    /// The peer's node that sent it.
    sender: NodeId,
    shares: BTreeSet<GroupId>,
    verdict: Verdict,
    since_ns: u64,
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
    pub fn admit(&mut self, origin: &Origin, now_ns: u64) -> Admission {
        let newest = self.newest.entry((origin.from, origin.segment)).or_default();
        if (origin.term, origin.stream) < *newest || self.under_way.contains_key(origin) {
            return Admission::Drop;
        }
        *newest = (origin.term, origin.stream);
        if self.under_way.len() >= limits::ARRIVALS_MAX {
            self.forget(now_ns);
        }
        match self.under_way.len() >= limits::ARRIVALS_MAX {
            true => Admission::Busy,
            false => Admission::Begin,
        }
    }

    /// Forgets batches whose shares went astray: their senders have long sent them again.
    fn forget(&mut self, now_ns: u64) {
        let patience_ns = limits::SHIP_RETRY_MS_MAX * NS_PER_MS;
        self.under_way.retain(|_, waiting| waiting.since_ns + patience_ns > now_ns);
    }

    /// Begins a batch with a share for each of these partitions, at least one.
    pub fn begin(
        &mut self,
        origin: Origin,
        sender: NodeId,
        shares: impl Iterator<Item = GroupId>,
        now_ns: u64,
    ) {
        let (shares, verdict) = (shares.collect(), Verdict::Committed);
        self.under_way.insert(origin, Waiting { sender, shares, verdict, since_ns: now_ns });
    }

    /// A partition's share is committed, or could not be; the last one brings the answer, and whom it is for.
    pub fn share(&mut self, group: GroupId, ack: Ack) -> Option<(NodeId, Ack)> {
        let Ack { origin, verdict } = ack;
        let waiting = self.under_way.get_mut(&origin)?;
        if waiting.shares.remove(&group) && verdict != Verdict::Committed {
            waiting.verdict = verdict;
        }
        if !waiting.shares.is_empty() {
            return None;
        }
        let Waiting { sender, verdict, .. } = self.under_way.remove(&origin)?;
        Some((sender, Ack { origin, verdict }))
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

    const SENDER: NodeId = NodeId(2);

    fn begun(origin: Origin) -> Arrivals {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.admit(&origin, 0), Admission::Begin);
        arrivals.begin(origin, SENDER, [GroupId(20), GroupId(21)].into_iter(), 0);
        arrivals
    }

    fn ack(verdict: Verdict) -> Ack {
        Ack { origin: origin(1, 1), verdict }
    }

    #[test]
    fn an_ack_waits_for_every_share() {
        let mut arrivals = begun(origin(1, 1));
        assert_eq!(arrivals.admit(&origin(1, 1), 0), Admission::Drop, "it is under way");
        for _ in 0..2 {
            assert_eq!(arrivals.share(GroupId(20), ack(Verdict::Committed)), None, "told twice, or once");
        }
        let told = arrivals.share(GroupId(21), ack(Verdict::Committed));
        assert_eq!(told, Some((SENDER, ack(Verdict::Committed))));
        assert_eq!(arrivals.admit(&origin(1, 1), 0), Admission::Begin, "a lost ack is made good");
    }

    #[test]
    fn one_failed_share_fails_the_batch() {
        let mut arrivals = begun(origin(1, 1));
        assert_eq!(arrivals.share(GroupId(20), ack(Verdict::Busy)), None);
        let told = arrivals.share(GroupId(21), ack(Verdict::Committed));
        assert_eq!(told, Some((SENDER, ack(Verdict::Busy))));
    }

    #[test]
    fn older_streams_are_dropped() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.admit(&origin(2, 1), 0), Admission::Begin);
        assert_eq!(arrivals.admit(&origin(1, 7), 0), Admission::Drop);
    }

    #[test]
    fn what_went_astray_does_not_fill_it_for_ever() {
        let mut arrivals = Arrivals::default();
        for number in 0..limits::ARRIVALS_MAX as u64 {
            assert_eq!(arrivals.admit(&origin(1, number), 0), Admission::Begin);
            arrivals.begin(origin(1, number), SENDER, [GroupId(20)].into_iter(), number);
        }
        assert_eq!(arrivals.admit(&origin(2, 0), 0), Admission::Busy);
        let later_ns = limits::SHIP_RETRY_MS_MAX * NS_PER_MS;
        assert_eq!(arrivals.admit(&origin(2, 0), later_ns), Admission::Begin);
    }
}
