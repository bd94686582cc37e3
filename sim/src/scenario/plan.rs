//! Which faults strike when: storms with calms between them.
//!
//! Faults that never end would keep tombstones from ever being collected, and a world without coincidences
//! finds nothing; so faults come in storms, several at a time, and calms are long enough for two rounds of
//! collection.

use crate::chance::Chance;
use crate::clock::{MILLISECOND_NS, SECOND_NS};
use crate::disk::Crash;
use crate::event::{NodeId, Timer};
use crate::world::World;

use super::operator::Operator;

/// Crashes that every plan holds at least.
pub const CRASHES_MIN: u64 = 5;
/// Faults of links that every plan holds at least.
pub const LINK_FAULTS_MIN: u64 = 10;

/// One step of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A process ends, and begins again after a while.
    Crash {
        /// Whose; another one, when it does not run.
        node: NodeId,
        /// How.
        crash: Crash,
        /// For how long.
        down_ms: u64,
    },
    /// A process loses power between its next append and the sync.
    CrashOnAppend {
        /// Whose.
        node: NodeId,
    },
    /// A fault of a link begins; only counted.
    LinkFault,
    /// Nothing passes in one direction.
    Cut {
        /// From this node.
        from: NodeId,
        /// To this node.
        to: NodeId,
    },
    /// Messages pass again.
    Mend {
        /// From this node.
        from: NodeId,
        /// To this node.
        to: NodeId,
    },
    /// Both ends of a pair lose their connection; where messages pass, they connect again.
    Disconnect {
        /// One.
        one: NodeId,
        /// The other.
        other: NodeId,
    },
    /// Both ends of a pair try to connect.
    Connect {
        /// One.
        one: NodeId,
        /// The other.
        other: NodeId,
    },
    /// Messages of one direction are lost and doubled from here on.
    Lossy {
        /// From this node.
        from: NodeId,
        /// To this node.
        to: NodeId,
        /// Lost, of 1,000.
        loss_permille: u64,
        /// Doubled, of 1,000.
        double_permille: u64,
    },
    /// Messages of one direction pile up and arrive all at once.
    Hold {
        /// From this node.
        from: NodeId,
        /// To this node.
        to: NodeId,
        /// After this time.
        for_ms: u64,
    },
    /// A process stands still.
    Freeze {
        /// Whose.
        node: NodeId,
        /// For how long.
        for_ms: u64,
    },
    /// Syncs take longer from here on; 0 ends it.
    SlowDisk {
        /// Whose.
        node: NodeId,
        /// By how much.
        by_ms: u64,
    },
    /// A wall clock jumps to where it is off by this much; 0 ends it.
    Step {
        /// Whose.
        node: NodeId,
        /// By how much.
        step_ms: i64,
    },
    /// An operator pauses or resumes shipping in one direction.
    Pause {
        /// From this region.
        from: NodeId,
        /// To this region.
        to: NodeId,
        /// Whether to pause.
        paused: bool,
    },
}

/// The faults of a run, in the order of their times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// When, in nanoseconds, and what.
    pub actions: Vec<(u64, Action)>,
    /// When the last storm may end and everything is healed.
    pub heal_at_ns: u64,
}

struct Planner<'a> {
    chance: &'a mut Chance,
    nodes: usize,
    /// Nodes of each region.
    near: usize,
    actions: Vec<(u64, Action)>,
}

impl Plan {
    /// Draws a plan for so many nodes, `near` of them in each region, that lasts at least `least_ns`.
    pub fn draw(chance: &mut Chance, nodes: usize, near: usize, least_ns: u64) -> Plan {
        let mut planner = Planner { chance, nodes, near, actions: Vec::new() };
        let mut at_ns = 3 * SECOND_NS;
        let mut storms = Vec::new();
        while at_ns < least_ns {
            let storm_ns = planner.chance.between(3, 8) * SECOND_NS;
            storms.push((at_ns, storm_ns));
            planner.storm(at_ns, storm_ns);
            at_ns += storm_ns + planner.chance.between(4, 9) * SECOND_NS;
        }
        while planner.count(|action| matches!(action, Action::Crash { .. })) < CRASHES_MIN {
            let (from_ns, storm_ns) = *planner.chance.pick(&storms);
            planner.crash(from_ns, storm_ns);
        }
        while planner.count(|action| matches!(action, Action::LinkFault)) < LINK_FAULTS_MIN {
            let (from_ns, storm_ns) = *planner.chance.pick(&storms);
            planner.link_fault(from_ns, storm_ns);
        }
        let mut actions = planner.actions;
        actions.sort_by_key(|(at_ns, _)| *at_ns);
        Plan { actions, heal_at_ns: at_ns.max(least_ns) }
    }

