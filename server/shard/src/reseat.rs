//! Making a group's members those that the catalog wants: its leader adds who comes as a learner, has them
//! vote once they have caught up, and drops who goes, in one joint change.
//!
//! A leader may know an old catalog. Before it changes anything it asks the catalog's leader, which a quorum
//! confirms, up to where the catalog must be applied here, and it acts on what it knows then: so no change is
//! made that the catalog has gone beyond, and none twice. What it reports lets the catalog forget who went;
//! that replica's data are destroyed then, which costs no more than its death would.

use std::collections::BTreeSet;

use consensus::members::Step;
use consensus::{Change, Members};
use region::seat;
use storage::Engine;
use types::command::NodeState;
use types::{GroupId, NodeId, limits};

use crate::clock::NS_PER_MS;
use crate::confirm::Asker;
use crate::letters::{Content, Letter};
use crate::{Error, Member, Shard};

/// Which groups change, and what was asked of the catalog.
#[derive(Debug, Default)]
pub(crate) struct Reseating {
    /// Groups here that have members who come or go.
    moving: BTreeSet<GroupId>,
    asked: Option<Asked>,
    next: u64,
    /// Nodes that were heard of and that the catalog here does not know.
    strangers: BTreeSet<NodeId>,
    /// When a node that was removed last heard of a leader of the catalog.
    led_ns: Option<u64>,
}

/// A question up to where the catalog must be applied.
#[derive(Debug)]
struct Asked {
    number: u64,
    until_ns: u64,
    /// The groups that it was asked for, and the terms that this node led them in.
    groups: Vec<(GroupId, u64)>,
    /// The answer.
    index: Option<u64>,
}

impl Reseating {
    /// Whether a group has members who come or go.
    pub fn note(&mut self, group: GroupId, moving: bool) {
        match moving {
            true => drop(self.moving.insert(group)),
            false => drop(self.moving.remove(&group)),
        }
    }
}

impl<E: Engine> Shard<E> {
    /// Brings everything on that has to do with members: data that are fetched, members that come and go,
    /// and, where the catalog is led, what is to move next.
    pub(crate) fn reseat(&mut self) -> Result<(), Error> {
        self.leave_if_removed()?;
        self.fetch()?;
        self.give_up_supplies();
        if self.catalog_decides() {
            self.change_members(GroupId::CATALOG);
        }
        self.open_later()?;
        self.propose_splits()?;
        self.report_and_ask();
        self.plan_moves();
        Ok(())
    }

    /// Reports the groups that are as the catalog wants them, and asks it before the others are changed.
    fn report_and_ask(&mut self) {
        let mut groups = Vec::new();
        for group in self.reseating.moving.clone() {
            let Some(replica) = self.replicas.get(&group).filter(|replica| replica.decides()) else {
                continue;
            };
            let members = replica.group.members();
            match is_as_wanted(&members, &seat::voters(&replica.seats)) {
                // Before the others know it, they count on who goes.
                true if !replica.group.is_known(replica.changed.max(replica.group.own_first())) => {}
                true => self.report(group, members.voters),
                false => groups.push((group, replica.term)),
            }
        }
        let now_ns = self.now.monotonic_ns;
        let waits = self.reseating.asked.as_ref().is_some_and(|asked| now_ns < asked.until_ns);
        if groups.is_empty() || waits {
            return;
        }
        self.reseating.next += 1;
        let number = self.reseating.next;
        let until_ns = now_ns + limits::FETCH_RETRY_MS * NS_PER_MS;
        self.reseating.asked = Some(Asked { number, until_ns, groups, index: None });
        self.ask_catalog(number);
    }

    fn ask_catalog(&mut self, number: u64) {
        let (me, group) = (self.settings.node, GroupId::CATALOG);
        let letter = Letter { group, content: Content::Ask(number) };
        self.at_the_catalogs_leader(letter, |shard| shard.ask_for(group, Asker::Scan(me, number)));
    }

    /// The catalog's leader says up to where the catalog must be applied.
    pub(crate) fn catalog_confirmed(&mut self, number: u64, index: u64) {
        if let Some(asked) = self.reseating.asked.as_mut().filter(|asked| asked.number == number) {
            asked.index = Some(index);
        }
    }

    /// Changes what was asked for, once the catalog is applied as far as it must be. Only where this node has
    /// led ever since it asked: another leader may have gone on meanwhile.
    pub(crate) fn change_confirmed(&mut self) {
        let applied = self.catalog.state.applied;
        let confirmed = |asked: &mut Asked| asked.index.is_some_and(|index| index <= applied);
        let Some(asked) = self.reseating.asked.take_if(confirmed) else { return };
        for (group, term) in asked.groups {
            let led = |replica: &&crate::replica::Replica<E>| replica.decides() && replica.term == term;
            if self.replicas.get(&group).filter(led).is_some() {
                self.change_members(group);
            }
        }
    }

