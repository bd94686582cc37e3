//! What may go wrong in a world, drawn at random.

use proptest::prelude::*;

use super::World;

/// Something that goes wrong, ends, or happens anyway.
#[derive(Clone, Debug)]
pub enum Fault {
    Kill(usize),
    Start(usize),
    /// Cuts one direction between two nodes, of whatever regions.
    Cut(usize, usize),
    Heal,
    /// Stops a node for a while, without its knowing.
    Freeze(usize, u64),
    Flush(usize),
    Run(u64),
}

/// How many parts of all that happens in a world are faults.
pub const PARTS: u32 = 13;

/// A fault among so many nodes. Of four parts, `heals` mend all cuts and the rest make one.
pub fn fault(nodes: usize, heals: u32) -> impl Strategy<Value = Fault> {
    let node = move || 0..nodes;
    prop_oneof![
        1 => node().prop_map(Fault::Kill),
        2 => node().prop_map(Fault::Start),
        4 - heals => (node(), node()).prop_map(|(from, to)| Fault::Cut(from, to)),
        heals => Just(Fault::Heal),
        1 => (node(), 50..3000u64).prop_map(|(node, ms)| Fault::Freeze(node, ms)),
        1 => node().prop_map(Fault::Flush),
        4 => (5..1500u64).prop_map(Fault::Run),
    ]
}

impl World {
    /// Lets a fault happen, unless it is one of nodes that there are not yet.
    pub fn suffer(&mut self, fault: &Fault) {
        let count = self.shards.len();
        match *fault {
            Fault::Kill(node) | Fault::Freeze(node, _) | Fault::Flush(node) if node >= count => {}
            Fault::Kill(node) => self.kill(node),
            Fault::Start(node) if self.down.contains(&node) => self.start_again(node),
            Fault::Cut(from, to) => self.cut.push((from, to)),
            Fault::Heal => self.cut.clear(),
            Fault::Freeze(node, ms) if self.down.insert(node) => {
                self.run_ms(ms);
                self.down.remove(&node);
            }
            Fault::Flush(node) if !self.down.contains(&node) => self.flush(node),
            Fault::Run(ms) => self.run_ms(ms),
            Fault::Start(_) | Fault::Freeze(..) | Fault::Flush(_) => {}
        }
    }

    /// Nothing fails any more.
    pub fn recover(&mut self) {
        self.cut.clear();
        for node in self.down.clone() {
            self.start_again(node);
        }
    }
}
