//! Turning an effect into key-value writes: no reads, no decisions, the same on every replica.

use storage::keys::{self, Change, Collecting, Cursor, LedgerEntry, PartitionState, RequestOutcome};
use storage::{Batch, Record};
use types::{GroupId, HybridTime, KeyHash, RequestId, Version};

use crate::Home;
use crate::effect::{Effect, Made, Place, Step};

/// What applying changed besides the key space.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Applied {
    /// Entries added to the conflict ledger.
    pub ledgered: u64,
    /// Tombstones collected.
    pub collected: u64,
    /// Where the partition is to be split, which needs more than writes (`split`).
    pub split: Option<(KeyHash, GroupId)>,
}

/// Adds an effect's writes to a batch and moves the partition's state to its index. The state itself is
/// written by the caller, once per batch, in the same batch (DESIGN: applied index beside the data).
pub fn apply(
    home: &Home,
    index: u64,
    term: u64,
    effect: &Effect,
    state: &mut PartitionState,
    batch: &mut Batch,
) -> Applied {
    let mut applied = Applied::default();
    let mut ordinal = 0;
    for step in &effect.steps {
        match step {
            Step::Record { place, record, made } => {
                put_record(home, place, record, batch);
                if let Some(made) = made {
                    put_change(home, index, ordinal, place, record, *made, batch);
                    ordinal += 1;
                }
            }
            Step::Erase { place } => batch.delete(place.record_key(home.table)),
            Step::Cursor { peer, index } => {
                let key = keys::cursor::Key { partition: home.partition, peer: *peer };
                batch.put(key.encode(), Cursor { index: *index }.encode());
            }
            Step::Mark { upto, mark } => state.collecting = Some(Collecting { upto: *upto, mark: *mark }),
            Step::Ledger { place, lost, winner } => {
                put_conflict(home, place, lost, *winner, false, batch);
                applied.ledgered += 1;
            }
            Step::Supersede { place, lost, winner } => put_conflict(home, place, lost, *winner, true, batch),
            Step::Collect { floor, tombstones, stale, done } => {
                state.floor = state.floor.max(*floor);
                state.collecting = state.collecting.filter(|_| !done);
                applied.collected += tombstones.len() as u64;
                collect(home, tombstones, stale, batch);
            }
            Step::Remember { .. } | Step::Forget { .. } | Step::Trim { .. } => housekeep(home, step, batch),
            Step::Split { at, child } => applied.split = Some((*at, *child)),
        }
    }
    state.applied = index;
    state.applied_term = term;
    applied
}

fn put_record(home: &Home, place: &Place, record: &Record, batch: &mut Batch) {
    batch.put(place.record_key(home.table), record.encode());
}

fn put_change(
    home: &Home,
    index: u64,
    ordinal: u32,
    place: &Place,
    record: &Record,
    made: Made,
    batch: &mut Batch,
) {
    let body = record.body.as_ref().map_or(0, Vec::len);
    let change = Change {
        version: record.version,
        maker: made.maker,
        time: made.time,
        hash: place.hash,
        key: place.key.clone(),
        bytes: u32::try_from(body + place.key.len()).unwrap_or(u32::MAX),
    };
    batch.put(keys::change::Key { partition: home.partition, index, ordinal }.encode(), change.encode());
    if record.is_tombstone() {
        let key = tombstone_key(home, made.time, place);
        batch.put(key, keys::tombstone::encode_value(record.version));
    }
}

fn put_conflict(
    home: &Home,
    place: &Place,
    lost: &Record,
    winner: Version,
    superseded: bool,
    batch: &mut Batch,
) {
    let (hash, key) = (place.hash, &place.key[..]);
    let key = keys::ledger::Key { table: home.table, hash, key, lost: lost.version };
    batch.put(key.encode(), LedgerEntry { lost: lost.clone(), winner, superseded }.encode());
}

fn tombstone_key(home: &Home, time: HybridTime, place: &Place) -> Vec<u8> {
    keys::tombstone::Key { partition: home.partition, time, hash: place.hash, key: &place.key }.encode()
}

fn collect(
    home: &Home,
    tombstones: &[(HybridTime, Place)],
    stale: &[(HybridTime, Place)],
    batch: &mut Batch,
) {
    for (_, place) in tombstones {
        batch.delete(place.record_key(home.table));
    }
    for (time, place) in tombstones.iter().chain(stale) {
        batch.delete(tombstone_key(home, *time, place));
    }
}

fn housekeep(home: &Home, step: &Step, batch: &mut Batch) {
    match step {
        Step::Remember { hash, request, expires, digest, outcome } => {
            let kept =
                RequestOutcome { expires: *expires, payload_digest: *digest, outcome: outcome.clone() };
            batch.put(outcome_key(home, *hash, *request), kept.encode());
        }
        Step::Forget { outcomes } => {
            for (_, hash, request) in outcomes {
                batch.delete(outcome_key(home, *hash, *request));
            }
        }
        Step::Trim { changes } => {
            for (index, ordinal) in changes {
                let key = keys::change::Key { partition: home.partition, index: *index, ordinal: *ordinal };
                batch.delete(key.encode());
            }
        }
        _ => unreachable!("applied by the caller"),
    }
}

fn outcome_key(home: &Home, hash: KeyHash, request: RequestId) -> Vec<u8> {
    keys::request::Key { root: home.root, hash, request }.encode()
}
