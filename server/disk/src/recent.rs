//! Values that were read lately, whole and ready: a read of a hot key costs a look into a table, not a search
//! through RocksDB's buffers and blocks.
//!
//! A write changes what is here and adds nothing: what nobody reads takes no room. Reads that miss and writes
//! hold the lock while they ask the database, so that no read can put an older value over a newer one; the
//! thread that makes turns is alone with it, so nobody waits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use storage::batch::Write;
use storage::{Batch, Error};

/// What an entry takes beside its key and value, about.
const OVERHEAD_BYTES: usize = 96;
/// What an entry takes in all, about; only the first size of the table depends on it.
const USUAL_BYTES: usize = 512;

type Key = Box<[u8]>;
/// A value as it is kept.
pub type Value = Box<[u8]>;

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Value> for Bytes {
    fn weight(&self, key: &Key, value: &Value) -> u64 {
        (key.len() + value.len() + OVERHEAD_BYTES) as u64
    }
}

/// The values.
pub struct Recent {
    values: Mutex<Cache<Key, Value, Bytes>>,
}

impl Recent {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        let cache = Cache::with_weighter((bytes / USUAL_BYTES).max(1), bytes as u64, Bytes);
        Recent { values: Mutex::new(cache) }
    }

    /// Shows the value of a key: from here, or from the database and then kept here.
    pub fn look<T>(
        &self,
        key: &[u8],
        read: impl FnOnce() -> Result<Option<Value>, Error>,
        look: impl FnOnce(Option<&[u8]>) -> T,
    ) -> Result<T, Error> {
        let mut values = self.values();
        if let Some(value) = values.get(key) {
            return Ok(look(Some(value)));
        }
        let found = read()?;
        let looked = look(found.as_deref());
        if let Some(value) = found {
            values.insert(key.into(), value);
        }
        Ok(looked)
    }

    /// Writes a batch to the database, and what it changes of what is here.
    pub fn write(&self, batch: Batch, write: impl FnOnce(&Batch) -> Result<(), Error>) -> Result<(), Error> {
        let mut values = self.values();
        write(&batch)?;
        for write in batch.into_writes() {
            match write {
                Write::Put { key, value } => {
                    // A key that is not here stays away.
                    if let Some(mut held) = values.peek_mut(key.as_slice()) {
                        *held = value.into();
                    }
                }
                Write::Delete { key } => drop(values.remove(key.as_slice())),
                Write::DeleteRange { from, to } => {
                    values.retain(|key, _| !(from[..] <= key[..] && key[..] < to[..]));
                }
            }
        }
        Ok(())
    }

    fn values(&self) -> MutexGuard<'_, Cache<Key, Value, Bytes>> {
        // A panic while it is held ends the process.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Get(u8),
        Put(u8, u8),
        Delete(u8),
        DeleteRange(u8, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0u8..20).prop_map(Step::Get),
            3 => (0u8..20, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
            1 => (0u8..20).prop_map(Step::Delete),
            1 => (0u8..20, 0u8..20).prop_map(|(from, to)| Step::DeleteRange(from, to)),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn what_it_gives_is_what_the_database_holds(steps in steps(), room in 0usize..4000) {
            let recent = Recent::new(room);
            let database = RefCell::new(BTreeMap::<u8, Vec<u8>>::new());
            for step in steps {
                let mut batch = Batch::new();
                match step {
                    Step::Get(key) => {
                        let held = database.borrow().get(&key).cloned();
                        let read = || Ok(held.clone().map(Vec::into_boxed_slice));
                        let same = recent.look(&[key], read, |got| got == held.as_deref()).unwrap();
                        prop_assert!(same);
                        continue;
                    }
                    Step::Put(key, value) => batch.put(vec![key], vec![value; usize::from(value)]),
                    Step::Delete(key) => batch.delete(vec![key]),
                    Step::DeleteRange(from, to) => batch.delete_range(vec![from], vec![to]),
                }
                let write = |batch: &Batch| {
                    batch.writes().iter().for_each(|write| apply(&mut database.borrow_mut(), write));
                    Ok(())
                };
                recent.write(batch, write).unwrap();
            }
        }
    }

    fn apply(database: &mut BTreeMap<u8, Vec<u8>>, write: &Write) {
        match write {
            Write::Put { key, value } => drop(database.insert(key[0], value.clone())),
            Write::Delete { key } => drop(database.remove(&key[0])),
            Write::DeleteRange { from, to } => database.retain(|key, _| !(from[0]..to[0]).contains(key)),
        }
    }

    #[test]
    fn what_was_read_is_not_read_again_and_what_is_written_adds_nothing() {
        let recent = Recent::new(10_000);
        let mut batch = Batch::new();
        batch.put(b"a".to_vec(), b"1".to_vec());
        recent.write(batch.clone(), |_| Ok(())).unwrap();
        let read = || Ok(Some(Value::from(*b"1")));
        let got = |got: Option<&[u8]>| got.map(<[u8]>::to_vec);
        assert_eq!(recent.look(b"a", read, got).unwrap(), Some(b"1".to_vec()));
        let unreachable = || panic!("it is here");
        assert_eq!(recent.look(b"a", unreachable, got).unwrap(), Some(b"1".to_vec()));
        let mut batch = Batch::new();
        batch.put(b"a".to_vec(), b"2".to_vec());
        recent.write(batch, |_| Ok(())).unwrap();
        assert_eq!(recent.look(b"a", unreachable, got).unwrap(), Some(b"2".to_vec()));
    }
}
