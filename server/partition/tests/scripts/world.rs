//! One partition as its leader runs it, without raft: effects wait in order until the script applies them.
//!
//! An effect goes through its bytes on the way, as it does through a log.

use std::collections::VecDeque;

use partition::forget::Round;
use partition::{Decision, Effect, Home, Moment, Overlay, View, apply};
use storage::keys::PartitionState;
use storage::memory::Memory;
use storage::{Batch, Engine};
use types::{Faults, GroupId, HashRange, HybridTime, Incarnation, KeySchema, TableId};

use crate::notation::Result;
use crate::show::Show;

/// A partition.
pub struct World {
    pub engine: Memory,
    pub home: Home,
    pub state: PartitionState,
    pub overlay: Overlay,
    /// How far forgetting has come.
    pub round: Round,
    /// The closed time that the leader chose.
    pub closed: HybridTime,
    now: HybridTime,
    last: u64,
    in_flight: VecDeque<(u64, Vec<u8>)>,
}

impl World {
    /// An empty partition that holds the whole table.
    pub fn new(key: KeySchema, incarnation: Incarnation, others: Vec<Incarnation>) -> World {
        let home = Home {
            partition: GroupId::FIRST,
            root: GroupId::FIRST,
            table: TableId::default(),
            key,
            range: HashRange::ALL,
            incarnation,
            others,
            faults: Faults::default(),
        };
        World {
            engine: Memory::new(),
            home,
            state: PartitionState::default(),
            overlay: Overlay::new(incarnation),
            round: Round::default(),
            closed: HybridTime::ZERO,
            now: HybridTime::ZERO,
            last: 0,
            in_flight: VecDeque::new(),
        }
    }

    /// What a decision is made against.
    pub fn view(&self) -> View<'_, Memory> {
        View { engine: &self.engine, overlay: &self.overlay }
    }

    /// Moves the clock to a time, or by a millisecond.
    pub fn tick(&mut self, at: Option<HybridTime>) -> Moment {
        self.now = at.unwrap_or(self.now.plus_millis(1));
        Moment {
            now: self.now,
            wall_ms: self.now.millis(),
            floor: self.state.floor.max(self.overlay.floor()),
            closed: self.closed,
        }
    }

    /// Takes a decision as a leader does, and tells what it is and what its answer waits for.
    pub fn take<T>(&mut self, decision: Decision<T>, answer: impl FnOnce(&Show<'_>, &T) -> String) -> String {
        match decision {
            Decision::Propose { effect, answer: given } => {
                let steps = self.propose(effect);
                let show = Show { home: &self.home };
                format!("{steps}after {}: {}\n", self.last, answer(&show, &given))
            }
            Decision::Answer { answer: given, after } => {
                let given = answer(&Show { home: &self.home }, &given);
                match after {
                    0 => format!("at once: {given}\n"),
                    after => format!("after {after}: {given}\n"),
                }
            }
        }
    }

    /// Puts an effect in flight at the next index.
    pub fn propose(&mut self, effect: Effect) -> String {
        self.last += 1;
        let bytes = effect.encode();
        let show = Show { home: &self.home };
        let shown = effect.steps.iter().map(|step| format!("{}: {}\n", self.last, show.step(step))).collect();
        self.overlay.add(self.last, effect, bytes.len());
        self.in_flight.push_back((self.last, bytes));
        shown
    }

    /// Applies the oldest effects in flight; tells what applying counted.
    pub fn apply(&mut self, count: usize) -> Result<String> {
        let mut out = String::new();
        for (index, bytes) in self.in_flight.drain(..count.min(self.in_flight.len())) {
            let mut batch = Batch::new();
            let effect = Effect::decode(&bytes)?;
            assert_eq!(self.overlay.take(index).as_ref(), Some(&effect), "what is in flight is in the log");
            let applied = apply(&self.home, index, 1, &effect, &mut self.state, &mut batch);
            self.engine.write(batch)?;
            for (what, counted) in [("ledgered", applied.ledgered), ("collected", applied.collected)] {
                if counted > 0 {
                    out += &format!("{index}: {what} {counted}\n");
                }
            }
        }
        Ok(out)
    }

    /// Loses leadership, and with it all that is in flight.
    pub fn lose(&mut self) {
        self.in_flight.clear();
        self.overlay = Overlay::new(self.home.incarnation);
        self.last = self.state.applied;
    }

    /// How many effects wait to be applied.
    pub fn waiting(&self) -> usize {
        self.in_flight.len()
    }
}
