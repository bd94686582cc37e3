//! The network between nodes: what becomes of each message.
//!
//! A message may come late, twice, out of order or not at all, and each direction of a pair fails on its own.
//! Connections come and go above that; a message sent over an old one may still turn up on a later one. The
//! network knows no contents and schedules nothing itself: it tells when copies arrive, if any.

use crate::chance::Chance;
use crate::clock::MILLISECOND_NS;
use crate::event::NodeId;

/// One direction between two nodes.
#[derive(Clone, Debug)]
pub struct Path {
    /// The least time that a message takes.
    pub delay_ns: u64,
    /// What a message may take beyond that; more than the time between two messages reorders them.
    pub spread_ns: u64,
    /// Messages lost, of 1,000.
    pub loss_permille: u64,
    /// Messages that arrive twice, of 1,000.
    pub double_permille: u64,
    /// Second copies that come seconds after the first, of 1,000.
    pub late_permille: u64,
    /// Nothing passes while this is set.
    pub cut: bool,
    /// Nothing arrives before this time; what was under way arrives then all at once.
    pub held_until_ns: u64,
}

/// What both ends of a pair believe of the connection between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Connection {
    /// Counted up with each new connection.
    pub number: u32,
    /// Whether the end with the lower node number, and the other one, hold it for up.
    ends: [bool; 2],
}

/// When the copies of a message arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Arrivals {
    /// The first copy; absent when it is lost.
    pub first_ns: Option<u64>,
    /// The second copy, if there is one.
    pub second_ns: Option<u64>,
}

/// What happened on all paths, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Carried {
    /// Messages handed over.
    pub sent: u64,
    /// Messages that were lost on the way.
    pub lost: u64,
    /// Messages that arrived twice.
    pub doubled: u64,
    /// Messages that turned up on a later connection than they were sent on.
    pub strayed: u64,
}

/// All paths and connections.
#[derive(Clone, Debug)]
pub struct Network {
    nodes: usize,
    paths: Vec<Path>,
    connections: Vec<Connection>,
    chance: Chance,
    /// What happened so far.
    pub carried: Carried,
}

impl Path {
    fn calm(chance: &mut Chance) -> Path {
        let delay_ns = match chance.below(3) {
            0 => chance.between(200_000, 2 * MILLISECOND_NS),
            1 => chance.between(2 * MILLISECOND_NS, 20 * MILLISECOND_NS),
            _ => chance.between(20 * MILLISECOND_NS, 120 * MILLISECOND_NS),
        };
        let spread_ns = chance.between(0, delay_ns);
        let (loss_permille, double_permille) = (chance.below(6), chance.below(20));
        Path {
            delay_ns,
            spread_ns,
            loss_permille,
            double_permille,
            late_permille: 300,
            cut: false,
            held_until_ns: 0,
        }
    }
}

impl Network {
    /// A network whose paths have delays of their own and no faults beyond a few losses and doublings.
    pub fn new(nodes: usize, mut chance: Chance) -> Self {
        let paths = (0..nodes * nodes).map(|_| Path::calm(&mut chance)).collect();
        Network {
            nodes,
            paths,
            connections: vec![Connection::default(); nodes * nodes],
            chance,
            carried: Carried::default(),
        }
    }

    /// One direction of a pair.
    pub fn path(&mut self, from: NodeId, to: NodeId) -> &mut Path {
        &mut self.paths[from * self.nodes + to]
    }

    /// Whether messages pass in both directions.
    pub fn passes(&mut self, one: NodeId, other: NodeId) -> bool {
        !self.path(one, other).cut && !self.path(other, one).cut
    }

    /// When copies of a message sent at `at_ns` arrive.
    pub fn carry(&mut self, from: NodeId, to: NodeId, at_ns: u64) -> Arrivals {
        let path = &self.paths[from * self.nodes + to];
        let chance = &mut self.chance;
        self.carried.sent += 1;
        if path.cut || chance.permille(path.loss_permille) {
            self.carried.lost += 1;
            return Arrivals::default();
        }
        let mut arrival = |after_ns: u64| {
            let takes_ns = path.delay_ns + chance.between(0, path.spread_ns);
            (at_ns + takes_ns + after_ns).max(path.held_until_ns)
        };
        let first_ns = Some(arrival(0));
        if !chance.permille(path.double_permille) {
            return Arrivals { first_ns, second_ns: None };
        }
        self.carried.doubled += 1;
        let late_ns = match chance.permille(path.late_permille) {
            true => chance.between(500, 20_000) * MILLISECOND_NS,
            false => chance.between(0, 50) * MILLISECOND_NS,
        };
        let takes_ns = path.delay_ns + late_ns;
        Arrivals { first_ns, second_ns: Some((at_ns + takes_ns).max(path.held_until_ns)) }
    }

