//! The operator: creates the table, pauses and resumes directions, and insists until it is done.

use item::error::Kind;
use item::operation::Command;
use item::outcome::Answer;
use shard::{Reply, Request};
use types::command::{ClusterAnswer, RegionCommand, TableAnswer, TableCommand};
use types::{KeySchema, TableName};

use crate::clock::MILLISECOND_NS;
use crate::event::Timer;
use crate::world::World;

/// How long the operator waits before a command is given again.
const RETRY_MS: u64 = 300;

/// The operator of all regions.
#[derive(Default)]
pub struct Operator {
    tasks: Vec<Task>,
}

struct Task {
    region: usize,
    command: Command,
    /// How often it was given.
    tries: usize,
    /// The request under way.
    number: Option<u64>,
    done: bool,
}

impl Operator {
    /// Creates a table in every region.
    pub fn create_table(&mut self, world: &mut World, table: &TableName, key: &KeySchema, partitions: u32) {
        let command = TableCommand::Create {
            name: table.clone(),
            key: key.clone(),
            regions: (0..world.regions()).map(|region| name(world, region)).collect(),
            partitions,
        };
        self.ask(world, 0, Command::Table(command));
    }

    /// Insists on a command in a region until it is carried out or refused for good.
    pub fn ask(&mut self, world: &mut World, region: usize, command: Command) {
        self.tasks.push(Task { region, command, tries: 0, number: None, done: false });
        world.set_timer(MILLISECOND_NS, Timer::Task(self.tasks.len() - 1));
    }

    /// Pauses or resumes shipping from one region to another; an earlier command about it is given up.
    pub fn pause(&mut self, world: &mut World, from: usize, to: usize, paused: bool) {
        let to = name(world, to);
        for task in &mut self.tasks {
            let Command::Region(RegionCommand::Pause { to: other } | RegionCommand::Resume { to: other }) =
                &task.command
            else {
                continue;
            };
            task.done |= task.region == from && *other == to;
        }
        world.tally.pauses += u64::from(paused);
        let command = if paused { RegionCommand::Pause { to } } else { RegionCommand::Resume { to } };
        self.ask(world, from, Command::Region(command));
    }

    /// Resumes every direction.
    pub fn resume_all(&mut self, world: &mut World) {
        for from in 0..world.regions() {
            for to in (0..world.regions()).filter(|to| *to != from) {
                self.pause(world, from, to, false);
            }
        }
    }

    /// Gives a task's command, if it is not done and not under way.
    /// The number is for the request, if it is given.
    pub fn give(&mut self, world: &mut World, number: u64, task: usize) {
        let at = &mut self.tasks[task];
        if at.done || at.number.is_some() {
            return;
        }
        let request = Request { number, deadline_ns: None, bytes: 0, command: at.command.clone() };
        // One node after the other: not all of them may run, or know who leads.
        let nodes = world.nodes_of(at.region);
        let node = nodes.start + at.tries % nodes.len();
        at.tries += 1;
        match world.request(node, request) {
            true => at.number = Some(number),
            false => world.set_timer(RETRY_MS * MILLISECOND_NS, Timer::Task(task)),
        }
    }

    /// An answer; false when it is to nobody here.
    pub fn reply(&mut self, world: &mut World, reply: &Reply) -> bool {
        let Some(task) = self.tasks.iter().position(|task| task.number == Some(reply.number)) else {
            return false;
        };
        let at = &mut self.tasks[task];
        at.number = None;
        at.done |= match &reply.result {
            Ok(Answer::Table(TableAnswer::Table(_)) | Answer::Region(_) | Answer::Item(_)) => true,
            Err(item::Error::TableInUse { .. }) => true,
            Ok(Answer::Cluster(answer)) => {
                world.tally.moves += 1;
                if let ClusterAnswer::Joined { node, .. } = answer {
                    world.join(at.region, *node);
                }
                true
            }
            Err(error) => matches!(at.command, Command::Cluster(_)) && error.kind() == Kind::Client,
            Ok(_) => false,
        };
        if !at.done {
            world.set_timer(RETRY_MS * MILLISECOND_NS, Timer::Task(task));
        }
        true
    }

    /// A node's process ended before it answered these.
    pub fn broken(&mut self, world: &mut World, numbers: &[u64]) {
        for (task, at) in self.tasks.iter_mut().enumerate() {
            if at.number.is_some_and(|number| numbers.contains(&number)) {
                at.number = None;
                world.set_timer(RETRY_MS * MILLISECOND_NS, Timer::Task(task));
            }
        }
    }

    /// Whether everything is done.
    pub fn is_quiet(&self) -> bool {
        self.tasks.iter().all(|task| task.done)
    }
}

fn name(world: &World, region: usize) -> types::RegionName {
    world.nodes[world.nodes_of(region).start].name.clone()
}
