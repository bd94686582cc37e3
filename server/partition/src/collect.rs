//! Collecting tombstones in two rounds, and raising the floor that stands in for them (`P11`).
//!
//! At time T every region has passed a tombstone's change; later every region has passed T. Between the two a
//! concurrent put stamped above the tombstone may still arrive, and belongs on the ledger.

use storage::keys::{self, Collecting, PartitionState};
use storage::{Error, Read};
use types::{HybridTime, Planted, limits};

use crate::effect::{Effect, Place, Step};
use crate::{Home, View};

/// The next step of collection, if there is one. `all_passed` is the time that every region has passed from
/// every other; `now` is the leader's hybrid time.
pub fn decide<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    state: &PartitionState,
    all_passed: HybridTime,
    now: HybridTime,
) -> Result<Option<Effect>, Error> {
    let all_passed = if home.faults.has(Planted::CollectBeforeClosed) { now } else { all_passed };
    let step = match state.collecting {
        None => begin(view, home, all_passed, now)?,
        Some(Collecting { upto, mark })
            if all_passed >= mark || home.faults.has(Planted::CollectBeforeClosed) =>
        {
            Some(collect(view, home, state, upto)?)
        }
        Some(_) => None,
    };
    Ok(step.map(|step| Effect { steps: vec![step] }))
}

fn begin<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    all_passed: HybridTime,
    now: HybridTime,
) -> Result<Option<Step>, Error> {
    let bounds = keys::tombstone::until(home.partition, all_passed);
    let mut found = false;
    storage::engine::each(view.engine, &bounds, |_, _| {
        found = true;
        Ok(false)
    })?;
    // A put stamped above the tombstone by a region whose clock is ahead may be under way, too.
    let mark = now.plus_millis(limits::COLLECT_MARK_AHEAD_MS);
    Ok(found.then_some(Step::Mark { upto: all_passed, mark }))
}

fn collect<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    state: &PartitionState,
    upto: HybridTime,
) -> Result<Step, Error> {
    let bounds = keys::tombstone::until(home.partition, upto);
    let mut candidates = Vec::new();
    storage::engine::each(view.engine, &bounds, |key, value| {
        let found = keys::tombstone::Key::decode(key)?;
        let place = Place { hash: found.hash, key: found.key.to_vec() };
        candidates.push((found.time, place, keys::tombstone::decode_value(value)?));
        Ok(candidates.len() < limits::COLLECT_KEYS_MAX)
    })?;
    let done = candidates.len() < limits::COLLECT_KEYS_MAX;
    let (mut tombstones, mut stale) = (Vec::new(), Vec::new());
    for (time, place, version) in candidates {
        let stored = view.record(home, &place)?.record;
        match stored.is_some_and(|record| record.is_tombstone() && record.version == version) {
            true => tombstones.push((time, place)),
            false => stale.push((time, place)),
        }
    }
    let raised = if home.faults.has(Planted::NoFloor) { HybridTime::ZERO } else { upto };
    Ok(Step::Collect { floor: state.floor.max(raised), tombstones, stale, done })
}
