//! The virtual world: nodes, the network between them, and time that jumps from event to event.
//!
//! It drives the same `Shard` as production does, by the same rules: one turn after another, syncs on a
//! thread of their own and in order, flushes beside them, replies and messages as they come out. Nothing in
//! it is decided by anything but the seed.

mod faults;
mod links;
mod replies;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use shard::{Envelope, Link, NodeLink, PeerNode, Reply, Request, Turn, TurnId};
use storage::Engine;
use types::{Faults, GroupId, RegionName};

use crate::chance::{Chance, Stream};
use crate::clock::{Clock, MILLISECOND_NS};
use crate::disk::Disk;
use crate::event::{Event, NodeId, Queue, Timer};
use crate::history::{History, What};
use crate::network::Network;
use crate::node::{Machine, Node, Sync};
use crate::observation::Observation;
use crate::tally::Tally;
use crate::trace::Trace;
use crate::violation::Violation;

/// What a scenario learns of.
#[derive(Debug)]
pub enum Happening {
    /// A timer that it had set.
    Timer(Timer),
    /// An answer to a request.
    Reply {
        /// From which node.
        node: NodeId,
        /// The answer.
        reply: Reply,
    },
    /// A node's process ended with requests unanswered.
    Broken {
        /// Which node.
        node: NodeId,
        /// The requests.
        numbers: Vec<u64>,
    },
}

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Everything random comes from it.
    pub seed: u64,
    /// The regions.
    pub regions: Vec<RegionName>,
    /// Nodes that each region is begun with.
    pub nodes: usize,
    /// Machines of each region that may join it later.
    pub spares: usize,
    /// The bug planted in every shard.
    pub faults: Faults,
    /// Whether the trace is to be read.
    pub written: bool,
}

/// The world.
pub struct World {
    /// True time, in nanoseconds.
    pub now_ns: u64,
    /// The machines.
    pub nodes: Vec<Node>,
    /// What lies between them.
    pub network: Network,
    /// What happened, for checkers.
    pub history: History,
    /// What happened, as one number.
    pub trace: Trace,
    /// What happened, counted.
    pub tally: Tally,
    /// What must not have happened.
    pub violation: Option<Violation>,
    queue: Queue,
    happenings: VecDeque<Happening>,
    chance: Chance,
    disk_chance: Chance,
    observed: Vec<Observation>,
    /// Nodes of each region.
    per_region: usize,
    /// Requests that a node may still pass on to another of its region.
    passable: BTreeMap<u64, Request>,
}

impl World {
    /// A world whose nodes have not been started.
    pub fn new(setting: &Setting) -> Self {
        let mut chance = Chance::new(setting.seed, Stream::World);
        let all = (0..setting.regions.len())
            .flat_map(|region| (1..=(setting.nodes + setting.spares) as u64).map(move |node| (region, node)));
        let node = |(region, node)| {
            let clock = Clock::new(chance.around_zero(200), chance.around_zero(200), chance.below(1 << 40));
            Node::new(setting, region, node, clock)
        };
        let nodes: Vec<_> = all.map(node).collect();
        let mut history = History::new(setting.regions.iter().map(RegionName::id).collect());
        history.several = setting.nodes > 1;
        World {
            now_ns: 0,
            network: Network::new(nodes.len(), Chance::new(setting.seed, Stream::Network)),
            history,
            trace: Trace::new(setting.written),
            tally: Tally::default(),
            violation: None,
            queue: Queue::new(),
            happenings: VecDeque::new(),
            chance,
            disk_chance: Chance::new(setting.seed, Stream::Disk),
            observed: Vec::new(),
            per_region: setting.nodes + setting.spares,
            passable: BTreeMap::new(),
            nodes,
        }
    }

    /// Lets time pass until something happens that a scenario learns of, or until `until_ns`, whichever is
    /// first; `None` at that time, and for ever after a violation.
    pub fn next(&mut self, until_ns: u64) -> Option<Happening> {
        loop {
            if self.violation.is_some() {
                return None;
            }
            if let Some(happening) = self.happenings.pop_front() {
                return Some(happening);
            }
            if self.queue.next_at_ns().is_none_or(|at_ns| at_ns > until_ns) {
                self.now_ns = until_ns.max(self.now_ns);
                return None;
            }
            let (at_ns, event) = self.queue.pop().expect("an event was seen to be next");
            self.now_ns = at_ns;
            self.happen(event);
        }
    }

