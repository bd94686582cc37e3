//! Which nodes come and go, and which replicas an operator moves, when: drawn once, carried out through the
//! catalogs like an operator's commands.

use item::operation::{Command, Operation, Put, WriteOptions};
use item::{AttributeValue, Item};
use types::command::ClusterCommand;
use types::{GroupId, NodeId, TableName};

use crate::chance::Chance;
use crate::clock::SECOND_NS;
use crate::event::Timer;
use crate::registers;
use crate::world::World;

use super::operator::Operator;

/// Moves of one region in a run.
const MOVES: u64 = 12;
/// Items that are written once in each region, and must be everywhere in the end: what clients write on and
/// on hides what was lost before.
const BALLAST: u64 = 40;

/// Something that an operator wants of a region.
#[derive(Clone, Debug)]
enum Move {
    /// The next spare machine joins.
    Join,
    /// A machine is dead for good.
    Bury(NodeId),
    Command(ClusterCommand),
    /// An item is written that nobody writes again.
    Ballast(String),
}

/// All that is wanted, in the order of the times.
pub struct Moves {
    steps: Vec<(u64, usize, Move)>,
    /// Spare machines of each region that were told to join.
    joined: Vec<u64>,
    begun: u64,
    table: TableName,
}

impl Moves {
    /// Draws what is wanted of regions that were begun with so many nodes and have so many spare machines.
    pub fn draw(
        chance: &mut Chance,
        regions: usize,
        (begun, spares): (u64, u64),
        table: &TableName,
        partitions: u32,
        within_ns: u64,
    ) -> Moves {
        let mut steps = Vec::new();
        for region in 0..regions {
            for number in 0..BALLAST {
                let at_ns = 2 * SECOND_NS + chance.below(within_ns - 2 * SECOND_NS);
                steps.push((at_ns, region, Move::Ballast(format!("ballast-{region}-{number}"))));
            }
            // One machine of a region is lost at most: of three replicas, two are needed until there is
            // another.
            let mut lost = false;
            for _ in 0..MOVES {
                let at_ns = 5 * SECOND_NS + chance.below(within_ns - 5 * SECOND_NS);
                let node = NodeId(1 + chance.below(begun + spares));
                let wanted = match chance.below(10) {
                    0..=2 => Move::Join,
                    3 | 4 => Move::Command(ClusterCommand::Drain { node }),
                    5 => Move::Command(ClusterCommand::Resume { node }),
                    6 if lost => Move::Join,
                    6 if chance.permille(500) => {
                        lost = true;
                        steps.push((at_ns, region, Move::Bury(node)));
                        steps.push((at_ns + 4 * SECOND_NS, region, Move::Join));
                        let command = ClusterCommand::Remove { node };
                        steps.push((at_ns + 3 * SECOND_NS, region, Move::Command(command)));
                        continue;
                    }
                    6 => {
                        lost = true;
                        Move::Command(ClusterCommand::Remove { node })
                    }
                    _ => Move::Command(ClusterCommand::Move {
                        table: table.clone(),
                        partition: GroupId(GroupId::FIRST.0 + chance.below(u64::from(partitions))),
                        from: node,
                        to: NodeId(1 + chance.below(begun + spares)),
                    }),
                };
                steps.push((at_ns, region, wanted));
            }
        }
        steps.sort_by_key(|(at_ns, region, _)| (*at_ns, *region));
        Moves { steps, joined: vec![0; regions], begun, table: table.clone() }
    }

    /// Has every step taken in its time.
    pub fn set_timers(&self, world: &mut World) {
        for (step, (at_ns, _, _)) in self.steps.iter().enumerate() {
            world.set_timer(*at_ns, Timer::Move(step));
        }
    }

    /// Takes a step.
    pub fn act(&mut self, step: usize, world: &mut World, operator: &mut Operator) {
        let Some((_, region, wanted)) = self.steps.get(step) else { return };
        let region = *region;
        match wanted {
            Move::Join => {
                let spares = world.nodes_of(region).len() as u64 - self.begun;
                if self.joined[region] < spares {
                    self.joined[region] += 1;
                    let token = self.joined[region];
                    let command = ClusterCommand::Join { token, address: String::new() };
                    operator.ask(world, region, Command::Cluster(command));
                }
            }
            Move::Bury(node) => {
                let at = world.nodes_of(region).start + (node.0 - 1) as usize;
                if world.runs(at) {
                    world.bury(at);
                }
            }
            Move::Ballast(key) => {
                let (table, options) = (self.table.clone(), WriteOptions::default());
                let item = Item::from([(registers::KEY.to_owned(), AttributeValue::S(key.clone()))]);
                let put = Operation::Put(Put { table, item, options });
                operator.ask(world, region, Command::Item(put));
            }
            Move::Command(command) => operator.ask(world, region, Command::Cluster(command.clone())),
        }
    }
}
