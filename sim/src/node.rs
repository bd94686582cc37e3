//! One simulated machine: a shard, its disk, its clocks, and what a driver keeps beside them.
//!
//! It holds no policy: `world` decides when a node makes a turn, ends a sync or crashes.

use std::collections::{BTreeSet, VecDeque};

use shard::snapshot_read::SnapshotRead;
use shard::{FirstStart, Inbox, Settings, Shard, TurnId};
use storage::Engine;
use types::{Faults, Now, RegionId, RegionName};

use crate::clock::Clock;
use crate::disk::Disk;
use crate::world::Setting;

/// A shard on a simulated disk.
pub type Machine = Shard<Disk>;

/// A sync that is under way or waits for the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sync {
    /// For which turn.
    pub turn: TurnId,
    /// How far the logs were appended when it began.
    pub position: u64,
}

/// One machine.
pub struct Node {
    /// Its region.
    pub name: RegionName,
    /// The region's number.
    pub region: RegionId,
    /// Which of the region's nodes it is.
    pub node: types::NodeId,
    /// The nodes that its region was begun with, and itself.
    pub nodes: Vec<types::NodeId>,
    /// Whether it joined a region that was begun without it.
    pub joins: bool,
    /// The regions that it links to.
    pub peers: Vec<RegionName>,
    /// The bug planted in it.
    pub faults: Faults,
    /// The process, while it runs.
    pub machine: Option<Machine>,
    /// Counted up with each crash, so that events of an earlier life are known.
    pub life: u32,
    /// Survives crashes.
    pub disk: Disk,
    /// Runs on whatever happens to the process.
    pub clock: Clock,
    /// What waits for the next turn.
    pub inbox: Inbox,
    /// When the next turn is scheduled.
    pub turn_at_ns: Option<u64>,
    /// Nothing happens in the process before this time.
    pub frozen_until_ns: u64,
    /// Syncs take this much longer.
    pub slow_sync_ns: u64,
    /// Asked for and not done, oldest first; the first one is under way.
    pub syncs: VecDeque<Sync>,
    /// Long reads that wait for time, oldest first.
    pub reads: VecDeque<SnapshotRead<<Disk as Engine>::Snapshot>>,
    /// Whether a flush is under way.
    pub flushing: bool,
    /// Requests handed over and not answered.
    pub outstanding: BTreeSet<u64>,
    /// Whether the process never starts again.
    pub buried: bool,
    /// Crash as soon as something is appended and not synced.
    pub crash_on_append: bool,
    /// Whether the wall clock was stepped beyond the bound when the process began, which only a restart
    /// mends.
    pub began_astray: bool,
}

impl Node {
    /// A machine that has not been started.
    pub fn new(setting: &Setting, region: usize, node: u64, clock: Clock) -> Self {
        let name = setting.regions[region].clone();
        let peers = setting.regions.iter().filter(|peer| **peer != name).cloned().collect();
        Node {
            region: name.id(),
            node: types::NodeId(node),
            nodes: (1..=node.max(setting.nodes as u64)).map(types::NodeId).collect(),
            joins: node > setting.nodes as u64,
            name,
            peers,
            faults: setting.faults,
            machine: None,
            life: 0,
            disk: Disk::new(),
            clock,
            inbox: Inbox::new(),
            turn_at_ns: None,
            frozen_until_ns: 0,
            slow_sync_ns: 0,
            syncs: VecDeque::new(),
            reads: VecDeque::new(),
            flushing: false,
            outstanding: BTreeSet::new(),
            // A spare machine has no process before it joins.
            buried: node > setting.nodes as u64,
            crash_on_append: false,
            began_astray: false,
        }
    }

    /// What it is called: a region's only node by the region's name.
    pub fn label(&self) -> String {
        match self.nodes.len() {
            1 => self.name.to_string(),
            _ => format!("{}{}", self.name, self.node.0),
        }
    }

    /// Starts the process over what the disk holds.
    pub fn open(&mut self, now: Now, seed: u64) -> Result<(), shard::Error> {
        let settings = Settings {
            node: self.node,
            nodes: self.nodes.clone(),
            peers: self.peers.clone(),
            faults: self.faults,
            first_start: if self.joins { FirstStart::Joining } else { FirstStart::Unsaid },
            ..Settings::alone(self.name.clone(), seed)
        };
        self.machine = Some(Shard::open(self.disk.clone(), settings, now)?);
        Ok(())
    }

    /// Ends the process; gives the requests that nobody will answer.
    pub fn end(&mut self) -> BTreeSet<u64> {
        self.machine = None;
        self.life += 1;
        self.inbox = Inbox::new();
        self.turn_at_ns = None;
        self.syncs.clear();
        self.reads.clear();
        self.flushing = false;
        self.crash_on_append = false;
        std::mem::take(&mut self.outstanding)
    }

    /// When the process wants its next turn, on true time, if it wants one and may make it.
    pub fn wants_turn_at_ns(&self, now_ns: u64) -> Option<u64> {
        let machine = self.machine.as_ref().filter(|machine| machine.ready_for_turn())?;
        let wake_ns = match self.inbox.is_empty() {
            true => self.clock.when(machine.wake_at_ns()?),
            false => now_ns,
        };
        Some(wake_ns.max(now_ns).max(self.frozen_until_ns))
    }
}
