//! Asking the group whether this replica still leads.

use storage::Engine;

use crate::Group;

impl<E: Engine> Group<E> {
    /// Asks a quorum whether this replica leads. Once it has answered, `ready` tells the returned number with
    /// the commit index of this moment: who reads data in which that index is applied reads everything that
    /// was acknowledged before the question. `None` where this replica does not decide. The answer may never
    /// come; each question has a number of its own (`P4`).
    pub fn ask_quorum(&mut self) -> Option<u64> {
        if !self.decides() {
            return None;
        }
        self.questions += 1;
        self.raft.read_index(self.questions.to_be_bytes().to_vec());
        Some(self.questions)
    }
}
