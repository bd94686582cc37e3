//! Whom this node is linked to: other nodes of its region and nodes of other regions, which come and go.
//!
//! For each it knows where it is, has it dialled, and keeps the queue of what is sent to it. It hears of
//! parties from three sides: the settings, the region's catalog, and the Hellos of other regions' nodes,
//! which tell of their neighbours too. It decides nothing: of its own region it lets in whoever was not
//! removed, as far as the catalog here knows, and of other regions whoever belongs to one that the settings
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::link::{Hello, LinkFrame, Neighbour};
use shard::Member;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use types::{NodeId, RegionName, limits};

use crate::forward::Forward;
use crate::handle::Handle;
use crate::handshake::{Identity, Party, Refusal};
use crate::latency::Latencies;
use crate::link_out::Dialler;
use crate::link_queue::{self, Queue};
use crate::peer_address;
use crate::stop::Stop;
use crate::tls::Tls;

/// The queues of all links.
pub type Queues = Arc<BTreeMap<Party, Queue>>;

/// Who says where a party is; whoever is later in this order knows better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    /// Others of its region: the catalog, the node that this one asked for its number, or a neighbour.
    Region,
    /// The party itself, when it dialled this node.
    Hello,
    /// This node's settings.
    Settings,
}

/// What the links of all parties have in common.
pub struct Common {
    /// Who this node is.
    pub identity: Identity,
    /// The other regions that it may be linked to.
    pub regions: BTreeSet<RegionName>,
    /// How long messages to them are held back.
    pub latencies: Latencies,
    /// Secures the links, if the node speaks TLS.
    pub tls: Option<Tls>,
    /// Told when a link goes up or down.
    pub shard: Handle,
    /// The ways on which calls are passed on to the other nodes of the region.
    pub forward: Arc<Forward>,
    /// Ends all links.
    pub stop: Stop,
}

/// The parties of a node.
#[derive(Clone)]
pub struct Parties {
    shared: Arc<Shared>,
}

struct Shared {
    common: Common,
    queues: watch::Sender<Queues>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where the settings say that parties are.
    configured: BTreeMap<Party, String>,
    /// Whoever is let in.
    known: BTreeMap<Party, Known>,
    /// Nodes of the region that are never let in again.
    removed: BTreeSet<NodeId>,
    diallers: JoinSet<()>,
}

#[derive(Default)]
struct Known {
    /// None as long as nobody said where it is.
    way: Option<Way>,
    /// Ends the party's present link when it is dropped.
    present: Option<oneshot::Sender<()>>,
}

/// How a party is reached. Dropping it ends the dialling.
struct Way {
    source: Source,
    address: watch::Sender<String>,
    queue: Queue,
}

impl Parties {
    /// Nobody so far. The queues of those that come are shown on `queues`.
    pub fn new(common: Common, queues: watch::Sender<Queues>) -> Self {
        Parties { shared: Arc::new(Shared { common, queues, state: Mutex::default() }) }
    }

    /// Knows these parties, and dials those of which it is said where they are. Wants a runtime around it, as
    /// whatever makes a party known does.
    pub fn add(&self, parties: impl IntoIterator<Item = (Party, String)>, source: Source) {
        let mut state = self.state();
        for (party, address) in parties {
            if source == Source::Settings && is_address(&address) {
                state.configured.insert(party.clone(), address.clone());
            }
            self.know(&mut state, party, &address, source);
        }
        self.publish(&state);
    }

    /// Takes in what the region's catalog knows of its other nodes. The links of those that were removed end,
    /// and they are not let in again. A catalog may be behind: who is not in it may have joined since.
    pub fn set_members(&self, members: &[Member]) {
        let me = self.shared.common.identity.node;
        let mut state = self.state();
        for Member { node, address, removed } in members.iter().filter(|member| member.node != me) {
            let party = Party::Node(*node);
            match (removed, state.configured.get(&party).cloned()) {
                (true, _) => {
                    state.removed.insert(*node);
                    state.known.remove(&party);
                }
                (false, Some(configured)) => self.know(&mut state, party, &configured, Source::Settings),
                (false, None) => self.know(&mut state, party, address, Source::Region),
            }
        }
        self.publish(&state);
    }

