//! Elections: the passing of time, and standing at once.

use rand::Rng;
use storage::Engine;

use crate::Group;

impl<E: Engine> Group<E> {
    /// Lets one tick pass: a leader sends heartbeats and checks that a quorum answers, others may campaign. A
    /// group of one voter needs no ticks: it has nobody to hear from.
    ///
    /// Time does not pass for a replica whose new data are not in place: raft-rs would look for changes of
    /// membership in a log that is gone.
    pub fn tick(&mut self, random: &mut impl Rng) {
        if !self.is_restoring() {
            self.raft.tick();
            self.settle(random);
        }
    }

    /// Stands for election at once. The only voter of a group leads when this returns; its term and empty
    /// entry come with the next `ready`. Does nothing at a leader, nor while data are not in place, nor where
    /// this replica is no voter, as far as it knows: to raft-rs, nobody's votes are all votes.
    ///
    /// After opening, apply first what `ready` hands out: raft-rs reads everything that is committed and not
    /// applied into memory here, to look for changes of membership.
    pub fn campaign(&mut self, random: &mut impl Rng) {
        if !self.is_restoring() && self.raft.raft.promotable() {
            self.raft.campaign().expect("raft-rs refuses no local message but proposals");
            self.settle(random);
        }
    }
}
