//! Plans carried out to their end, on catalogs without a region around them.

use super::*;
use crate::entry::tests::{key, name};

fn region(nodes: u64, partitions: u32) -> Catalog {
    let nodes: Vec<_> = (1..=nodes).map(NodeId).collect();
    let mut catalog = Catalog::new(name("a"), Nodes::begun_with(&nodes, &BTreeMap::new()));
    let table = types::TableName::new("table").unwrap();
    let (now, here) = (types::HybridTime::from_millis(5), BTreeSet::from([name("a")]));
    let (_, update) = catalog.create(table, key(), &here, partitions, now).expect("created");
    update.apply(&mut catalog);
    catalog
}

fn add(catalog: &mut Catalog) -> NodeId {
    let (node, update) = catalog.join(catalog.nodes.known.len() as u64 + 100, "a:1").unwrap();
    update.expect("new").apply(catalog);
    node
}

/// Carries out every plan until there is none; gives how many replicas were moved.
fn carry_out(catalog: &mut Catalog, lives: impl Fn(NodeId) -> bool + Copy) -> usize {
    let mut moved = 0;
    for _ in 0..10_000 {
        if let Some(update) = catalog.plan(lives, |_| true) {
            update.apply(catalog);
            continue;
        }
        let moving = catalog.seated().filter(|seats| seat::is_moving(seats)).count();
        if moving == 0 {
            return moved;
        }
        assert!(moving <= limits::MOVES_MAX);
        moved += moving;
        let table = catalog.tables.values().next().expect("made above");
        let all = table.partitions().map(|(group, _)| (group, seat::voters(table.seats(group))));
        let reported = all.collect();
        catalog.settle(&reported).expect("something was moving").apply(catalog);
    }
    panic!("it never comes to rest");
}

fn counts(catalog: &Catalog) -> (Vec<u64>, Vec<u64>) {
    let active: Vec<_> = catalog.nodes.active().collect();
    let replicas = active.iter().map(|node| catalog.replicas_on(*node)).collect();
    (replicas, active.iter().map(|node| catalog.shares_of(*node).1).collect())
}

fn check(catalog: &Catalog, replicas: usize) {
    let mut ids = BTreeSet::new();
    for (at, seats) in catalog.seated().enumerate() {
        let nodes: BTreeSet<_> = seats.iter().map(|seat| seat.node).collect();
        assert_eq!((nodes.len(), seats.len()), (replicas, replicas), "{seats:?}");
        for seat in seats {
            assert!(ids.insert((at, seat.replica)), "a replica's number is used once");
            assert_eq!(catalog.nodes.state(seat.node), Some(NodeState::Active));
        }
    }
    let (replicas, first) = counts(catalog);
    for shares in [replicas, first] {
        let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
        assert!(most - least <= 1, "{shares:?}");
    }
}

#[test]
fn a_new_node_is_given_its_share_and_then_nothing_moves() {
    let mut catalog = region(3, 64);
    assert_eq!(catalog.plan(|_| true, |_| true), None);
    add(&mut catalog);
    let moved = carry_out(&mut catalog, |_| true);
    assert!((46..=50).contains(&moved), "{moved}");
    check(&catalog, 3);
}

#[test]
fn a_node_without_room_is_given_nothing_until_it_has_some() {
    let mut catalog = region(3, 16);
    let new = add(&mut catalog);
    assert_eq!(catalog.plan(|_| true, |node| node != new), None, "nobody else lacks anything");
    catalog.drain(NodeId(1)).unwrap().unwrap().apply(&mut catalog);
    while let Some(update) = catalog.plan(|_| true, |node| node != new) {
        update.apply(&mut catalog);
    }
    assert_eq!((catalog.replicas_on(NodeId(1)), catalog.replicas_on(new)), (16, 0), "it stays where it is");
    carry_out(&mut catalog, |_| true);
    assert_eq!((catalog.replicas_on(NodeId(1)), catalog.replicas_on(new)), (0, 16));
}

#[test]
fn a_region_of_one_node_grows_to_three_replicas() {
    let mut catalog = region(1, 8);
    add(&mut catalog);
    carry_out(&mut catalog, |_| true);
    check(&catalog, 2);
    add(&mut catalog);
    carry_out(&mut catalog, |_| true);
    check(&catalog, 3);
}

#[test]
fn a_drained_node_loses_everything_and_a_resumed_one_gets_it_back() {
    let mut catalog = region(4, 32);
    catalog.drain(NodeId(2)).unwrap().unwrap().apply(&mut catalog);
    carry_out(&mut catalog, |_| true);
    check(&catalog, 3);
    assert_eq!(catalog.replicas_on(NodeId(2)), 0);
    catalog.resume(NodeId(2)).unwrap().unwrap().apply(&mut catalog);
    carry_out(&mut catalog, |_| true);
    check(&catalog, 3);
    assert!(catalog.replicas_on(NodeId(2)) >= 23);
}

#[test]
fn a_dead_node_is_replaced_once_it_is_removed_and_not_before() {
    let mut catalog = region(4, 16);
    let lives = |node| node != NodeId(3);
    assert_eq!(catalog.plan(lives, |_| true), None, "it may come back");
    catalog.remove(NodeId(3), lives).unwrap().unwrap().apply(&mut catalog);
    carry_out(&mut catalog, lives);
    check(&catalog, 3);
    assert_eq!(catalog.replicas_on(NodeId(3)), 0);
}

