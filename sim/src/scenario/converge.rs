//! Three regions write to the same few keys through every fault, and must agree in the end.
//!
//! Storm and calm alternate for at least a minute. Then everything is healed, clients stop, and the regions
//! have a minute of virtual time to come to rest: alike, with nothing left to ship. Copies of messages that
//! are still under way may then turn up and must change nothing. The checkers judge what is left.

use item::operation::Command;
use item::outcome::Answer;
use shard::{PeerFigures, Reply, Request};
use types::command::{TableAnswer, TableCommand};
use types::{Faults, HashRange, RegionName};

use crate::chance::{Chance, Stream};
use crate::checker;
use crate::clock::{MILLISECOND_NS, SECOND_NS};
use crate::event::{NodeId, Timer};
use crate::finals;
use crate::run::{Purpose, Run};
use crate::violation::Violation;
use crate::workload::Workload;
use crate::world::{Happening, Setting, World};

use super::operator::Operator;
use super::plan::{Action, CRASHES_MIN, LINK_FAULTS_MIN, Plan};

/// The regions.
const REGIONS: [&str; 3] = ["a", "b", "c"];
/// Virtual time that a run takes at least.
const LEAST_NS: u64 = 60 * SECOND_NS;
/// Operations that a run must have had answered.
const OPERATIONS_MIN: u64 = 2000;
/// Virtual time that the regions have to come to rest.
const REST_NS: u64 = 60 * SECOND_NS;
/// A region at rest is not further behind another than this: two exchanges of closed times, a slow link,
/// clocks that are off.
const LAG_MS_MAX: u64 = 1500;
/// By then every late copy of a message has arrived.
const LATE_NS: u64 = 21 * SECOND_NS;
/// How often somebody looks whether they have.
const PROBE_NS: u64 = 250 * MILLISECOND_NS;

struct Converge {
    world: World,
    workload: Workload,
    operator: Operator,
    plan: Plan,
    digests: Vec<(NodeId, u64)>,
    rested: bool,
}

/// Runs a seed to its end.
pub fn run(seed: u64, faults: Faults, purpose: Purpose) -> Run {
    let regions = REGIONS.iter().map(|name| RegionName::new(*name).expect("the names are valid"));
    let mut world = World::new(&Setting {
        seed,
        regions: regions.collect(),
        nodes: 1,
        faults,
        written: purpose == Purpose::Read,
    });
    let workload = Workload::new(seed, &mut world);
    let mut chance = Chance::new(seed, Stream::Plan);
    let plan = Plan::draw(&mut chance, REGIONS.len(), LEAST_NS);
    let operator = Operator::default();
    let mut converge = Converge { world, workload, operator, plan, digests: Vec::new(), rested: false };
    converge.begin(chance.between(1, 4) as u32);
    converge.suffer();
    converge.rest();
    match purpose {
        Purpose::Judge | Purpose::Read => converge.judge(),
        Purpose::Repeat => converge.end(Vec::new()),
    }
}

impl Converge {
    fn begin(&mut self, partitions: u32) {
        self.world.start();
        self.operator.create_table(&mut self.world, &self.workload, partitions);
        self.workload.start(&mut self.world);
        for (step, (at_ns, _)) in self.plan.actions.iter().enumerate() {
            self.world.set_timer(*at_ns, Timer::Action(step));
        }
    }

    /// Clients and faults, until the plan is through and enough was done.
    fn suffer(&mut self) {
        self.pass(self.plan.heal_at_ns, |_| false);
        let enough = |this: &Self| this.world.tally.operations >= OPERATIONS_MIN;
        self.pass(2 * self.plan.heal_at_ns, enough);
    }

    /// Heals everything and waits until the regions are alike, then until nothing is under way any more.
    fn rest(&mut self) {
        self.workload.stop();
        self.plan.actions.clear();
        self.world.heal();
        self.operator.resume_all(&mut self.world);
        let healed_ns = self.world.now_ns;
        self.world.set_timer(PROBE_NS, Timer::Probe);
        self.pass(healed_ns + REST_NS, |this| this.rested);
        self.world.tally.quiesce_ms = (self.world.now_ns - healed_ns) / MILLISECOND_NS;
        if !self.rested {
            let detail = self.unrest().unwrap_or_default();
            return self.world.violate("liveness", detail);
        }
        self.pass(self.world.now_ns + LATE_NS, |_| false);
        self.ask_digests();
        self.pass(self.world.now_ns + 5 * SECOND_NS, |this| this.digests.is_empty());
        if let Some(detail) = self.unrest() {
            self.world.violate("liveness", detail);
        }
    }

    /// What shards say of themselves at rest, when it is wrong.
    fn figures(&self) -> Option<String> {
        self.world.nodes.iter().find_map(|node| {
            let figures = node.machine.as_ref()?.figures();
            let peer = figures.peers.into_iter().find(|peer| peer.pending_changes > 0 || peer.paused)?;
            Some(format!("{} is at rest and shows {peer:?}", node.name))
        })
    }

