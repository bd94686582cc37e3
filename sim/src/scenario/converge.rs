//! Three regions, of one node each or of several, write to the same few keys through every fault, and must
//! agree in the end.
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
use super::plan::{CRASHES_MIN, LINK_FAULTS_MIN, Plan};
use super::splits::Splits;

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
    splits: Splits,
    digests: Vec<(NodeId, u64)>,
    rested: bool,
}

/// Runs a seed to its end, in regions of so many nodes.
pub fn run(seed: u64, nodes: usize, faults: Faults, purpose: Purpose) -> Run {
    let regions = REGIONS.iter().map(|name| RegionName::new(*name).expect("the names are valid"));
    let mut world = World::new(&Setting {
        seed,
        regions: regions.collect(),
        nodes,
        spares: 0,
        faults,
        written: purpose == Purpose::Read,
    });
    let workload = Workload::new(seed, &mut world);
    let mut chance = Chance::new(seed, Stream::Plan);
    let plan = Plan::draw(&mut chance, world.nodes.len(), nodes, LEAST_NS);
    let operator = Operator::default();
    let partitions = chance.between(1, 4) as u32;
    let splits = Splits::draw(seed, REGIONS.len(), &workload.table, partitions, LEAST_NS);
    let (digests, rested) = (Vec::new(), false);
    let mut converge = Converge { world, workload, operator, plan, splits, digests, rested };
    converge.begin(partitions);
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
        let Workload { table, schema, .. } = &self.workload;
        self.operator.create_table(&mut self.world, table, schema, partitions);
        self.workload.start(&mut self.world);
        self.plan.set_timers(&mut self.world);
        self.splits.set_timers(&mut self.world);
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
            Happening::Timer(Timer::Task(task)) => self.operator.give(world, self.workload.number(), task),
            Happening::Timer(Timer::Action(step)) => self.plan.act(step, world, &mut self.operator),
            Happening::Timer(Timer::Split(step)) => self.splits.act(step, world, &mut self.operator),
            Happening::Timer(Timer::Move(_)) => unreachable!("no node comes or goes"),
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
            let name = node.label();
            let Some(machine) = &node.machine else { return Some(format!("{name} does not run")) };
            let figures = machine.figures();
            if !figures.serving {
                return Some(format!("{name} does not serve"));
            }
            if !node.outstanding.is_empty() {
                return Some(format!("{name} owes answers to requests {:?}", node.outstanding));
            }
            // Of several nodes, one may lead nothing that is shipped.
            let lags = |lag: Option<u64>| lag.map_or(node.nodes.len() == 1, |lag| lag > LAG_MS_MAX);
            let behind = |peer: &&PeerFigures| !peer.connected || lags(peer.lag_ms);
            if let Some(peer) = figures.peers.iter().find(behind) {
                return Some(format!("{name} is behind: {peer:?}"));
            }
        }
        finals::differing(&self.world.nodes, self.world.history.table?)
    }

    fn ask_digests(&mut self) {
        for node in 0..self.world.nodes.len() {
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
            let region = self.world.region_of(node);
            let known = self.world.history.finals[region].digest.replace(digest);
            if known.is_some_and(|known| known != digest) {
                let detail = format!("the nodes of {} say that they differ", REGIONS[region]);
                self.world.violate("agreement", detail);
            }
        }
    }

    fn judge(mut self) -> Run {
        let world = &mut self.world;
        if let Some(violation) = world.violation.take_if(|violation| violation.check != "liveness") {
            return self.end(vec![violation]);
        }
        let mut violations: Vec<_> = world.violation.take().into_iter().collect();
        for node in 0..world.nodes.len() {
            let region = world.region_of(node);
            if let Err(error) = finals::read(&mut world.history, region, &world.nodes[node].disk) {
                world.violate("fatal", format!("{} cannot be read: {error}", world.nodes[node].label()));
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
        Run::of(self.world, violations)
    }
}