    /// Has every step taken in its time.
    pub fn set_timers(&self, world: &mut World) {
        for (step, (at_ns, _)) in self.actions.iter().enumerate() {
            world.set_timer(*at_ns, Timer::Action(step));
        }
    }

    /// Takes a step.
    pub fn act(&self, step: usize, world: &mut World, operator: &mut Operator) {
        let Some((_, action)) = self.actions.get(step) else { return };
        match *action {
            Action::Crash { node, crash, down_ms } => {
                let count = world.nodes.len();
                let mut nodes = (0..count).map(|next| (node + next) % count);
                if let Some(node) = nodes.find(|node| world.runs(*node)) {
                    world.crash(node, crash, down_ms * MILLISECOND_NS);
                }
            }
            Action::CrashOnAppend { node } => world.nodes[node].crash_on_append = true,
            Action::LinkFault => world.tally.link_faults += 1,
            Action::Cut { from, to } => world.network.path(from, to).cut = true,
            Action::Mend { from, to } => world.network.path(from, to).cut = false,
            Action::Disconnect { one, other } => world.disconnect(one, other, 50),
            Action::Connect { one, other } => world.connect_soon(one, other),
            Action::Lossy { from, to, loss_permille, double_permille } => {
                let path = world.network.path(from, to);
                (path.loss_permille, path.double_permille) = (loss_permille, double_permille);
            }
            Action::Hold { from, to, for_ms } => {
                world.network.path(from, to).held_until_ns = world.now_ns + for_ms * MILLISECOND_NS;
            }
            Action::Freeze { node, for_ms } => world.freeze(node, for_ms * MILLISECOND_NS),
            Action::SlowDisk { node, by_ms } => world.nodes[node].slow_sync_ns = by_ms * MILLISECOND_NS,
            Action::Step { node, step_ms } => world.step_clock(node, step_ms),
            Action::Pause { from, to, paused } => {
                let (from, to) = (world.region_of(from), world.region_of(to));
                if from != to {
                    operator.pause(world, from, to, paused);
                }
            }
        }
    }
}