#[test]
fn where_nobody_can_replace_it_a_removed_node_leaves_a_gap_until_somebody_comes() {
    let mut catalog = region(3, 16);
    let lives = |node| node != NodeId(3);
    catalog.remove(NodeId(3), lives).unwrap().unwrap().apply(&mut catalog);
    carry_out(&mut catalog, lives);
    check(&catalog, 2);
    add(&mut catalog);
    carry_out(&mut catalog, lives);
    check(&catalog, 3);
}

#[test]
fn where_nobody_can_take_over_a_drained_node_keeps_what_it_has() {
    let mut catalog = region(3, 4);
    catalog.drain(NodeId(1)).unwrap().unwrap().apply(&mut catalog);
    carry_out(&mut catalog, |_| true);
    assert_eq!(catalog.replicas_on(NodeId(1)), 4);
    assert_eq!(catalog.shares_of(NodeId(1)), (0, 0), "but it leads nothing");
}

#[test]
fn only_what_was_planned_is_settled() {
    let mut catalog = region(3, 1);
    let table = catalog.tables.values().next().unwrap().clone();
    let group = table.first_group;
    add(&mut catalog);
    let moved = catalog.move_replica(&table, group, NodeId(1), NodeId(4)).unwrap();
    moved.apply(&mut catalog);
    let report = |members: &[u64]| BTreeMap::from([(group, members.to_vec())]);
    let later = crate::nodes::FIRST_REPLICA;
    for early in [&[1, 2, 3][..], &[1, 2, 3, later], &[2, 3]] {
        assert_eq!(catalog.settle(&report(early)), None);
    }
    let moving = catalog.tables.values().next().unwrap().clone();
    let again = catalog.move_replica(&moving, group, NodeId(2), NodeId(1));
    assert_eq!(again.unwrap_err(), Error::PartitionInMotion { partition: group });
    catalog.settle(&report(&[2, 3, later])).expect("as planned").apply(&mut catalog);
    assert_eq!(catalog.settle(&report(&[2, 3, later])), None);
    let nodes: Vec<_> = catalog.seated().next().unwrap().iter().map(|seat| seat.node.0).collect();
    assert_eq!(nodes, [2, 3, 4]);
}

#[test]
fn an_operator_is_told_what_cannot_be_moved() {
    let catalog = region(3, 1);
    let table = catalog.tables.values().next().unwrap();
    let refused = |group, from, to| {
        catalog.move_replica(table, GroupId(group), NodeId(from), NodeId(to)).unwrap_err().to_string()
    };
    let first = table.first_group.0;
    assert!(refused(first + 1, 1, 4).starts_with("Partition must be"));
    assert!(refused(first, 9, 4).starts_with("From must be"));
    assert!(refused(first, 1, 2).starts_with("To must be"));
    assert!(refused(first, 1, 4).starts_with("To must be"));
}

#[test]
fn a_node_stays_whose_partitions_would_have_no_majority_that_lives() {
    let catalog = region(3, 4);
    let lives = |node| node == NodeId(1);
    let needed = Error::NodeNeeded { node: NodeId(3) };
    assert_eq!(catalog.remove(NodeId(3), lives).unwrap_err(), needed);
}

/// Tells the catalog that the children that wait were born.
fn bear(catalog: &mut Catalog) {
    let table = catalog.tables.values().next().expect("made above");
    let born = table.children.waiting().map(|(group, child)| (group, seat::voters(&child.seats)));
    let reported = born.collect();
    catalog.settle(&reported).expect("one waits").apply(catalog);
}

#[test]
fn splits_tile_and_spread() {
    let mut catalog = region(3, 1);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..40 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let table = catalog.tables.values().next().expect("made above");
        let at = types::KeyHash(random);
        let group = table.partition_of(at);
        catalog.split(table, group, at).expect("within the range").apply(&mut catalog);
        let table = catalog.tables.values().next().expect("made above");
        assert!(table.is_splitting(group) && catalog.is_moving());
        assert!(matches!(catalog.split(table, group, at), Err(Error::Invalid(_))), "it is the child's first");
        let busy = catalog.split(table, table.partition_of(at), types::KeyHash(random + 1));
        assert_eq!(busy, Err(Error::PartitionInMotion { partition: table.partition_of(at) }));
        assert_eq!(catalog.plan(|_| true, |_| true), None, "it moves nothing meanwhile");
        bear(&mut catalog);
    }
    let table = catalog.tables.values().next().expect("made above");
    let ranges: Vec<_> = table.partitions().collect();
    assert_eq!((ranges.len(), table.count()), (41, 41));
    assert!(ranges.windows(2).all(|pair| pair[0].1.touches(&pair[1].1)));
    assert!(ranges.iter().all(|(group, range)| {
        let ends = [range.first, range.last].map(|hash| table.partition_of(hash));
        ends == [*group; 2] && table.range(*group) == Some(*range) && table.root(*group) == table.first_group
    }));
    assert!(counts(&catalog).1.iter().all(|first| (13..=14).contains(first)), "{:?}", counts(&catalog));
    add(&mut catalog);
    carry_out(&mut catalog, |_| true);
    check(&catalog, 3);
}
