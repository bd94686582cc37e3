//! Partitions that hold more than one should: they are split where half of it lies.
//!
//! Leaders look at what their partitions hold once a minute, which costs no reads of items, and tell the
//! catalog's. Where one partition key has most of it, nothing is split: its items lie together.

use storage::keys::record;
use storage::{Engine, Error as Fatal};
use types::{GroupId, HashRange, KeyHash, TableId, limits};

use crate::catalog::CatalogRequest;
use crate::letters::{Content, Letter};
use crate::waiter::CatalogWaiter;
use crate::{Error, Shard};

impl<E: Engine> Shard<E> {
    /// Tells the catalog's leader which partitions that are led here have grown too much.
    pub(crate) fn tell_growth(&mut self) -> Result<(), Error> {
        let most = self.settings.partition_bytes_max;
        let led = self.replicas.iter().filter(|(_, replica)| replica.decides());
        let mut grown = Vec::new();
        for (group, replica) in led {
            let (table, range) = (replica.home.table, replica.home.range);
            let bytes = self.engine.bytes(&record::hashes(table, range))?;
            if bytes > most
                && let Some(at) = half(&self.engine, table, range, bytes)?
            {
                grown.push((*group, at));
            }
        }
        for (group, at) in grown {
            let letter = Letter { group, content: Content::Grown(at) };
            self.at_the_catalogs_leader(letter, |shard| shard.note_growth(group, at));
        }
        Ok(())
    }

    /// A leader told that its partition has grown too much; it tells again, so a full queue loses nothing.
    pub(crate) fn note_growth(&mut self, group: GroupId, at: KeyHash) {
        let _ = self.enqueue(CatalogRequest::Grown { group, at });
    }

    /// Splits what has grown, unless it moves or is being split.
    pub(crate) fn split_what_has_grown(&mut self, group: GroupId, at: KeyHash) {
        if let Some(update) = self.catalog.applied.split_if_possible(group, at) {
            self.propose_update(&update, CatalogWaiter::Nobody);
        }
    }
}

/// A hash with about as many bytes of a range below as at or above it; none, if most are of one hash.
fn half(
    engine: &impl Engine,
    table: TableId,
    range: HashRange,
    bytes: u64,
) -> Result<Option<KeyHash>, Fatal> {
    let below = |at: u64| {
        let lower = HashRange { first: range.first, last: KeyHash(at - 1) };
        engine.bytes(&record::hashes(table, lower))
    };
    // What is below `low` is less than half.
    let (mut low, mut high) = (range.first.0, range.last.0);
    for _ in 0..limits::GROWTH_STEPS {
        let middle = low + (high - low) / 2;
        if middle == low {
            break;
        }
        match 2 * below(middle)? < bytes {
            true => low = middle,
            false => high = middle,
        }
    }
    let lower = below(high)?;
    let fair = lower.max(bytes.saturating_sub(lower)) <= bytes / 4 * 3;
    Ok((fair && high > range.first.0).then_some(KeyHash(high)))
}

#[cfg(test)]
mod tests {
    use storage::Batch;
    use storage::memory::Memory;

    use super::*;

    fn held(hashes: impl Iterator<Item = u64>) -> (Memory, u64) {
        let (engine, mut writes) = (Memory::new(), Batch::new());
        for (at, hash) in hashes.enumerate() {
            let key = at.to_be_bytes();
            let key = record::Key { table: TableId::default(), hash: KeyHash(hash), key: &key };
            writes.put(key.encode(), vec![0; 100]);
        }
        engine.write(writes).expect("written");
        let bytes = engine.bytes(&record::table(TableId::default())).expect("counted");
        (engine, bytes)
    }

    #[test]
    fn half_of_what_is_held_lies_on_each_side() {
        let (engine, bytes) = held((0..1000).map(|at| at << 40));
        let at =
            half(&engine, TableId::default(), HashRange::ALL, bytes).expect("read").expect("no key has most");
        assert!((400 << 40..600 << 40).contains(&at.0), "{at:?}");
    }

    #[test]
    fn what_one_key_has_is_not_split() {
        let (engine, bytes) = held((0..1000).map(|at| if at < 100 { at << 40 } else { 1 << 60 }));
        assert_eq!(half(&engine, TableId::default(), HashRange::ALL, bytes), Ok(None));
    }
}