    /// Takes every fault off every path; delays stay. What is under way stays under way.
    pub fn heal(&mut self, at_ns: u64) {
        for path in &mut self.paths {
            path.loss_permille = 0;
            path.double_permille = 0;
            path.cut = false;
            path.held_until_ns = path.held_until_ns.min(at_ns);
        }
    }

    /// The number of the connection that `node` holds for up, if it does.
    pub fn up(&self, node: NodeId, peer: NodeId) -> Option<u32> {
        let connection = self.connections[self.pair(node, peer)];
        connection.ends[usize::from(node > peer)].then_some(connection.number)
    }

    /// Whether both ends hold the connection for up.
    pub fn whole(&self, one: NodeId, other: NodeId) -> bool {
        self.connections[self.pair(one, other)].ends == [true, true]
    }

    /// Begins a new connection and gives its number; both ends must have learnt of the old one's end.
    pub fn connect(&mut self, one: NodeId, other: NodeId) -> u32 {
        let pair = self.pair(one, other);
        let connection = &mut self.connections[pair];
        connection.number += 1;
        connection.ends = [false, false];
        connection.number
    }

    /// Notes what an end learnt of a connection; false when it is not the latest one or nothing changes.
    pub fn learn(&mut self, node: NodeId, peer: NodeId, number: u32, up: bool) -> bool {
        let pair = self.pair(node, peer);
        let connection = &mut self.connections[pair];
        let end = &mut connection.ends[usize::from(node > peer)];
        let changes = connection.number == number && *end != up;
        if changes {
            *end = up;
        }
        changes
    }

    /// The number of the latest connection of a pair, up or not.
    pub fn latest(&self, one: NodeId, other: NodeId) -> u32 {
        self.connections[self.pair(one, other)].number
    }

    /// Whether a message of an old connection turns up on the present one; half of them do.
    pub fn strays(&mut self) -> bool {
        let strays = self.chance.permille(500);
        self.carried.strayed += u64::from(strays);
        strays
    }

    fn pair(&self, one: NodeId, other: NodeId) -> usize {
        one.min(other) * self.nodes + one.max(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Stream;

    fn network() -> Network {
        let mut network = Network::new(3, Chance::new(5, Stream::Network));
        network.heal(0);
        network
    }

    #[test]
    fn a_calm_path_delivers_everything_once_within_its_spread() {
        let mut network = network();
        *network.path(0, 1) = Path { delay_ns: 10, spread_ns: 5, ..network.path(0, 1).clone() };
        for at_ns in 0..200 {
            let Arrivals { first_ns: Some(first_ns), second_ns: None } = network.carry(0, 1, at_ns) else {
                panic!("lost or doubled")
            };
            assert!((at_ns + 10..=at_ns + 15).contains(&first_ns));
        }
    }

    #[test]
    fn messages_are_lost_doubled_and_reordered_as_often_as_asked() {
        let mut network = network();
        let path = network.path(0, 1);
        (path.loss_permille, path.double_permille, path.spread_ns) = (200, 300, 1000);
        let arrivals: Vec<_> = (0..1000).map(|at_ns| network.carry(0, 1, at_ns)).collect();
        let lost = arrivals.iter().filter(|arrival| arrival.first_ns.is_none()).count();
        let doubled = arrivals.iter().filter(|arrival| arrival.second_ns.is_some()).count();
        assert!((100..300).contains(&lost) && (150..350).contains(&doubled), "{lost} {doubled}");
        let firsts: Vec<u64> = arrivals.iter().filter_map(|arrival| arrival.first_ns).collect();
        assert!(!firsts.is_sorted());
    }

    #[test]
    fn a_cut_works_one_way_and_healing_ends_it() {
        let mut network = network();
        network.path(0, 1).cut = true;
        assert_eq!(network.carry(0, 1, 0), Arrivals::default());
        assert!(network.carry(1, 0, 0).first_ns.is_some());
        assert!(!network.passes(1, 0));
        network.heal(0);
        assert!(network.passes(1, 0) && network.carry(0, 1, 0).first_ns.is_some());
    }

    #[test]
    fn a_held_path_delivers_all_at_once() {
        let mut network = network();
        network.path(2, 1).held_until_ns = u64::MAX / 2;
        let arrivals: Vec<_> = (0..10).map(|at_ns| network.carry(2, 1, at_ns).first_ns).collect();
        assert_eq!(arrivals, vec![Some(u64::MAX / 2); 10]);
    }

    #[test]
    fn ends_learn_of_the_latest_connection_only() {
        let mut network = network();
        let first = network.connect(0, 1);
        assert!(network.learn(1, 0, first, true));
        assert_eq!((network.up(0, 1), network.up(1, 0)), (None, Some(first)));
        let second = network.connect(1, 0);
        assert!(!network.learn(0, 1, first, true), "an old connection");
        assert!(network.learn(0, 1, second, true) && network.learn(1, 0, second, true));
        assert!(network.whole(1, 0) && !network.learn(1, 0, second, true));
    }
}
