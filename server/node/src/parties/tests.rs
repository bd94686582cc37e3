//! Who is known, who is let in, and where each is dialled.

use proto::link::link_frame::Frame;

use super::*;
use crate::handle::Post;
use crate::stop::{self, Stopper};

/// A node 1 of `us` whose settings name `eu`.
struct World {
    parties: Parties,
    queues: watch::Receiver<Queues>,
    forward: Arc<Forward>,
    stopper: Stopper,
    _posts: std::sync::mpsc::Receiver<Post>,
}

fn region(name: &str) -> RegionName {
    RegionName::new(name).unwrap()
}

fn peer(node: u64) -> Party {
    Party::Peer { region: region("eu"), node: NodeId(node) }
}

fn near(node: u64) -> Party {
    Party::Node(NodeId(node))
}

/// Nobody listens there.
fn at(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn hello(name: &str, node: u64, address: &str) -> Hello {
    let (cluster, address) = ("test".to_owned(), address.to_owned());
    let identity = Identity { cluster, region: region(name), node: NodeId(node), address };
    match identity.hello(vec![]).frame {
        Some(Frame::Hello(hello)) => hello,
        _ => panic!("no Hello"),
    }
}

fn start() -> World {
    let (shard, posts) = Handle::new(limits::INBOX_BYTES_MAX);
    let (stopper, stop) = stop::channel();
    let (sender, queues) = watch::channel(Queues::default());
    let forward = Arc::<Forward>::default();
    let (cluster, address) = ("test".to_owned(), at(9));
    let common = Common {
        identity: Identity { cluster, region: region("us"), node: NodeId::ONLY, address },
        regions: [region("eu")].into(),
        latencies: Latencies::default(),
        tls: None,
        shard,
        forward: forward.clone(),
        stop,
    };
    let parties = Parties::new(common, sender);
    parties.add([(peer(1), at(1))], Source::Settings);
    World { parties, queues, forward, stopper, _posts: posts }
}

impl World {
    fn linked(&self) -> Vec<Party> {
        self.queues.borrow().keys().cloned().collect()
    }

    fn queue(&self, party: &Party) -> Queue {
        self.queues.borrow()[party].clone()
    }

    fn address(&self, party: &Party) -> String {
        self.parties.state().known[party].way.as_ref().unwrap().address.borrow().clone()
    }

    fn admits(&self, name: &str, node: u64, address: &str) -> bool {
        self.parties.admit(&hello(name, node, address)).is_ok()
    }
}

fn member(node: u64, address: &str) -> Member {
    Member { node: NodeId(node), address: address.to_owned(), removed: false }
}

fn gone(node: u64) -> Member {
    Member { removed: true, ..member(node, "") }
}

#[tokio::test]
async fn nodes_come_and_go_as_the_catalog_says() {
    let world = start();
    world.parties.add([(near(2), at(2))], Source::Settings);
    assert!(!world.admits("us", 3, ""), "nobody told of it, and it could not be dialled");
    world.parties.set_members(&[member(2, ""), member(3, &at(3)), member(1, &at(1))]);
    assert_eq!(world.linked(), [peer(1), near(2), near(3)]);
    assert_eq!(world.forward.nodes(), [NodeId(2), NodeId(3)]);
    assert!(world.admits("us", 2, "") && world.admits("us", 3, ""));
    let superseded = world.parties.supersede(&near(2)).unwrap();
    let queue = world.queue(&near(3));
    world.parties.set_members(&[gone(2), member(3, &at(3))]);
    assert!(superseded.await.is_err(), "the link of a node that was removed ends");
    let refused = world.parties.admit(&hello("us", 2, &at(2)));
    assert_eq!(refused, Err(Refusal::Removed { node: 2 }));
    assert!(world.parties.supersede(&near(2)).is_none());
    assert_eq!((world.linked(), world.forward.nodes()), (vec![peer(1), near(3)], vec![NodeId(3)]));
    assert!(world.queue(&near(3)).is(&queue), "who stays is left alone");
    // The catalog here may be behind: one that it does not know may have joined since.
    assert!(world.admits("us", 4, &at(4)) && !world.admits("us", 1, &at(1)));
    world.parties.set_members(&[gone(2), member(3, &at(3))]);
    assert_eq!(world.linked(), [peer(1), near(3), near(4)]);
    world.stopper.stop();
    world.parties.finish().await;
}

#[tokio::test]
async fn what_the_catalog_says_is_followed() {
    let world = start();
    let (sender, told) = watch::channel(Vec::new());
    let following = tokio::spawn(world.parties.clone().follow(told));
    sender.send_replace(vec![member(2, &at(2))]);
    let mut queues = world.queues.clone();
    queues.wait_for(|queues| queues.contains_key(&near(2))).await.unwrap();
    drop(sender);
    following.await.unwrap();
}

#[tokio::test]
async fn settings_know_best_and_a_party_itself_better_than_the_catalog() {
    let world = start();
    world.parties.add([(near(2), at(2))], Source::Settings);
    world.parties.set_members(&[member(2, &at(12)), member(3, &at(3)), member(4, "")]);
    let queue = world.queue(&near(3));
    assert_eq!(world.linked(), [peer(1), near(2), near(3)], "nobody said where node 4 is");
    assert!(
        world.admits("us", 2, &at(22)) && world.admits("us", 3, &at(23)) && world.admits("us", 4, &at(24))
    );
    world.parties.set_members(&[member(2, &at(12)), member(3, &at(33)), member(4, &at(34))]);
    let addresses = [2, 3, 4].map(|node| world.address(&near(node)));
    assert_eq!(addresses, [at(2), at(23), at(24)]);
    assert!(world.queue(&near(3)).is(&queue), "what waits for a party that moved is kept");
    for nonsense in ["nowhere", "", &"x".repeat(1000)] {
        assert!(world.admits("us", 3, nonsense));
    }
    assert_eq!(world.address(&near(3)), at(23));
}

#[tokio::test]
async fn nodes_of_a_known_region_are_learnt_and_no_others() {
    let world = start();
    assert!(world.admits("eu", 1, ""), "the settings name it");
    assert!(world.admits("eu", 2, &at(2)));
    assert_eq!(world.linked(), [peer(1), peer(2)]);
    assert!(world.forward.is_alone(), "calls are not passed on to other regions");
    assert!(!world.admits("eu", 3, ""), "it could not be dialled");
    assert!(!world.admits("eu", 0, &at(3)));
    let stranger = world.parties.admit(&hello("sa", 1, &at(3)));
    assert!(matches!(stranger, Err(Refusal::Region { .. })));
    world.parties.set_members(&[gone(1), gone(2)]);
    assert_eq!(world.linked(), [peer(1), peer(2)], "other regions' nodes are not the catalog's to remove");
}

#[tokio::test]
async fn neighbours_are_learnt_and_forgotten_once_they_are_gone() {
    let world = start();
    world.parties.set_members(&[member(2, &at(2)), member(3, "")]);
    let Some(Frame::Hello(ours)) = world.parties.hello().frame else { panic!("no Hello") };
    assert_eq!(ours.neighbours, [Neighbour { node: 2, address: at(2) }]);
    let neighbour = |node, address: &str| Neighbour { node, address: address.to_owned() };
    let with = |neighbours| Hello { neighbours, ..hello("eu", 1, "") };
    let said =
        vec![neighbour(0, &at(9)), neighbour(4, "nowhere"), neighbour(5, &at(5)), neighbour(6, &at(6))];
    world.parties.hear_of(&with(said));
    assert_eq!(world.linked(), [peer(1), peer(5), peer(6), near(2)]);
    assert!(world.admits("eu", 6, &at(16)), "it knows better where it is");
    let _present = world.parties.supersede(&peer(6)).unwrap();
    world.parties.admit(&with(vec![neighbour(7, &at(7))])).unwrap();
    assert_eq!(world.linked(), [peer(1), peer(6), peer(7), near(2)], "5 is gone");
    assert_eq!(world.address(&peer(6)), at(16));
    let many = (1..200).map(|node| neighbour(node, &at(5))).collect();
    world.parties.hear_of(&Hello { neighbours: many, ..hello("eu", 1, "") });
    let peers = world.linked().into_iter().filter(|party| matches!(party, Party::Peer { .. }));
    assert_eq!(peers.count(), limits::NODES_MAX);
    let near_by = Hello { neighbours: vec![neighbour(9, &at(9))], ..hello("us", 2, "") };
    world.parties.hear_of(&near_by);
    assert!(!world.linked().contains(&near(9)), "of this region the catalog tells");
}

#[tokio::test]
async fn so_many_nodes_are_learnt_and_those_that_went_make_room() {
    let world = start();
    let most = limits::NODES_MAX as u64;
    let mut links: Vec<_> = (2..=most)
        .map(|node| {
            assert!(world.admits("eu", node, &at(2)), "{node}");
            world.parties.supersede(&peer(node)).unwrap()
        })
        .collect();
    assert!(!world.admits("eu", most + 1, &at(2)), "all are present");
    drop(links.pop());
    assert!(world.admits("eu", most + 1, &at(2)));
    assert_eq!(world.queues.borrow().len(), limits::NODES_MAX);
    assert!(!world.linked().contains(&peer(most)));
}