    /// Sets a timer.
    pub fn set_timer(&mut self, after_ns: u64, timer: Timer) {
        self.queue.push(self.now_ns + after_ns, Event::Timer(timer));
    }

    /// Hands a request to a node; false when its process does not run.
    pub fn request(&mut self, node: NodeId, request: Request) -> bool {
        let at = &mut self.nodes[node];
        if at.machine.is_none() {
            return false;
        }
        let number = request.number;
        if self.per_region > 1 {
            self.passable.insert(number, request.clone());
        }
        let entered = self.enter(node, request);
        if !entered {
            self.passable.remove(&number);
        }
        entered
    }

    fn enter(&mut self, node: NodeId, request: Request) -> bool {
        let (at, number) = (&mut self.nodes[node], request.number);
        self.trace.note(self.now_ns, "request", [node as u64, number], &[]);
        if self.trace.is_written() {
            self.trace.line(self.now_ns, format!("{}: {request:?}", at.label()));
        }
        if at.inbox.push(Envelope::Request(Box::new(request))).is_err() {
            return false;
        }
        at.outstanding.insert(number);
        self.arrange_turn(node);
        true
    }

    /// Whether a node's process runs.
    pub fn runs(&self, node: NodeId) -> bool {
        self.nodes[node].machine.is_some()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Turn { node } => self.turn(node),
            Event::Synced { node, life, turn } => self.synced(node, life, turn),
            Event::Flush { node } => self.begin_flush(node),
            Event::Flushed { node, life } => self.flushed(node, life),
            Event::Read { node, life } => self.read(node, life),
            Event::Deliver { to, from, life, connection, bytes } => {
                if self.nodes[to].life == life {
                    self.deliver(to, from, connection, bytes);
                }
            }
            Event::Connect { one, other } => self.connect(one, other),
            Event::LinkUp { node, peer, connection } => self.link_up(node, peer, connection),
            Event::LinkDown { node, peer, connection } => self.link_down(node, peer, connection),
            Event::Restart { node } => self.restart(node),
            Event::PassOn { node, request } => self.passed_on(node, request),
            Event::Timer(timer) => self.happenings.push_back(Happening::Timer(timer)),
        }
    }

    /// Schedules a node's next turn, if it wants one earlier than what is scheduled.
    fn arrange_turn(&mut self, node: NodeId) {
        let at = &mut self.nodes[node];
        let Some(wanted_ns) = at.wants_turn_at_ns(self.now_ns) else { return };
        // A turn takes time itself, and what arrives meanwhile waits for the next one.
        let wanted_ns = wanted_ns.max(self.now_ns + 20_000 + self.chance.below(80_000));
        if at.turn_at_ns.is_none_or(|at_ns| wanted_ns < at_ns) {
            at.turn_at_ns = Some(wanted_ns);
            self.queue.push(wanted_ns, Event::Turn { node });
        }
    }

    fn turn(&mut self, node: NodeId) {
        let at = &mut self.nodes[node];
        if at.turn_at_ns != Some(self.now_ns) {
            return;
        }
        at.turn_at_ns = None;
        let Some(machine) = at.machine.as_mut().filter(|machine| machine.ready_for_turn()) else { return };
        if at.frozen_until_ns > self.now_ns {
            self.arrange_turn(node);
            return;
        }
        let now = at.clock.read(self.now_ns);
        self.trace.note(
            self.now_ns,
            "turn",
            [node as u64, at.inbox.len() as u64],
            &now.wall_ms.to_be_bytes(),
        );
        match machine.turn(now, &mut at.inbox) {
            Ok(turn) => self.after_turn(node, turn),
            Err(error) => self.stop(node, &error),
        }
    }

    fn after_turn(&mut self, node: NodeId, turn: Turn<<Disk as Engine>::Snapshot>) {
        self.observe(node);
        self.send(node, turn.send);
        let life = self.nodes[node].life;
        for read in turn.reads {
            self.nodes[node].reads.push_back(read);
            let takes_ns = self.chance.between(100_000, 20 * MILLISECOND_NS);
            self.queue.push(self.now_ns + takes_ns, Event::Read { node, life });
        }
        if turn.sync {
            let at = &mut self.nodes[node];
            if std::mem::take(&mut at.crash_on_append) {
                self.crash_before_sync(node);
                return;
            }
            at.syncs.push_back(Sync { turn: turn.id, position: 0 });
            if at.syncs.len() == 1 {
                self.begin_sync(node);
            }
        }
        self.arrange_turn(node);
    }

    /// Begins the sync that waits longest. It covers what was appended by the time it begins, and may be done
    /// on the disk well before the process hears of it.
    fn begin_sync(&mut self, node: NodeId) {
        let at = &mut self.nodes[node];
        let position = at.disk.appended();
        let Some(sync) = at.syncs.front_mut() else { return };
        sync.position = position;
        let turn = sync.turn;
        let chance = &mut self.disk_chance;
        if chance.permille(300) {
            at.disk.sync_to(position);
        }
        let takes_ns = match chance.below(50) {
            0 => chance.between(5 * MILLISECOND_NS, 60 * MILLISECOND_NS),
            _ => chance.between(100_000, 3 * MILLISECOND_NS),
        };
        let (at_ns, life) = (self.now_ns + takes_ns + at.slow_sync_ns, at.life);
        self.queue.push(at_ns, Event::Synced { node, life, turn });
    }

    fn synced(&mut self, node: NodeId, life: u32, turn: TurnId) {
        let at = &mut self.nodes[node];
        let Some(machine) = at.machine.as_mut().filter(|_| at.life == life) else { return };
        if at.frozen_until_ns > self.now_ns {
            self.queue.push(at.frozen_until_ns, Event::Synced { node, life, turn });
            return;
        }
        let sync = at.syncs.pop_front().expect("the sync that is done was under way");
        at.disk.sync_to(sync.position);
        let now = at.clock.read(self.now_ns);
        self.trace.note(self.now_ns, "synced", [node as u64, turn.0], &[]);
        match machine.persisted(turn, now) {
            Ok(envelopes) => {
                self.observe(node);
                self.send(node, envelopes);
                self.begin_sync(node);
                self.arrange_turn(node);
            }
            Err(error) => self.stop(node, &error),
        }
    }

    /// Begins a flush, as production does on a thread of its own: what is applied meanwhile may or may not be
    /// covered.
    fn begin_flush(&mut self, node: NodeId) {
        let again_ns = self.chance.between(1000, 8000) * MILLISECOND_NS;
        self.queue.push(self.now_ns + again_ns, Event::Flush { node });
        let at = &mut self.nodes[node];
        let Some(machine) = at.machine.as_mut().filter(|_| !at.flushing) else { return };
        if let Err(error) = machine.begin_flush() {
            return self.fail(node, &error);
        }
        at.flushing = true;
        if self.disk_chance.permille(500)
            && let Err(error) = at.disk.flush()
        {
            return self.fail(node, &error);
        }
        let takes_ns = self.disk_chance.between(MILLISECOND_NS, 100 * MILLISECOND_NS);
        let life = at.life;
        self.queue.push(self.now_ns + takes_ns, Event::Flushed { node, life });
    }

    fn flushed(&mut self, node: NodeId, life: u32) {
        let at = &mut self.nodes[node];
        let Some(machine) = at.machine.as_mut().filter(|_| at.life == life) else { return };
        at.flushing = false;
        self.tally.flushes += 1;
        self.trace.note(self.now_ns, "flushed", [node as u64, 0], &[]);
        let done = at.disk.flush().map_err(shard::Error::from).and_then(|()| machine.compact());
        match done {
            Ok(()) => self.arrange_turn(node),
            Err(error) => self.fail(node, &error),
        }
    }

    fn read(&mut self, node: NodeId, life: u32) {
        let at = &mut self.nodes[node];
        if at.life != life {
            return;
        }
        let read = at.reads.pop_front().expect("each read was announced once");
        match read.run() {
            Ok(envelope) => self.send(node, vec![envelope]),
            Err(error) => self.fail(node, &error),
        }
    }

    /// Sees off what a shard sends.
    fn send(&mut self, node: NodeId, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            match envelope {
                Envelope::Reply(reply) => self.reply(node, *reply),
                Envelope::Link(Link { peer, bytes }) => self.carry(node, peer, bytes),
                Envelope::Node(NodeLink { node: near, bytes }) => {
                    let region = self.nodes[node].region;
                    self.carry(node, PeerNode { region, node: near }, bytes);
                }
                Envelope::Request(_) | Envelope::LinkUp(_) | Envelope::LinkDown(_) | Envelope::Removed => {
                    self.violate("replies", format!("{} sent what only enters", self.nodes[node].label()));
                }
            }
        }
    }

    fn reply(&mut self, node: NodeId, reply: Reply) {
        replies::note(&mut self.trace, self.now_ns, node, &reply);
        if self.nodes[node].outstanding.remove(&reply.number) {
            let passable = self.passable.remove(&reply.number);
            match (&reply.result, passable) {
                (Err(item::Error::Elsewhere { node: other }), Some(request)) => {
                    self.pass_on(node, *other, request);
                }
                _ => self.happenings.push_back(Happening::Reply { node, reply }),
            }
        } else {
            let name = self.nodes[node].label();
            let detail = format!("{name} answered request {}, which nobody waits for", reply.number);
            self.violate("replies", detail);
        }
    }

    fn carry(&mut self, from: NodeId, to: PeerNode, bytes: Vec<u8>) {
        let Some(to) = self.node_of(to) else { return };
        self.trace.note(self.now_ns, "link", [from as u64, to as u64], &bytes);
        let Some(connection) = self.network.up(from, to) else { return };
        let arrivals = self.network.carry(from, to, self.now_ns);
        let life = self.nodes[to].life;
        if let Some(at_ns) = arrivals.second_ns {
            let bytes = bytes.clone();
            self.queue.push(at_ns, Event::Deliver { to, from, life, connection, bytes });
        }
        if let Some(at_ns) = arrivals.first_ns {
            self.queue.push(at_ns, Event::Deliver { to, from, life, connection, bytes });
        }
    }

    fn node_of(&self, peer: PeerNode) -> Option<NodeId> {
        self.nodes.iter().position(|node| (node.region, node.node) == (peer.region, peer.node))
    }

    /// A node of a region; which, is left to chance where there are several.
    pub fn any_node(&self, region: usize, chance: &mut Chance) -> NodeId {
        let nodes = self.nodes_of(region);
        match nodes.len() {
            1 => nodes.start,
            count => nodes.start + chance.below(count as u64) as NodeId,
        }
    }

    /// How many regions there are.
    pub fn regions(&self) -> usize {
        self.nodes.len() / self.per_region
    }

    /// The region of a node, by its index.
    pub fn region_of(&self, node: NodeId) -> usize {
        node / self.per_region
    }

    /// The nodes of a region.
    pub fn nodes_of(&self, region: usize) -> Range<NodeId> {
        region * self.per_region..(region + 1) * self.per_region
    }

    /// How far the logs of a node are appended, or those of other nodes of its region, if that is further.
    fn tails(&self, node: NodeId) -> BTreeMap<GroupId, u64> {
        let mut tails = BTreeMap::new();
        for node in self.nodes_of(self.region_of(node)) {
            for (group, last) in self.nodes[node].disk.tails().unwrap_or_default() {
                let furthest = tails.entry(group).or_insert(last);
                *furthest = last.max(*furthest);
            }
        }
        tails
    }

    /// Writes into the history what a node has done since it was last looked at.
    fn observe(&mut self, node: NodeId) {
        let region = self.region_of(node);
        let at = &mut self.nodes[node];
        at.disk.drain(&mut self.observed);
        let closed = at.machine.as_mut().map(Machine::take_closed_received).unwrap_or_default();
        if !closed.is_empty() {
            let tails = self.tails(node).into_iter();
            self.observed.extend(tails.map(|(group, last)| Observation::Appended { group, last }));
            self.observed.extend(closed.into_iter().map(Observation::Closed));
        }
        for observation in self.observed.drain(..) {
            if self.trace.is_written() && !matches!(observation, Observation::Appended { .. }) {
                self.trace.line(self.now_ns, format!("{}: {observation:?}", self.nodes[node].label()));
            }
            self.history.observe(self.now_ns, region, node, observation);
        }
    }

    /// Ends the run: something happened that must not.
    pub fn violate(&mut self, check: &'static str, detail: String) {
        let at_ns = self.now_ns;
        self.trace.line(at_ns, format!("violation of {check}: {detail}"));
        self.violation.get_or_insert(Violation { check, at_ns, detail });
    }

    /// A process ends by itself: in order, if its region took the node out; anything else is a violation.
    fn stop(&mut self, node: NodeId, error: &shard::Error) {
        match error {
            shard::Error::Removed { .. } => self.bury(node),
            error => self.fail(node, error),
        }
    }

    fn fail(&mut self, node: NodeId, error: &dyn std::error::Error) {
        let detail = format!("{} stopped: {error}", self.nodes[node].label());
        self.violate("fatal", detail);
    }

    /// A running process, for its figures.
    pub fn machine(&self, node: NodeId) -> Option<&Machine> {
        self.nodes[node].machine.as_ref()
    }

    fn note(&mut self, node: NodeId, what: What) {
        self.history.add_on(self.now_ns, self.region_of(node), node, what);
    }
}