    /// Keeps the nodes of the region those that the shard tells of, until it has gone or it is time to stop.
    pub async fn follow(self, mut told: watch::Receiver<Vec<Member>>) {
        let stop = self.shared.common.stop.clone();
        loop {
            tokio::select! {
                changed = told.changed() => if changed.is_err() { return },
                () = stop.clone().requested() => return,
            }
            let members = told.borrow_and_update().clone();
            self.set_members(&members);
        }
    }

    /// Which party dials this node, if it is let in. One that says where it is can be dialled back.
    pub fn admit(&self, hello: &Hello) -> Result<Party, Refusal> {
        let mut state = self.state();
        let party = match self.shared.common.identity.judge(hello, state.known.keys()) {
            Err(unknown @ Refusal::Node { .. }) => self.learn(&mut state, hello, unknown)?,
            judged => judged?,
        };
        self.know(&mut state, party.clone(), &hello.address, Source::Hello);
        self.learn_neighbours(&mut state, hello);
        self.publish(&state);
        Ok(party)
    }

    /// Takes in what a party says of its neighbours.
    pub fn hear_of(&self, hello: &Hello) {
        let mut state = self.state();
        self.learn_neighbours(&mut state, hello);
        self.publish(&state);
    }

    /// What this node says of itself and the other nodes of its region when a link opens.
    pub fn hello(&self) -> LinkFrame {
        let state = self.state();
        let neighbours = state.known.iter().filter_map(|(party, known)| match (party, &known.way) {
            (Party::Node(node), Some(way)) => {
                Some(Neighbour { node: node.0, address: way.address.borrow().clone() })
            }
            _ => None,
        });
        self.shared.common.identity.hello(neighbours.collect())
    }

    /// Ends a party's present link, if there is one. What this gives ends when a later link comes or the
    /// party is not known any more; `None` if it is not known already.
    pub fn supersede(&self, party: &Party) -> Option<oneshot::Receiver<()>> {
        let (present, superseded) = oneshot::channel();
        self.state().known.get_mut(party)?.present = Some(present);
        Some(superseded)
    }

    /// Returns when, after it is time to stop, no party is dialled any more.
    pub async fn finish(&self) {
        let mut diallers = std::mem::take(&mut self.state().diallers);
        while diallers.join_next().await.is_some() {}
    }

    /// A node that is not known, of a region that is. So many are known of each region; past it one of
    /// another region is forgotten that neither is reached nor has dialled.
    fn learn(&self, state: &mut State, hello: &Hello, unknown: Refusal) -> Result<Party, Refusal> {
        let (me, node) = (&self.shared.common.identity, NodeId(hello.node));
        if hello.region == me.region.as_str() && state.removed.contains(&node) {
            return Err(Refusal::Removed { node: node.0 });
        }
        if node.0 == 0 || !is_address(&hello.address) {
            return Err(unknown);
        }
        let Some(region) = self.region_of(hello) else {
            let neighbours = state.known.keys().filter(|party| matches!(party, Party::Node(_))).count();
            return match node == me.node || neighbours >= limits::NODES_MAX {
                true => Err(unknown),
                false => Ok(Party::Node(node)),
            };
        };
        if state.of_region(region).count() >= limits::NODES_MAX {
            let gone = state.gone(region).next().ok_or(unknown)?;
            state.known.remove(&gone);
        }
        Ok(Party::Peer { region: region.clone(), node })
    }

    /// The neighbours of a node of another region, as long as there is room for them. Those that are not its
    /// neighbours any more are forgotten once they are gone.
    fn learn_neighbours(&self, state: &mut State, hello: &Hello) {
        let Some(region) = self.region_of(hello) else { return };
        let party = |node| Party::Peer { region: region.clone(), node: NodeId(node) };
        let neighbours = || hello.neighbours.iter().take(limits::NODES_MAX);
        let listed: BTreeSet<_> = neighbours().map(|neighbour| party(neighbour.node)).collect();
        let gone: Vec<_> = state.gone(region).collect();
        for other in gone.into_iter().filter(|other| !listed.contains(other) && *other != party(hello.node)) {
            state.known.remove(&other);
        }
        for Neighbour { node, address } in neighbours() {
            let has_room = state.of_region(region).count() < limits::NODES_MAX;
            let may = has_room || state.known.contains_key(&party(*node));
            if may && *node != 0 && is_address(address) {
                self.know(state, party(*node), address, Source::Region);
            }
        }
    }

