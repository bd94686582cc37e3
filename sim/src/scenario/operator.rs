//! The operator: creates the table, pauses and resumes directions, and insists until it is done.

use item::operation::Command;
use item::outcome::Answer;
use shard::{Reply, Request};
use types::command::{RegionCommand, TableAnswer, TableCommand};

use crate::clock::MILLISECOND_NS;
use crate::event::{NodeId, Timer};
use crate::workload::Workload;
use crate::world::World;

/// How long the operator waits before a command is given again.
const RETRY_MS: u64 = 300;

/// The operator of all regions.
#[derive(Default)]
pub struct Operator {
    tasks: Vec<Task>,
}

struct Task {
    node: NodeId,
    command: Command,
    /// The request under way.
    number: Option<u64>,
    done: bool,
}

impl Operator {
    /// Creates the workload's table in every region.
    pub fn create_table(&mut self, world: &mut World, workload: &Workload, partitions: u32) {
        let command = TableCommand::Create {
            name: workload.table.clone(),
            key: workload.schema.clone(),
            regions: world.nodes.iter().map(|node| node.name.clone()).collect(),
            partitions,
        };
        self.add(world, 0, Command::Table(command));
    }

    /// Pauses or resumes shipping from one region to another; an earlier command about it is given up.
    pub fn pause(&mut self, world: &mut World, from: NodeId, to: NodeId, paused: bool) {
        let to = world.nodes[to].name.clone();
        for task in &mut self.tasks {
            let Command::Region(RegionCommand::Pause { to: other } | RegionCommand::Resume { to: other }) =
                &task.command
            else {
                continue;
            };
            task.done |= task.node == from && *other == to;
        }
        world.tally.pauses += u64::from(paused);
        let command = if paused { RegionCommand::Pause { to } } else { RegionCommand::Resume { to } };
        self.add(world, from, Command::Region(command));
    }

    /// Resumes every direction.
    pub fn resume_all(&mut self, world: &mut World) {
        for from in 0..world.nodes.len() {
            for to in (0..world.nodes.len()).filter(|to| *to != from) {
                self.pause(world, from, to, false);
            }
        }
    }

    /// Gives a task's command, if it is not done and not under way.
    pub fn give(&mut self, world: &mut World, workload: &mut Workload, task: usize) {
        let at = &mut self.tasks[task];
        if at.done || at.number.is_some() {
            return;
        }
        let number = workload.number();
        let request = Request { number, deadline_ns: None, bytes: 0, command: at.command.clone() };
        match world.request(at.node, request) {
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
        at.done |= matches!(
            reply.result,
            Ok(Answer::Table(TableAnswer::Table(_)) | Answer::Region(_))
                | Err(item::Error::TableInUse { .. })
        );
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

    fn add(&mut self, world: &mut World, node: NodeId, command: Command) {
        self.tasks.push(Task { node, command, number: None, done: false });
        world.set_timer(MILLISECOND_NS, Timer::Task(self.tasks.len() - 1));
    }
}