    /// Lets the world go on until a time, or until something holds.
    fn pass(&mut self, until_ns: u64, ends: impl Fn(&Self) -> bool) {
        while !ends(self) {
            let Some(happening) = self.world.next(until_ns) else { return };
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        let world = &mut self.world;
        match happening {
            Happening::Timer(Timer::Client(client)) => self.workload.wake(world, client),
            Happening::Timer(Timer::Patience(number)) => self.workload.lose_patience(world, number),
            Happening::Timer(Timer::Focus) => self.workload.refocus(world),
            Happening::Timer(Timer::Task(task)) => self.operator.give(world, &mut self.workload, task),
            Happening::Timer(Timer::Action(step)) => self.act(step),
            Happening::Timer(Timer::Probe) => self.probe(),
            Happening::Reply { node, reply } => {
                let known = self.workload.reply(world, &reply) || self.operator.reply(world, &reply);
                if !known {
                    self.digest(node, &reply);
                }
            }
            Happening::Broken { numbers, .. } => {
                self.workload.broken(world, &numbers);
                self.operator.broken(world, &numbers);
            }
        }
    }

    fn act(&mut self, step: usize) {
        let Some((_, action)) = self.plan.actions.get(step) else { return };
        let world = &mut self.world;
        match *action {
            Action::Crash { node, crash, down_ms } => {
                let nodes = (0..REGIONS.len()).map(|next| (node + next) % REGIONS.len());
                if let Some(node) = nodes.into_iter().find(|node| world.runs(*node)) {
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
            Action::Pause { from, to, paused } => self.operator.pause(world, from, to, paused),
        }
    }

    fn probe(&mut self) {
        self.rested = self.unrest().is_none();
        if !self.rested {
            self.world.set_timer(PROBE_NS, Timer::Probe);
        }
    }

    /// What still keeps the regions from rest.
    fn unrest(&self) -> Option<String> {
        if !self.workload.is_quiet() || !self.operator.is_quiet() {
            return Some("a client or the operator waits for an answer".to_string());
        }
        for node in &self.world.nodes {
            let name = &node.name;
            let Some(machine) = &node.machine else { return Some(format!("{name} does not run")) };
            let figures = machine.figures();
            if !figures.serving {
                return Some(format!("{name} does not serve"));
            }
            if !node.outstanding.is_empty() {
                return Some(format!("{name} owes answers to requests {:?}", node.outstanding));
            }
            let behind =
                |peer: &&PeerFigures| !peer.connected || peer.lag_ms.is_none_or(|lag| lag > LAG_MS_MAX);
            if let Some(peer) = figures.peers.iter().find(behind) {
                return Some(format!("{name} is behind: {peer:?}"));
            }
        }
        let live = |node: NodeId| finals::live(&self.world.nodes[node].disk, self.world.history.table?);
        let differs = (1..REGIONS.len()).find(|node| live(*node) != live(0))?;
        Some(format!("regions a and {} differ", REGIONS[differs]))
    }

    fn ask_digests(&mut self) {
        for node in 0..REGIONS.len() {
            let (name, range) = (self.workload.table.clone(), HashRange::ALL);
            let command = Command::Table(TableCommand::Digest { name, range, parts: 4 });
            let number = self.workload.number();
            if self.world.request(node, Request { number, deadline_ns: None, bytes: 0, command }) {
                self.digests.push((node, number));
            }
        }
    }

    fn digest(&mut self, node: NodeId, reply: &Reply) {
        self.digests.retain(|asked| *asked != (node, reply.number));
        if let Ok(Answer::Table(TableAnswer::Digest { parts, .. })) = &reply.result {
            let digest = parts.iter().fold(0u128, |sum, part| sum.rotate_left(1) ^ part.digest);
            self.world.history.finals[node].digest = Some(digest);
        }
    }

    fn judge(mut self) -> Run {
        let world = &mut self.world;
        if let Some(violation) = world.violation.take_if(|violation| violation.check != "liveness") {
            return self.end(vec![violation]);
        }
        let mut violations: Vec<_> = world.violation.take().into_iter().collect();
        for node in 0..REGIONS.len() {
            if let Err(error) = finals::read(&mut world.history, node, &world.nodes[node].disk) {
                world.violate("fatal", format!("{} cannot be read: {error}", world.nodes[node].name));
            }
        }
        violations.extend(checker::judge(&world.history, world.now_ns));
        violations.extend(world.violation.take());
        if violations.is_empty()
            && let Some(detail) = self.figures()
        {
            violations.push(Violation { check: "figures", at_ns: self.world.now_ns, detail });
        }
        violations.extend(self.effort());
        self.end(violations)
    }

    /// A run that did too little proves nothing, and counts as failed.
    fn effort(&mut self) -> Option<Violation> {
        let tally = &self.world.tally;
        let least = [
            ("operations", tally.operations, OPERATIONS_MIN),
            ("crashes", tally.crashes, CRASHES_MIN),
            ("link faults", tally.link_faults, LINK_FAULTS_MIN),
        ];
        let (name, count, least) = least.into_iter().find(|(_, count, least)| count < least)?;
        self.world.violate("effort", format!("{count} {name}, at least {least} were wanted"));
        self.world.violation.take()
    }

    fn end(self, violations: Vec<Violation>) -> Run {
        let Converge { mut world, .. } = self;
        for node in &world.nodes {
            if let Some(machine) = &node.machine {
                world.tally.take_figures(&machine.figures());
            }
            let digest = node.disk.digest(|bytes| world.trace.fold(bytes));
            debug_assert!(digest.is_ok(), "an in-memory disk is always readable");
        }
        world.tally.take_carried(&world.network.carried);
        world.tally.take_history(&world.history);
        world.tally.virtual_ms = world.now_ns / MILLISECOND_NS;
        Run { violations, tally: world.tally, trace: world.trace }
    }
}