    /// Takes the next step towards the members that the catalog wants, if one can be taken.
    fn change_members(&mut self, group: GroupId) {
        let wanted = match group {
            GroupId::CATALOG => self.catalog.applied.nodes.present().map(|node| node.0).collect(),
            _ => seat::voters(self.seats(group)),
        };
        let (raft, random) = self.group_and_random(group).expect("it is led here");
        let members = raft.members();
        if members.is_joint() || is_as_wanted(&members, &wanted) || raft.is_transferring() {
            return;
        }
        let comes = |replica: &&u64| !members.contains(**replica);
        let mut steps: Vec<_> = wanted.iter().filter(comes).copied().map(Step::Learner).collect();
        if steps.is_empty() {
            let votes = |replica: &u64| members.voters.contains(replica);
            let behind = |replica: &u64| !votes(replica) && !raft.is_close(*replica);
            if wanted.iter().any(behind) {
                return;
            }
            let goes = |replica: &u64| !wanted.contains(replica);
            let gone = members.voters.iter().chain(&members.learners).copied().filter(goes);
            steps = wanted.iter().copied().filter(|replica| !votes(replica)).map(Step::Voter).collect();
            match wanted.contains(&raft.replica()) {
                true => steps.extend(gone.map(Step::Remove)),
                // Whoever goes hands over first, to somebody who stays.
                false => {
                    let me = raft.replica();
                    let heir =
                        wanted.iter().find(|heir| votes(heir) && **heir != me && raft.is_close(**heir));
                    if let Some(heir) = heir.copied() {
                        raft.transfer(heir, random);
                        self.dirty.insert(group);
                        return;
                    }
                }
            }
        }
        if !steps.is_empty() && raft.propose_change(&Change { steps }).is_ok() {
            self.figures.changes_of_members += 1;
            self.dirty.insert(group);
        }
    }

    /// Tells the catalog's leader that a group is as it wants it.
    fn report(&mut self, group: GroupId, voters: Vec<u64>) {
        let letter = Letter { group, content: Content::Settled(voters.clone()) };
        self.at_the_catalogs_leader(letter, |shard| shard.reported(group, voters));
    }

    /// Has something done where the catalog is led: here, or by whoever takes the letter. While nobody leads
    /// it nothing is done; all that goes this way is told or asked again soon.
    pub(crate) fn at_the_catalogs_leader(&mut self, letter: Letter, here: impl FnOnce(&mut Self)) {
        match self.leader_of(GroupId::CATALOG) {
            Some(node) if node == self.settings.node => here(self),
            Some(node) => self.write_to(node, letter),
            None => {}
        }
    }

    /// A leader reports its group's members; whether they are those that were planned is for the catalog to
    /// see, when it decides next.
    pub(crate) fn reported(&mut self, group: GroupId, mut voters: Vec<u64>) {
        voters.sort_unstable();
        if self.catalog_decides() {
            self.catalog.reported.insert(group, voters);
        }
    }

    /// The nodes of a region are others than before: whom to write to, and whom to take for alive.
    pub(crate) fn know_nodes(&mut self) {
        let me = self.settings.node;
        let nodes = &self.catalog.applied.nodes;
        let Members { voters, learners, outgoing, .. } = self.catalog.group.members();
        let members = voters.into_iter().chain(learners).chain(outgoing).map(NodeId);
        // A removed node counts until it is none of the catalog's members: it may be needed for that.
        let strangers = &mut self.reseating.strangers;
        strangers.retain(|node| !nodes.known.contains_key(node));
        let known: BTreeSet<_> = nodes.present().chain(members).chain(strangers.iter().copied()).collect();
        let seat = |node: &NodeId| region::Seat::settled(*node, node.0);
        self.catalog.seats = known.iter().map(seat).collect();
        let others = known.iter().copied().filter(|node| *node != me);
        self.quiescence.know(others.collect(), self.now.monotonic_ns);
        let member = |(node, known): (&NodeId, &region::Node)| Member {
            node: *node,
            address: known.address.clone(),
            removed: known.state == NodeState::Removed,
        };
        self.members_known = nodes.known.iter().filter(|(node, _)| **node != me).map(member).collect();
        if self.is_shared(GroupId::CATALOG) {
            self.quiescence.wake(GroupId::CATALOG);
        }
    }

    /// Whether a node is to be listened to: not one that was removed. One that the catalog here does not know
    /// may have joined since; the catalog's leader may be such a one.
    pub(crate) fn admits(&mut self, node: NodeId) -> bool {
        if self.quiescence.knows(node) {
            return true;
        }
        if self.catalog.applied.nodes.state(node) == Some(NodeState::Removed) {
            return false;
        }
        if self.reseating.strangers.len() < limits::NODES_MAX {
            self.reseating.strangers.insert(node);
            self.know_nodes();
        }
        true
    }

    /// Ends a node that was removed: once the catalog's group goes on without it, as far as it can tell.
    /// Until then its vote may be needed for just that.
    fn leave_if_removed(&mut self) -> Result<(), Error> {
        let me = self.settings.node;
        if self.catalog.applied.nodes.state(me) != Some(NodeState::Removed) {
            return Ok(());
        }
        let now_ns = self.now.monotonic_ns;
        if self.catalog.group.leader().is_some() {
            self.reseating.led_ns = Some(now_ns);
        }
        let since_ns = *self.reseating.led_ns.get_or_insert(now_ns);
        let forgotten = since_ns + limits::REMOVED_LINGER_MS * NS_PER_MS <= now_ns;
        match forgotten || !self.catalog.group.members().contains(me.0) {
            true => Err(Error::Removed { node: me }),
            false => Ok(()),
        }
    }

    /// Notes where a group's members sit.
    pub(crate) fn note_seats(&mut self, group: GroupId, seats: &[region::Seat]) {
        let table = self.catalog.applied.table_of(group);
        self.reseating.note(group, table.is_some_and(|table| table.is_unsettled(group)));
        if let Some(replica) = self.replicas.get_mut(&group) {
            replica.seats = seats.to_vec();
        } else if let Some(arriving) = self.arriving.get_mut(&group) {
            arriving.seats = seats.to_vec();
        }
        if self.is_shared(group) {
            self.quiescence.wake(group);
        }
    }
}

/// Whether a group has the voters that it should have, and nobody else.
pub(crate) fn is_as_wanted(members: &Members, wanted: &[u64]) -> bool {
    !members.is_joint() && members.learners.is_empty() && members.voters == wanted
}