    /// The other region that a Hello comes from, if the settings name it.
    fn region_of(&self, hello: &Hello) -> Option<&RegionName> {
        self.shared.common.regions.iter().find(|region| region.as_str() == hello.region)
    }

    /// Lets a party in, and has it dialled where it is said to be unless somebody else knows better.
    fn know(&self, state: &mut State, party: Party, address: &str, source: Source) {
        let known = state.known.entry(party.clone()).or_default();
        if !is_address(address) {
            return;
        }
        match &mut known.way {
            Some(way) if way.source > source => {}
            Some(way) => {
                way.source = source;
                way.address.send_if_modified(|present| {
                    let is_other = present != address;
                    address.clone_into(present);
                    is_other
                });
            }
            None => {
                let (sender, receiver) = watch::channel(address.to_owned());
                let (queue, waiting) = link_queue::new();
                known.way = Some(Way { source, address: sender, queue });
                // Those that have ended are forgotten, so that they are no more than there are parties.
                while state.diallers.try_join_next().is_some() {}
                state
                    .diallers
                    .spawn(self.dialler(party, receiver, waiting).run(self.shared.common.stop.clone()));
            }
        }
    }

    fn dialler(
        &self,
        party: Party,
        address: watch::Receiver<String>,
        waiting: link_queue::Waiting,
    ) -> Dialler {
        let Common { identity, latencies, tls, shard, .. } = &self.shared.common;
        let (region, delay) = match &party {
            Party::Peer { region, .. } => (region, latencies.between(&identity.region, region)),
            Party::Node(_) => (&identity.region, Duration::ZERO),
        };
        let tls = tls.as_ref().map(|tls| tls.calls(region));
        let (identity, shard, parties) = (identity.clone(), shard.clone(), self.clone());
        Dialler { identity, party, address, tls, delay, waiting, shard, parties }
    }

    /// Shows who is linked to: to the shard, whose thread looks after each post, and to calls that are passed
    /// on.
    fn publish(&self, state: &State) {
        let ways = || state.known.iter().filter_map(|(party, known)| Some((party, known.way.as_ref()?)));
        let queues: BTreeMap<_, _> = ways().map(|(party, way)| (party.clone(), way.queue.clone())).collect();
        let nodes = ways().filter_map(|(party, way)| match party {
            Party::Node(node) => Some((*node, way.address.borrow().clone())),
            Party::Peer { .. } => None,
        });
        self.shared.common.forward.set(&nodes.collect());
        let is_same = |present: &Queues| {
            let same = |((a, one), (b, other)): ((&Party, &Queue), (&Party, &Queue))| a == b && one.is(other);
            present.len() == queues.len() && present.iter().zip(&queues).all(same)
        };
        let changed = self.shared.queues.send_if_modified(|present| {
            let is_news = !is_same(present);
            if is_news {
                *present = Arc::new(queues.clone());
            }
            is_news
        });
        if changed {
            self.shared.common.shard.links_changed();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The nodes of another region that are known.
    fn of_region<'a>(&'a self, region: &'a RegionName) -> impl Iterator<Item = (&'a Party, &'a Known)> {
        self.known
            .iter()
            .filter(move |(party, _)| matches!(party, Party::Peer { region: of, .. } if of == region))
    }

    /// Those of them that nobody need know any more: the settings do not name them, and there is no link.
    fn gone<'a>(&'a self, region: &'a RegionName) -> impl Iterator<Item = Party> + 'a {
        let is_gone =
            |(party, known): &(&Party, &Known)| !self.configured.contains_key(party) && known.is_gone();
        self.of_region(region).filter(is_gone).map(|(party, _)| party.clone())
    }
}

impl Known {
    /// Whether it is linked neither way.
    fn is_gone(&self) -> bool {
        let is_reached = self.way.as_ref().is_some_and(|way| way.queue.is_up());
        !is_reached && self.present.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

/// Whether a party can be dialled where somebody says that it is.
fn is_address(text: &str) -> bool {
    text.len() <= limits::NODE_ADDRESS_BYTES_MAX && peer_address::is_address(text)
}

#[cfg(test)]
mod tests;
