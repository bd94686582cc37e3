//! Forgetting request outcomes whose ten minutes of the leader's hybrid time are over (`P3`).
//!
//! Outcomes lie in the order of their hashes, so that a split moves none; what may go is found by going round
//! them, a piece at a time.

use storage::{Error, Read, keys};
use types::{HybridTime, limits};

use crate::Home;
use crate::effect::{Effect, Step};

/// How far a leader has come on its way round the outcomes of its partition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// The key that was looked at last; empty at the beginning.
    after: Vec<u8>,
}

impl Round {
    /// Those of the next outcomes that may go, if there are any. Where many may, `Step::is_full` says so.
    pub fn decide(
        &mut self,
        engine: &impl Read,
        home: &Home,
        now: HybridTime,
    ) -> Result<Option<Effect>, Error> {
        let (from, to) = keys::request::hashes(home.root, home.range);
        let begin = match from <= self.after && self.after < to {
            true => [&self.after[..], &[0]].concat(),
            false => from,
        };
        let (mut outcomes, mut looked, mut after) = (Vec::new(), 0, Vec::new());
        storage::engine::each(engine, &(begin, to), |key, value| {
            looked += 1;
            let found = keys::request::Key::decode(key)?;
            let kept = keys::RequestOutcome::decode(value)?;
            if kept.expires <= now {
                outcomes.push((kept.expires, found.hash, found.request));
            }
            let enough = looked >= limits::FORGET_LOOKED_MAX || outcomes.len() >= limits::COLLECT_KEYS_MAX;
            if enough {
                after = key.to_vec();
            }
            Ok(!enough)
        })?;
        self.after = after;
        Ok((!outcomes.is_empty()).then(|| Effect { steps: vec![Step::Forget { outcomes }] }))
    }
}
