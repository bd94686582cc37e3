//! A table's copy in this region: its partitions, and where their replicas sit.
//!
//! A copy is made with so many nearly equal partitions, numbered in the order of their ranges. A split takes
//! the upper hashes of one and makes them a partition of their own, a *child*; the first hash of a partition
//! never changes, and its last only falls.

use std::collections::{BTreeMap, BTreeSet};

use types::{GroupId, HashRange, KeyHash, NodeId, RegionName};

use crate::{Entry, Seat, seat};

/// A table and where its copy lives in this region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// What all regions know.
    pub entry: Entry,
    /// The first of the partitions that the copy was made with; they are numbered on from it, in the order of
    /// their ranges.
    pub first_group: GroupId,
    /// Where the replicas of each of those sit; nothing in a region of one node.
    pub seats: Vec<Vec<Seat>>,
    /// The partitions that splits made.
    pub children: Children,
}

/// A partition that a split makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Child {
    /// The partition that it is taken from, which may be a child itself.
    pub parent: GroupId,
    /// Its first hash.
    pub first: KeyHash,
    /// Where its replicas sit.
    pub seats: Vec<Seat>,
    /// Whether it is yet to be heard of: until then neither it nor its parent moves or is split.
    pub waits: bool,
}

/// All children of a table's copy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Children {
    by_group: BTreeMap<GroupId, Child>,
    by_first: BTreeMap<KeyHash, GroupId>,
    waiting: BTreeSet<GroupId>,
}

impl Children {
    /// Adds a child, or replaces what is known of it.
    pub fn insert(&mut self, group: GroupId, child: Child) {
        self.by_first.insert(child.first, group);
        match child.waits {
            true => self.waiting.insert(group),
            false => self.waiting.remove(&group),
        };
        self.by_group.insert(group, child);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_group.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_group.is_empty()
    }

    /// All of them, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = (GroupId, &Child)> {
        self.by_group.iter().map(|(group, child)| (*group, child))
    }

    /// One of them.
    pub fn get(&self, group: GroupId) -> Option<&Child> {
        self.by_group.get(&group)
    }

    /// Those that are yet to be heard of.
    pub fn waiting(&self) -> impl Iterator<Item = (GroupId, &Child)> {
        self.waiting.iter().map(|group| (*group, &self.by_group[group]))
    }
}

impl Table {
    /// How many partitions there are.
    pub fn count(&self) -> usize {
        self.entry.partitions as usize + self.children.len()
    }

    /// Whether a partition is one of the table's.
    pub fn has(&self, group: GroupId) -> bool {
        self.index(group).is_some() || self.children.get(group).is_some()
    }

    /// Where the replicas of a partition sit, the one that is to lead first; nowhere, if it is none of the
    /// table's.
    pub fn seats(&self, group: GroupId) -> &[Seat] {
        match (self.children.get(group), self.index(group)) {
            (Some(child), _) => &child.seats,
            (None, Some(index)) => self.seats.get(index).map_or(&[Seat::ONLY], |seats| seats),
            (None, None) => &[],
        }
    }

    /// Which of the first partitions it is.
    pub(crate) fn index(&self, group: GroupId) -> Option<usize> {
        let index = usize::try_from(group.0.checked_sub(self.first_group.0)?).ok()?;
        (index < self.entry.partitions as usize).then_some(index)
    }

    /// The seat of a partition's replica on a node, if it has one there.
    pub fn seat_on(&self, group: GroupId, node: NodeId) -> Option<Seat> {
        self.seats(group).iter().find(|seat| seat.node == node).copied()
    }

    /// The partition of a hash.
    pub fn partition_of(&self, hash: KeyHash) -> GroupId {
        let wide = (u128::from(hash.0) + 1) * u128::from(self.entry.partitions);
        let index = (wide.div_ceil(1 << 64) - 1) as u32;
        let of_first = GroupId(self.first_group.0 + u64::from(index));
        match self.children.by_first.range(..=hash).next_back() {
            Some((first, child)) if *first >= HashRange::part(index, self.entry.partitions).first => *child,
            _ => of_first,
        }
    }

    /// All partitions with their ranges, in the order of their ranges.
    pub fn partitions(&self) -> impl Iterator<Item = (GroupId, HashRange)> + '_ {
        let mut firsts = self.firsts().peekable();
        std::iter::from_fn(move || {
            let (group, first) = firsts.next()?;
            let last = firsts.peek().map_or(u64::MAX, |(_, next)| next.0 - 1);
            Some((group, HashRange { first, last: KeyHash(last) }))
        })
    }

    /// The first hash of each partition, ascending.
    fn firsts(&self) -> impl Iterator<Item = (GroupId, KeyHash)> + '_ {
        let count = self.entry.partitions;
        let made = move |index| {
            (GroupId(self.first_group.0 + u64::from(index)), HashRange::part(index, count).first)
        };
        let mut made = (0..count).map(made).peekable();
        let mut children = self.children.by_first.iter().map(|(first, group)| (*group, *first)).peekable();
        std::iter::from_fn(move || match (made.peek(), children.peek()) {
            (Some((_, first)), Some((_, child))) if child < first => children.next(),
            (None, _) => children.next(),
            _ => made.next(),
        })
    }

    /// The range of a partition.
    pub fn range(&self, group: GroupId) -> Option<HashRange> {
        self.partitions().find(|(partition, _)| *partition == group).map(|(_, range)| range)
    }

    /// The range of a partition that no split has touched yet: of one that the copy was made with.
    pub fn first_range(&self, group: GroupId) -> Option<HashRange> {
        let index = u32::try_from(self.index(group)?).ok()?;
        Some(HashRange::part(index, self.entry.partitions))
    }

    /// The partition that one was taken from.
    pub fn parent(&self, group: GroupId) -> Option<GroupId> {
        self.children.get(group).map(|child| child.parent)
    }

    /// The partition that the copy was made with and that one has come from by splits, or is.
    pub fn root(&self, group: GroupId) -> GroupId {
        let mut root = group;
        while let Some(parent) = self.parent(root) {
            root = parent;
        }
        root
    }

    /// Whether a split of a partition, or the one that makes it, is under way.
    pub fn is_splitting(&self, group: GroupId) -> bool {
        self.children.waiting().any(|(child, of)| child == group || of.parent == group)
    }

    /// Whether a partition's replicas come or go, or it is yet to be heard of.
    pub fn is_unsettled(&self, group: GroupId) -> bool {
        let waits = self.children.get(group).is_some_and(|child| child.waits);
        waits || seat::is_moving(self.seats(group))
    }

    /// Whether this region holds a copy that was not dropped.
    pub fn is_here(&self, me: &RegionName) -> bool {
        self.entry.incarnation(me).is_some()
    }
}