impl Planner<'_> {
    fn storm(&mut self, from_ns: u64, storm_ns: u64) {
        for _ in 0..self.chance.between(2, 4) {
            self.link_fault(from_ns, storm_ns);
        }
        for _ in 0..self.chance.between(1, 2) {
            self.crash(from_ns, storm_ns);
        }
        for _ in 0..self.chance.between(1, 3) {
            let (at_ns, node) = (self.moment(from_ns, storm_ns), self.node());
            match self.chance.below(5) {
                0 => {
                    let for_ms = self.chance.between(20, 3000);
                    self.add(at_ns, Action::Freeze { node, for_ms });
                }
                1 => self.slow_disk(at_ns, node),
                2 | 3 => self.step(at_ns, node),
                _ => self.pause(at_ns),
            }
        }
    }

    fn crash(&mut self, from_ns: u64, storm_ns: u64) {
        let (at_ns, node) = (self.moment(from_ns, storm_ns), self.node());
        if self.chance.permille(400) {
            self.add(at_ns, Action::CrashOnAppend { node });
        }
        let at_ns = self.moment(from_ns, storm_ns);
        let crash = if self.chance.permille(600) { Crash::Power } else { Crash::Kill };
        let down_ms = match self.chance.below(4) {
            0 => self.chance.between(1000, 6000),
            _ => self.chance.between(10, 800),
        };
        self.add(at_ns, Action::Crash { node, crash, down_ms });
    }

    fn link_fault(&mut self, from_ns: u64, storm_ns: u64) {
        let at_ns = self.moment(from_ns, storm_ns);
        let (from, to) = self.pair();
        let for_ms = match self.chance.below(6) {
            0 => self.chance.between(3000, 9000),
            _ => self.chance.between(100, 3000),
        };
        let end_ns = at_ns + for_ms * MILLISECOND_NS;
        self.add(at_ns, Action::LinkFault);
        match self.chance.below(6) {
            0 => self.cut(at_ns, end_ns, &[(from, to), (to, from)], 1000),
            1 => self.cut(at_ns, end_ns, &[(from, to)], 600),
            2 => self.add(at_ns, Action::Disconnect { one: from, other: to }),
            3 => {
                let (loss_permille, double_permille) = (self.chance.below(500), self.chance.below(300));
                self.add(at_ns, Action::Lossy { from, to, loss_permille, double_permille });
                self.add(end_ns, Action::Lossy { from, to, loss_permille: 2, double_permille: 10 });
            }
            4 => self.add(at_ns, Action::Hold { from, to, for_ms }),
            _ => {
                // One that is cut off from its own region, clients may still reach.
                let all = if self.near > 1 { self.region_of(from) } else { 0..self.nodes };
                let others = all.filter(|node| *node != from);
                let paths: Vec<_> = others.flat_map(|node| [(from, node), (node, from)]).collect();
                self.cut(at_ns, end_ns, &paths, 1000);
            }
        }
    }

    /// Cuts paths. The ends notice after a while, in `noticed_permille` of the cases; in the others they hold
    /// the connection for up throughout.
    fn cut(&mut self, at_ns: u64, end_ns: u64, paths: &[(NodeId, NodeId)], noticed_permille: u64) {
        let noticed = self.chance.permille(noticed_permille);
        let notice_ns = at_ns + self.chance.between(100, 1500) * MILLISECOND_NS;
        for (from, to) in paths.iter().copied() {
            self.add(at_ns, Action::Cut { from, to });
            self.add(end_ns, Action::Mend { from, to });
            if noticed && notice_ns < end_ns {
                self.add(notice_ns, Action::Disconnect { one: from, other: to });
            }
            self.add(end_ns, Action::Connect { one: from, other: to });
        }
    }

    fn slow_disk(&mut self, at_ns: u64, node: NodeId) {
        let (by_ms, for_ms) = (self.chance.between(20, 600), self.chance.between(500, 5000));
        self.add(at_ns, Action::SlowDisk { node, by_ms });
        self.add(at_ns + for_ms * MILLISECOND_NS, Action::SlowDisk { node, by_ms: 0 });
    }

    /// Most steps stay within the bound of `P7`, some go far beyond it.
    fn step(&mut self, at_ns: u64, node: NodeId) {
        let size = match self.chance.below(3) {
            0 => self.chance.between(600, 4000),
            _ => self.chance.between(30, 400),
        } as i64;
        let step_ms = if self.chance.permille(500) { size } else { -size };
        self.add(at_ns, Action::Step { node, step_ms });
        let for_ms = self.chance.between(500, 9000);
        self.add(at_ns + for_ms * MILLISECOND_NS, Action::Step { node, step_ms: 0 });
    }

    fn pause(&mut self, at_ns: u64) {
        let (from, to) = self.pair();
        self.add(at_ns, Action::Pause { from, to, paused: true });
        let for_ms = self.chance.between(2000, 15_000);
        self.add(at_ns + for_ms * MILLISECOND_NS, Action::Pause { from, to, paused: false });
    }

    fn add(&mut self, at_ns: u64, action: Action) {
        self.actions.push((at_ns, action));
    }

    fn count(&self, which: impl Fn(&Action) -> bool) -> u64 {
        self.actions.iter().filter(|(_, action)| which(action)).count() as u64
    }

    fn moment(&mut self, from_ns: u64, storm_ns: u64) -> u64 {
        from_ns + self.chance.below(storm_ns)
    }

    fn node(&mut self) -> NodeId {
        self.chance.below(self.nodes as u64) as NodeId
    }

    fn region_of(&self, node: NodeId) -> std::ops::Range<NodeId> {
        let first = node - node % self.near;
        first..first + self.near
    }

    fn pair(&mut self) -> (NodeId, NodeId) {
        let from = self.node();
        // Where regions have several nodes, most of what matters is between those.
        if self.near > 1 && self.chance.permille(600) {
            let step = 1 + self.chance.below(self.near as u64 - 1) as NodeId;
            let region = self.region_of(from);
            return (from, region.start + (from - region.start + step) % self.near);
        }
        let step = 1 + self.chance.below(self.nodes as u64 - 1) as NodeId;
        (from, (from + step) % self.nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Stream;

    #[test]
    fn every_plan_holds_enough_faults_and_repeats_from_its_seed() {
        for seed in 0..50 {
            let plan = Plan::draw(&mut Chance::new(seed, Stream::Plan), 3, 1, 60 * SECOND_NS);
            let count = |which: fn(&Action) -> bool| {
                plan.actions.iter().filter(|(_, action)| which(action)).count() as u64
            };
            assert!(count(|action| matches!(action, Action::Crash { .. })) >= CRASHES_MIN);
            assert!(count(|action| matches!(action, Action::LinkFault)) >= LINK_FAULTS_MIN);
            assert!(plan.actions.is_sorted_by_key(|(at_ns, _)| *at_ns));
            assert!((60..80).contains(&(plan.heal_at_ns / SECOND_NS)));
            assert_eq!(plan, Plan::draw(&mut Chance::new(seed, Stream::Plan), 3, 1, 60 * SECOND_NS));
        }
    }

    #[test]
    fn every_cut_is_mended() {
        let plan = Plan::draw(&mut Chance::new(9, Stream::Plan), 9, 3, 60 * SECOND_NS);
        for (at_ns, action) in &plan.actions {
            let Action::Cut { from, to } = *action else { continue };
            let mended =
                |(later_ns, other): &(u64, Action)| later_ns >= at_ns && *other == Action::Mend { from, to };
            assert!(plan.actions.iter().any(mended));
        }
    }
}
