//! Removing changes that every peer has acknowledged and all have passed (`P12`).

use storage::{Error, Read, keys};
use types::{HybridTime, limits};

use crate::Home;
use crate::effect::{Effect, Step};

/// The oldest changes that may go, if there are any: at or below the time that all have passed and, if made
/// here, at or below the least cursor. What other regions made is not shipped from here.
pub fn decide(
    engine: &impl Read,
    home: &Home,
    least_cursor: u64,
    all_passed: HybridTime,
) -> Result<Option<Effect>, Error> {
    let (mut changes, mut kept) = (Vec::new(), 0);
    storage::engine::each(engine, &keys::change::partition(home.partition), |key, value| {
        let (key, change) = (keys::change::Key::decode(key)?, keys::Change::decode(value)?);
        let acknowledged = change.maker != home.incarnation || key.index <= least_cursor;
        match acknowledged && change.time <= all_passed {
            true => changes.push((key.index, key.ordinal)),
            false => kept += 1,
        }
        Ok(changes.len() < limits::COLLECT_KEYS_MAX && kept < limits::COLLECT_KEYS_MAX)
    })?;
    Ok((!changes.is_empty()).then(|| Effect { steps: vec![Step::Trim { changes }] }))
}
