//! Regions of three nodes, whose clients use keys as registers, under every fault: what they were told must
//! be what one copy of each key would have told them (linearizability).
//!
//! Storm and calm alternate as in `converge`. Then the faults stop. Either everything is healed, or one node
//! of each region stays dead; either way every register must be written within a minute of virtual time, and
//! the nodes that live must come to hold the same. In `membership` nodes join, are drained and removed and
//! die meanwhile, and replicas are moved; in the end every replica sits where its catalog says.

use types::{Faults, RegionName};

use crate::chance::{Chance, Stream};
use crate::clock::{MILLISECOND_NS, SECOND_NS};
use crate::event::Timer;
use crate::finals;
use crate::registers::{self, Registers};
use crate::run::{Purpose, Run};
use crate::violation::Violation;
use crate::world::{Happening, Setting, World};
use linearize::{self, Verdict};

use super::moves::Moves;
use super::operator::Operator;
use super::plan::Plan;
use super::splits::Splits;

const REGIONS: [&str; 3] = ["a", "b", "c"];
const NODES: usize = 3;
/// Machines of each region that may join it.
const SPARES: usize = 2;
/// Virtual time that the faults take at least.
const LEAST_NS: u64 = 60 * SECOND_NS;
/// Operations that a run must have had answered.
const OPERATIONS_MIN: u64 = 1000;
/// Virtual time within which every register must be written once the faults stop.
const SERVED_NS: u64 = 60 * SECOND_NS;
/// Virtual time that the nodes have then to come to hold the same.
const REST_NS: u64 = 60 * SECOND_NS;
/// How often somebody looks whether they have.
const PROBE_NS: u64 = 250 * MILLISECOND_NS;
/// What the search for an order of one register's operations may take.
const STEPS_MAX: u64 = 20_000;

/// How the faults stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Everything is healed.
    Healed,
    /// A majority of each region is healed, the rest is dead.
    QuorumCore,
}

struct Register {
    world: World,
    registers: Registers,
    operator: Operator,
    plan: Plan,
    splits: Splits,
    moves: Option<Moves>,
    rested: bool,
}

/// Runs a seed to its end; if `moving`, nodes come and go in it.
pub fn run(seed: u64, ending: Ending, moving: bool, faults: Faults, purpose: Purpose) -> Run {
    let regions = REGIONS.iter().map(|name| RegionName::new(*name).expect("the names are valid"));
    let (regions, written) = (regions.collect(), purpose == Purpose::Read);
    let spares = if moving { SPARES } else { 0 };
    let world = World::new(&Setting { seed, regions, nodes: NODES, spares, faults, written });
    let registers = Registers::new(seed, &world);
    let mut chance = Chance::new(seed, Stream::Plan);
    let plan = Plan::draw(&mut chance, world.nodes.len(), NODES + spares, LEAST_NS);
    let partitions = chance.between(1, 4) as u32;
    let moves = moving.then(|| {
        let nodes = (NODES as u64, SPARES as u64);
        Moves::draw(&mut chance, REGIONS.len(), nodes, &registers.table, partitions, LEAST_NS)
    });
    let splits = Splits::draw(seed, REGIONS.len(), &registers.table, partitions, LEAST_NS);
    let operator = Operator::default();
    let mut register = Register { world, registers, operator, plan, splits, moves, rested: false };
    register.begin(partitions);
    register.suffer();
    if ending == Ending::QuorumCore {
        register.bury(&mut chance);
    }
    register.serve();
    register.rest();
    match purpose {
        Purpose::Judge | Purpose::Read => register.judge(),
        Purpose::Repeat => Run::of(register.world, Vec::new()),
    }
}

impl Register {
    fn begin(&mut self, partitions: u32) {
        self.world.start();
        let (table, key) = (self.registers.table.clone(), Registers::schema());
        self.operator.create_table(&mut self.world, &table, &key, partitions);
        self.registers.start(&mut self.world);
        self.plan.set_timers(&mut self.world);
        self.splits.set_timers(&mut self.world);
        if let Some(moves) = &self.moves {
            moves.set_timers(&mut self.world);
        }
    }

    /// Clients and faults, until the plan is through and enough was done.
    fn suffer(&mut self) {
        self.pass(self.plan.heal_at_ns, |_| false);
        let enough = |this: &Self| this.world.tally.operations >= OPERATIONS_MIN;
        self.pass(2 * self.plan.heal_at_ns, enough);
        self.plan.actions.clear();
    }

    /// One node of each region is dead from here on.
    fn bury(&mut self, chance: &mut Chance) {
        for region in 0..REGIONS.len() {
            let node = self.world.any_node(region, chance);
            self.world.bury(node);
        }
    }

