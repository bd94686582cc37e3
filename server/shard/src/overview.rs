//! What the nodes of a region tell each other of themselves, and the whole region as any of them sees it.
//!
//! The catalog says who there is and where replicas sit. What each node alone knows (what it leads, what its
//! log and its disk hold, which partitions carry most) it tells all others every second, so that whoever is
//! asked can answer for all, also while nobody leads the catalog. Figures that are not told again count for
//! nothing after a while; then they are unknown, and nothing is made up for them.

use std::collections::BTreeMap;

use item::Error as Refusal;
use region::{Catalog, seat};
use storage::Engine;
use types::command::{
    BusyPartition, DiskFigures, HotPartition, NodeFigures, NodeState, NodeStatus, RegionSummary, SeatState,
};
use types::{GroupId, NodeId, limits};

use crate::Shard;
use crate::clock::NS_PER_MS;
use crate::letters::{Content, Letter};
use crate::room::Storage;

/// What is known of the nodes beyond the catalog.
#[derive(Debug, Default)]
pub(crate) struct Overview {
    told: BTreeMap<NodeId, Told>,
    /// The partitions led here that decided most in the last second, hottest first.
    pub hottest: Vec<HotPartition>,
    /// The other nodes whose disks are nearly full, as far as they told.
    full: BTreeMap<NodeId, DiskFigures>,
}

#[derive(Debug)]
struct Told {
    figures: NodeFigures,
    heard_ns: u64,
}

impl Overview {
    /// Whether another node's disk is nearly full, as far as it told.
    pub fn is_nearly_full(&self, node: NodeId) -> bool {
        self.full.contains_key(&node)
    }
}

impl<E: Engine> Shard<E> {
    /// Tells the other nodes what this one alone knows, and forgets what was not told again.
    pub(crate) fn tell_figures(&mut self) {
        let (figures, now_ns) = (self.node_figures(), self.now.monotonic_ns);
        for node in self.quiescence.others() {
            let content = Content::Figures(Box::new(figures.clone()));
            self.write_to(node, Letter { group: GroupId::CATALOG, content });
        }
        let patience_ns = limits::LOAD_KNOWN_FOR_MS * NS_PER_MS;
        self.overview.told.retain(|_, told| told.heard_ns + patience_ns > now_ns);
        self.look_who_is_full();
    }

    /// A node told of itself.
    pub(crate) fn note_figures(&mut self, node: NodeId, figures: NodeFigures) {
        let heard_ns = self.now.monotonic_ns;
        self.overview.told.insert(node, Told { figures, heard_ns });
        self.look_who_is_full();
    }

    fn look_who_is_full(&mut self) {
        let told = self.overview.told.iter();
        let disks = told.filter_map(|(node, told)| Some((*node, told.figures.disk?)));
        let full: BTreeMap<_, _> = disks.filter(|(_, disk)| disk.nearly_full).collect();
        if !full.keys().eq(self.overview.full.keys()) {
            // What could not move there may move now, or the other way round.
            self.catalog.unplanned = true;
        }
        self.overview.full = full;
    }

    /// Refuses what grows in a partition of which no majority has room: whoever leads has, and yet what it
    /// commits would write the disks of the others full.
    pub(crate) fn check_room_of_others(&mut self, group: GroupId) -> Result<(), Refusal> {
        let Overview { full, .. } = &self.overview;
        if full.is_empty() {
            return Ok(());
        }
        let seats = self.seats(group);
        let mut lacking = seats.iter().filter_map(|seat| Some((seat.node, *full.get(&seat.node)?)));
        let first = lacking.next();
        let Some((node, disk)) = first.filter(|_| 2 * (1 + lacking.count()) >= seats.len()) else {
            return Ok(());
        };
        self.figures.refused_for_room += 1;
        let DiskFigures { free_bytes, needed_bytes, .. } = disk;
        Err(Refusal::StorageFull { node, free_bytes, needed_bytes })
    }

    /// What this node tells of itself.
    fn node_figures(&self) -> NodeFigures {
        let led = self.replicas.iter().filter(|(_, replica)| replica.group.is_leader());
        let (mut leads, mut resting) = (0, 0);
        for (group, _) in led {
            leads += 1;
            resting += u64::from(self.quiescence.rests(*group));
        }
        let Storage { room, nearly_full } = self.storage;
        NodeFigures {
            leads,
            resting,
            log_bytes: self.engine.log_bytes(),
            disk: room.map(|room| DiskFigures {
                total_bytes: room.total_bytes,
                free_bytes: room.free_bytes,
                needed_bytes: crate::room::needed_bytes(&room),
                nearly_full,
            }),
            hottest: self.overview.hottest.clone(),
        }
    }

    /// All nodes, and what they told of themselves lately.
    pub(crate) fn nodes_and_figures(&self) -> Vec<(NodeStatus, Option<NodeFigures>)> {
        let told = |node: NodeId| match node == self.settings.node {
            true => Some(self.node_figures()),
            false => self.overview.told.get(&node).map(|told| told.figures.clone()),
        };
        let statuses = self.node_statuses().into_iter();
        statuses
            .map(|status| {
                let figures = told(status.node);
                (status, figures)
            })
            .collect()
    }

    /// The region in sum.
    pub(crate) fn summary(&self, nodes: &[(NodeStatus, Option<NodeFigures>)]) -> RegionSummary {
        let catalog = &self.catalog.applied;
        let mut summary = RegionSummary::default();
        let wanted = catalog.nodes.active().count().min(limits::REPLICAS);
        for seats in catalog.seated() {
            let holds = |seat: &&region::Seat| seat.state != SeatState::Joining && self.lives(seat.node);
            summary.partitions += 1;
            summary.under_replicated += u64::from(seats.iter().filter(holds).count() < wanted);
            summary.moving += u64::from(seat::is_moving(seats));
        }
        let splitting = |table: &region::Table| {
            table.partitions().filter(|(group, _)| table.is_splitting(*group)).count()
        };
        summary.splitting = catalog.here().map(|table| splitting(table) as u64).sum();
        let lives = |status: &NodeStatus| status.lives && status.state != NodeState::Removed;
        let living = || nodes.iter().filter(|(status, _)| lives(status));
        let told: Option<Vec<_>> = living().map(|(_, figures)| figures.as_ref()).collect();
        if let Some(told) = told {
            let led: u64 = told.iter().map(|figures| figures.leads).sum();
            summary.without_leader = Some(summary.partitions.saturating_sub(led));
        }
        let told = || living().filter_map(|(status, figures)| Some((status.node, figures.as_ref()?)));
        summary.resting = told().map(|(_, figures)| figures.resting).sum();
        let mut hottest: Vec<_> = told()
            .flat_map(|(node, figures)| figures.hottest.iter().map(move |hot| (node, *hot)))
            .filter_map(|(node, hot)| busy(catalog, node, hot))
            .collect();
        hottest.sort_by_key(|busy| (std::cmp::Reverse(busy.hot.per_second), busy.hot.partition));
        hottest.truncate(limits::HOTTEST_TOLD_MAX);
        summary.hottest = hottest;
        summary
    }
}

/// A hot partition by the name of its table; `None` if that is gone.
fn busy(catalog: &Catalog, leader: NodeId, hot: HotPartition) -> Option<BusyPartition> {
    let table = catalog.table_of(hot.partition)?;
    Some(BusyPartition { table: table.entry.name.clone(), leader, hot })
}
