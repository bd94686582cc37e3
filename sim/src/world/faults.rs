//! What strikes nodes: crashes, freezes, slow disks, clock steps.

use crate::clock::MILLISECOND_NS;
use crate::disk::Crash;
use crate::event::{Event, NodeId};
use crate::history::What;

use super::{Happening, World};

/// A process that begins with its wall clock stepped off by more than this may stay beyond the bound of `P7`
/// of its peers for good: they may be off themselves, by nearly as much as the bound.
const ASTRAY_MS: u64 = types::limits::CLOCK_OFFSET_MS_MAX / 10;

impl World {
    /// Starts a node for the first time or after a crash.
    pub fn restart(&mut self, node: NodeId) {
        if self.runs(node) || self.nodes[node].buried {
            return;
        }
        let seed = self.chance.number();
        let at = &mut self.nodes[node];
        let now = at.clock.read(self.now_ns);
        at.began_astray = at.clock.stepped_ms().unsigned_abs() > ASTRAY_MS;
        self.trace.note(self.now_ns, "restart", [node as u64, seed], &now.monotonic_ns.to_be_bytes());
        if let Err(error) = at.open(now, seed) {
            return self.stop(node, &error);
        }
        self.note(node, What::Restarted);
        self.observe(node);
        self.arrange_turn(node);
        for peer in 0..self.nodes.len() {
            if peer != node {
                self.connect_soon(node, peer);
            }
        }
    }

    /// Starts every node, and the flushes that go on for ever.
    pub fn start(&mut self) {
        for node in 0..self.nodes.len() {
            self.restart(node);
            let after_ns = self.chance.between(500, 5000) * MILLISECOND_NS;
            self.queue.push(self.now_ns + after_ns, Event::Flush { node });
        }
    }

    /// Ends a node's process; it starts again after `down_ns`. False when it does not run.
    pub fn crash(&mut self, node: NodeId, crash: Crash, down_ns: u64) -> bool {
        if !self.runs(node) {
            return false;
        }
        self.tally.crashes += 1;
        self.note(node, What::Crashed);
        let at = &mut self.nodes[node];
        self.tally.take_figures(&at.machine.as_ref().map(|machine| machine.figures()).unwrap_or_default());
        let broken = at.end();
        let lost = at.disk.crash(crash, &mut self.disk_chance);
        self.tally.unsynced_bytes_lost += lost.log_bytes;
        self.tally.unflushed_batches_lost += lost.write_batches as u64;
        if crash == Crash::Power {
            at.clock.reboot(self.now_ns + down_ns, self.chance.below(1 << 40));
        }
        self.trace.note(self.now_ns, "crash", [node as u64, lost.log_bytes], &[crash as u8]);
        let numbers: Vec<u64> = broken.into_iter().collect();
        numbers.iter().for_each(|number| drop(self.passable.remove(number)));
        self.happenings.push_back(Happening::Broken { node, numbers });
        self.lose_links(node, crash);
        self.queue.push(self.now_ns + down_ns, Event::Restart { node });
        true
    }

    /// Ends a node's process for good.
    pub fn bury(&mut self, node: NodeId) {
        self.nodes[node].buried = true;
        self.crash(node, Crash::Power, MILLISECOND_NS);
    }

    /// Starts a spare machine, which its region has given a number.
    pub fn join(&mut self, region: usize, number: types::NodeId) {
        let mut spares = self.nodes_of(region).filter(|node| self.nodes[*node].joins);
        if let Some(node) = spares.find(|node| self.nodes[*node].node == number)
            && self.nodes[node].life == 0
        {
            self.nodes[node].buried = false;
            self.restart(node);
        }
    }

    /// Crashes a node that has just appended, before its sync begins.
    pub(super) fn crash_before_sync(&mut self, node: NodeId) {
        let down_ns = self.chance.between(20, 2000) * MILLISECOND_NS;
        self.crash(node, Crash::Power, down_ns);
    }

    /// The crashed end forgets at once; a killed process's peers are told by the system, those of a machine
    /// without power have to find out.
    fn lose_links(&mut self, node: NodeId, crash: Crash) {
        let within_ms = match crash {
            Crash::Kill => 50,
            Crash::Power => 2000,
        };
        for peer in (0..self.nodes.len()).filter(|peer| *peer != node) {
            if let Some(connection) = self.network.up(node, peer) {
                self.network.learn(node, peer, connection, false);
            }
            self.disconnect(node, peer, within_ms);
        }
    }

    /// Freezes a node's process: its clocks go on, its requests and messages wait.
    pub fn freeze(&mut self, node: NodeId, for_ns: u64) {
        let at = &mut self.nodes[node];
        at.frozen_until_ns = at.frozen_until_ns.max(self.now_ns + for_ns);
        self.tally.freezes += 1;
    }

    /// Steps a node's wall clock off by `step_ms` from where it otherwise would be.
    pub fn step_clock(&mut self, node: NodeId, step_ms: i64) {
        self.trace.note(self.now_ns, "step", [node as u64, step_ms as u64], &[]);
        self.nodes[node].clock.step_to(step_ms);
        self.tally.steps_made += 1;
    }

    /// Takes every lasting fault off nodes and network. A process that began on a clock beyond the bound is
    /// started again, as its alarm asks of an operator: a running one never follows a step.
    pub fn heal(&mut self) {
        self.network.heal(self.now_ns);
        for node in 0..self.nodes.len() {
            let at = &mut self.nodes[node];
            at.slow_sync_ns = 0;
            at.crash_on_append = false;
            at.frozen_until_ns = at.frozen_until_ns.min(self.now_ns);
            if at.clock.stepped_ms() != 0 {
                self.step_clock(node, 0);
            }
            if self.nodes[node].began_astray {
                self.crash(node, Crash::Kill, 100 * MILLISECOND_NS);
            }
            self.arrange_turn(node);
            for peer in 0..node {
                self.connect_soon(node, peer);
            }
        }
    }
}
