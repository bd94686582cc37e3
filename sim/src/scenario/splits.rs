//! Which partitions an operator splits, where and when: drawn once, carried out through the catalogs.

use item::operation::Command;
use types::command::ClusterCommand;
use types::{GroupId, KeyHash, TableName};

use crate::chance::{Chance, Stream};
use crate::clock::SECOND_NS;
use crate::event::Timer;
use crate::world::World;

use super::operator::Operator;

/// Splits that are tried in each region.
const SPLITS: u64 = 5;

/// All splits, in the order of their times.
pub struct Splits {
    steps: Vec<(u64, usize, ClusterCommand)>,
}

impl Splits {
    /// Draws them for regions whose table is made with so many partitions: of those, and of what earlier
    /// splits made of them.
    pub fn draw(seed: u64, regions: usize, table: &TableName, partitions: u32, within_ns: u64) -> Splits {
        let mut chance = Chance::new(seed, Stream::Splits);
        let mut steps = Vec::new();
        for region in 0..regions {
            for _ in 0..SPLITS {
                let at_ns = 3 * SECOND_NS + chance.below(within_ns - 3 * SECOND_NS);
                let partition = GroupId(GroupId::FIRST.0 + chance.below(u64::from(partitions) + SPLITS / 2));
                let at = chance.permille(300).then(|| KeyHash(chance.number()));
                steps.push((at_ns, region, ClusterCommand::Split { table: table.clone(), partition, at }));
            }
        }
        steps.sort_by_key(|(at_ns, region, _)| (*at_ns, *region));
        Splits { steps }
    }

    /// Has every split tried in its time.
    pub fn set_timers(&self, world: &mut World) {
        for (step, (at_ns, ..)) in self.steps.iter().enumerate() {
            world.set_timer(*at_ns, Timer::Split(step));
        }
    }

    /// Tries one.
    pub fn act(&self, step: usize, world: &mut World, operator: &mut Operator) {
        if let Some((_, region, command)) = self.steps.get(step) {
            operator.ask(world, *region, Command::Cluster(command.clone()));
        }
    }
}