    /// Once the faults stop, every register must be written before long.
    fn serve(&mut self) {
        self.world.heal();
        self.operator.resume_all(&mut self.world);
        let healed_ns = self.world.now_ns;
        let unserved = |this: &Self| this.registers.unwritten_since(healed_ns);
        self.pass(healed_ns + SERVED_NS, |this| unserved(this).is_none());
        self.world.tally.quiesce_ms = (self.world.now_ns - healed_ns) / MILLISECOND_NS;
        if let Some((region, key)) = unserved(self) {
            let name = registers::name(region, key);
            self.world.violate("liveness", format!("register {name} was not written"));
        }
    }

    /// Clients stop, and the nodes that live come to hold the same.
    fn rest(&mut self) {
        self.registers.stop();
        let stopped_ns = self.world.now_ns;
        self.world.set_timer(PROBE_NS, Timer::Probe);
        self.pass(stopped_ns + REST_NS, |this| this.rested);
        if let Some(detail) = self.unrest() {
            self.world.violate("agreement", detail);
        }
    }

    fn pass(&mut self, until_ns: u64, ends: impl Fn(&Self) -> bool) {
        while !ends(self) {
            let Some(happening) = self.world.next(until_ns) else { return };
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        let world = &mut self.world;
        match happening {
            Happening::Timer(Timer::Client(client)) => self.registers.wake(world, client),
            Happening::Timer(Timer::Patience(number)) => self.registers.lose_patience(world, number),
            Happening::Timer(Timer::Task(task)) => self.operator.give(world, self.registers.number(), task),
            Happening::Timer(Timer::Action(step)) => self.plan.act(step, world, &mut self.operator),
            Happening::Timer(Timer::Move(step)) => {
                if let Some(moves) = &mut self.moves {
                    moves.act(step, world, &mut self.operator);
                }
            }
            Happening::Timer(Timer::Split(step)) => self.splits.act(step, world, &mut self.operator),
            Happening::Timer(Timer::Focus) => unreachable!("these clients have no focus"),
            Happening::Timer(Timer::Probe) => {
                self.rested = self.unrest().is_none();
                if !self.rested {
                    self.world.set_timer(PROBE_NS, Timer::Probe);
                }
            }
            // An answer that nobody waits for any more came too late.
            Happening::Reply { reply, .. } => {
                let _ = self.registers.reply(world, &reply) || self.operator.reply(world, &reply);
            }
            Happening::Broken { numbers, .. } => {
                self.registers.broken(world, &numbers);
                self.operator.broken(world, &numbers);
            }
        }
    }

    /// What still differs, or is under way.
    fn unrest(&self) -> Option<String> {
        if !self.registers.is_quiet() || !self.operator.is_quiet() {
            return Some("a client or the operator waits for an answer".to_string());
        }
        for node in self.world.nodes.iter().filter(|node| !node.buried) {
            let Some(machine) = &node.machine else { return Some(format!("{} does not run", node.label())) };
            if !machine.figures().serving {
                return Some(format!("{} does not serve", node.label()));
            }
        }
        match self.moves {
            None => finals::differing(&self.world.nodes, self.table()?),
            Some(_) => finals::misplaced(&self.world, self.table()?),
        }
    }

    /// The table's id, as some disk has it.
    fn table(&self) -> Option<types::TableId> {
        self.world.nodes.iter().find_map(|node| finals::any_table(&node.disk))
    }

    fn judge(mut self) -> Run {
        let mut violations: Vec<_> = self.world.violation.take().into_iter().collect();
        for ((region, key), history) in &self.registers.histories {
            let detail = match linearize::check(None, history, STEPS_MAX) {
                Verdict::Linearizable => continue,
                Verdict::Violation { operation, explained, state } => format!(
                    "no order of {} operations explains {:?}: behind {explained} of them it holds {state:?}",
                    history.len(),
                    history[operation],
                ),
                Verdict::GaveUp { steps } => format!("undecided after {steps} steps"),
            };
            let (name, at_ns) = (registers::name(*region, *key), self.world.now_ns);
            let detail = format!("register {name}: {detail}");
            violations.push(Violation { check: "linearizable", at_ns, detail });
            // One is enough, and what nothing explains takes long to search.
            break;
        }
        if self.world.tally.operations < OPERATIONS_MIN && violations.is_empty() {
            let detail =
                format!("{} operations, at least {OPERATIONS_MIN} were wanted", self.world.tally.operations);
            violations.push(Violation { check: "effort", at_ns: self.world.now_ns, detail });
        }
        Run::of(self.world, violations)
    }
}
