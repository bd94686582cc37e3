//! Whether a replica could stop ticking without anything being left undone (`P5`).

use storage::Engine;

use crate::Group;

/// What a replica that has stopped ticking believed; it ticks again when that changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Belief {
    /// Its term.
    pub term: u64,
    /// Who leads.
    pub leader: Option<u64>,
    /// The index of its last entry.
    pub last: u64,
}

impl<E: Engine> Group<E> {
    /// What it believes.
    pub fn belief(&self) -> Belief {
        Belief { term: self.term(), leader: self.leader(), last: self.last_index() }
    }

    /// Whether everything that it knows of is synced, committed and applied.
    pub fn is_settled(&self) -> bool {
        let last = self.last_index();
        self.waiting.is_empty() && self.commit_index() == last && self.applied_index() == last
    }

    /// While it leads: whether a majority of the voters knows everything up to an index to be committed, and
    /// with them every voter that was heard of lately. A change of members that only its leader knows to be
    /// committed is, to the others, still under way: should it die, they count on who was dropped.
    pub fn is_known(&self, index: u64) -> bool {
        let raft = &self.raft.raft;
        let voters = self.members().voters;
        let knows = |voter: &&u64| match raft.prs().get(**voter) {
            Some(_) if **voter == raft.id => self.commit_index() >= index,
            Some(progress) => progress.committed_index >= index,
            None => false,
        };
        let silent = |voter: &u64| raft.prs().get(*voter).is_some_and(|progress| !progress.recent_active);
        2 * voters.iter().filter(knows).count() > voters.len()
            && voters.iter().all(|voter| knows(&voter) || *voter != raft.id && silent(voter))
    }

    /// Whether it leads and owes nobody anything: every member whose node lives holds what it holds, and
    /// those are a majority; nobody waits for a quorum's word, and leadership stays where it is.
    pub fn is_quiet(&self, lives: impl Fn(u64) -> bool) -> bool {
        let raft = &self.raft.raft;
        let last = self.last_index();
        let living = || raft.prs().iter().filter(|(member, _)| lives(**member));
        let owes = || living().any(|(_, progress)| progress.matched < last);
        self.decides()
            && self.is_settled()
            && !self.is_transferring()
            && raft.pending_read_count() == 0
            && 2 * living().count() > raft.prs().iter().count()
            && !owes()
    }
}
