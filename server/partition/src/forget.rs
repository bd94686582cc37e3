//! Forgetting request outcomes whose ten minutes of the leader's hybrid time are over (`P3`).

use storage::{Error, Read, keys};
use types::{HybridTime, limits};

use crate::Home;
use crate::effect::{Effect, Step};

/// The oldest outcomes that may go, if there are any.
pub fn decide(engine: &impl Read, home: &Home, now: HybridTime) -> Result<Option<Effect>, Error> {
    let bounds = keys::request_expiry::until(home.partition, now);
    let mut outcomes = Vec::new();
    storage::engine::each(engine, &bounds, |key, _| {
        let found = keys::request_expiry::Key::decode(key)?;
        outcomes.push((found.expires, found.hash, found.request));
        Ok(outcomes.len() < limits::COLLECT_KEYS_MAX)
    })?;
    Ok((!outcomes.is_empty()).then(|| Effect { steps: vec![Step::Forget { outcomes }] }))
}
