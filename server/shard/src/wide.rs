//! Strong scans over partitions that several nodes lead, made from the replicas of one.
//!
//! Each leader is asked up to where its log must be applied, and answers once a quorum has confirmed it. What
//! is read here when all of that is applied holds everything that was acknowledged before the scan began.

use std::collections::{BTreeMap, BTreeSet};

use item::Error as Refusal;
use item::operation::Scan;
use storage::Engine;
use types::{GroupId, NodeId, limits};

use crate::clock::NS_PER_MS;
use crate::confirm::Asker;
use crate::letters::{Content, Letter};
use crate::waiter::Waiter;
use crate::{Error, Shard};

/// Scans that wait.
#[derive(Debug, Default)]
pub(crate) struct Wide {
    next: u64,
    scans: BTreeMap<u64, Waiting>,
    /// Scans that may be made, of these partitions.
    ready: Vec<(u64, Scan, BTreeSet<GroupId>)>,
}

#[derive(Debug)]
struct Waiting {
    request: u64,
    scan: Scan,
    groups: BTreeSet<GroupId>,
    missing: BTreeSet<GroupId>,
    until_ns: u64,
}

impl<E: Engine> Shard<E> {
    /// Has a scan wait for all partitions that it touches. All of them have a replica here.
    pub(crate) fn scan_wide(&mut self, request: u64, scan: Scan, groups: Vec<GroupId>) {
        let patience_ms = 2 * limits::RAFT_TICK_MS * u64::from(limits::RAFT_ELECTION_TICKS);
        let until_ns = self.now.monotonic_ns + patience_ms * NS_PER_MS;
        let number = self.wide.next;
        self.wide.next += 1;
        for group in &groups {
            match self.replicas[group].leader_node() {
                Some(node) if node == self.settings.node => self.ask_for(*group, Asker::Scan(node, number)),
                Some(node) => self.write_to(node, Letter { group: *group, content: Content::Ask(number) }),
                // Nobody leads: in vain, unless somebody is elected and it is asked again.
                None => {}
            }
        }
        let groups: BTreeSet<_> = groups.into_iter().collect();
        let missing = groups.clone();
        self.wide.scans.insert(number, Waiting { request, scan, groups, missing, until_ns });
    }

    /// Tells a node up to where a group's log must be applied for its scan.
    pub(crate) fn tell_scan(&mut self, group: GroupId, node: NodeId, number: u64, index: u64) {
        match node == self.settings.node {
            true => self.confirmed(group, number, index),
            false => self.write_to(node, Letter { group, content: Content::Confirmed { number, index } }),
        }
    }

    /// A scan may read a group once it has applied so much.
    pub(crate) fn confirmed(&mut self, group: GroupId, number: u64, index: u64) {
        if group == GroupId::CATALOG {
            return self.catalog_confirmed(number, index);
        }
        self.tell_after(group, index, Waiter::Confirmed { group, number });
    }

    /// A group is applied as far as a scan needs it.
    pub(crate) fn reached(&mut self, group: GroupId, number: u64) {
        let Some(waiting) = self.wide.scans.get_mut(&number) else { return };
        waiting.missing.remove(&group);
        if waiting.missing.is_empty()
            && let Some(waiting) = self.wide.scans.remove(&number)
        {
            self.wide.ready.push((waiting.request, waiting.scan, waiting.groups));
        }
    }

    /// Refuses a scan; nothing came of it.
    pub(crate) fn refuse_scan(&mut self, number: u64) {
        if let Some(waiting) = self.wide.scans.remove(&number) {
            self.reply(waiting.request, Err(Refusal::NotLeader));
        }
    }

    /// Refuses the scans that have waited for longer than an election takes.
    pub(crate) fn give_up_scans(&mut self) {
        let now = self.now.monotonic_ns;
        let late = self.wide.scans.iter().filter(|(_, waiting)| waiting.until_ns <= now);
        for number in late.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.refuse_scan(number);
        }
    }

    /// Makes the scans that may be made. Replicas may have come meanwhile, which nobody was asked for.
    pub(crate) fn scan_what_is_ready(&mut self) -> Result<(), Error> {
        for (request, scan, groups) in std::mem::take(&mut self.wide.ready) {
            if let Err(refusal) = self.scan_here(request, scan, &groups)? {
                self.reply(request, Err(refusal));
            }
        }
        Ok(())
    }
}
