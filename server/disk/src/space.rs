//! The key space in RocksDB: one column family, no log, checksums verified on every read.
//!
//! With one column family a flush is atomic: it makes all key kinds durable up to the same write. RocksDB may
//! also write buffers out by itself; that too leaves a prefix of the writes, so the applied index never lies.

use std::ops::{Bound, ControlFlow};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rocksdb::properties;
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DBRawIterator, FlushOptions, LogLevel, ReadOptions,
    WriteBatch, WriteBufferManager, WriteOptions,
};
use self_cell::self_cell;
use storage::batch::Write;
use storage::engine::Visit;
use storage::error::Fault;
use storage::{Batch, Direction, Error};
use types::limits;

use crate::recent::Recent;

/// Memory for block cache and write buffers together; every disk of a process shares one.
#[derive(Clone)]
pub struct Budget {
    cache: Cache,
    writes: WriteBufferManager,
    write_buffer_bytes: usize,
}

impl Budget {
    /// A budget of so many bytes, a third of it for write buffers at most; less than the least that works
    /// counts as that.
    pub fn new(bytes: usize) -> Self {
        let bytes = bytes.max(limits::DISK_MEMORY_BYTES_MIN);
        let cache = Cache::new_lru_cache(bytes);
        // Past its share it flushes early instead of stalling whoever writes: a turn must not wait for a
        // disk.
        let share = bytes / 3;
        let writes = WriteBufferManager::new_write_buffer_manager_with_cache(share, false, cache.clone());
        let write_buffer_bytes =
            (share / 4).clamp(limits::WRITE_BUFFER_BYTES_MIN, limits::WRITE_BUFFER_BYTES_MAX);
        Budget { cache, writes, write_buffer_bytes }
    }
}

/// The key space of one disk.
pub struct Space {
    database: Arc<DB>,
    recent: Recent,
}

type DatabaseSnapshot<'a> = rocksdb::Snapshot<'a>;

self_cell!(
    struct Held {
        owner: Arc<DB>,
        #[covariant]
        dependent: DatabaseSnapshot,
    }
);

/// A view of the key space; it keeps the database open while it lives.
pub struct View(Held);

impl Space {
    /// Opens RocksDB's folder, or makes it. Values that are read are kept in so many bytes.
    pub fn open(folder: &Path, budget: &Budget, recent_bytes: usize) -> Result<Space, crate::Error> {
        let refused = |source| crate::Error::Database { folder: PathBuf::from(folder), source };
        // Dropping a database would flush what nobody asked to be flushed, and hide in tests what a crash
        // loses.
        let mut options = rocksdb::Options::default()
            .get_options_from_string("avoid_flush_during_shutdown=true")
            .map_err(refused)?;
        options.create_if_missing(true);
        options.set_write_buffer_size(budget.write_buffer_bytes);
        // The first level is as large as what is merged into it at a time, so that neither is rewritten for
        // little of the other.
        let merged_at_once = budget.write_buffer_bytes as u64 * limits::LEVEL_ZERO_FILES_MERGED as u64;
        options.set_level_zero_file_num_compaction_trigger(limits::LEVEL_ZERO_FILES_MERGED);
        options.set_max_bytes_for_level_base(merged_at_once);
        options.set_max_write_buffer_number(limits::WRITE_BUFFERS_MAX);
        options.set_write_buffer_manager(&budget.writes);
        // Most keys that a write looks for are not in the newest buffer: a filter spares the search.
        options.set_memtable_prefix_bloom_ratio(0.05);
        options.set_memtable_whole_key_filtering(true);
        // One thread writes.
        options.set_allow_concurrent_memtable_write(false);
        // RocksDB stops whoever writes when files pile up; `is_pressed` tells before that.
        options.set_level_zero_slowdown_writes_trigger(limits::LEVEL_ZERO_FILES_SLOW);
        options.set_level_zero_stop_writes_trigger(limits::LEVEL_ZERO_FILES_STOP);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_level_compaction_dynamic_level_bytes(true);
        options.set_paranoid_checks(true);
        options.set_bytes_per_sync(1024 * 1024);
        options.set_keep_log_file_num(limits::DATABASE_LOG_FILES_MAX);
        options.set_max_log_file_size(limits::DATABASE_LOG_BYTES_MAX);
        options.set_log_level(LogLevel::Warn);
        options.set_block_based_table_factory(&tables(budget));
        let database = DB::open(&options, folder).map_err(refused)?;
        Ok(Space { database: Arc::new(database), recent: Recent::new(recent_bytes) })
    }

    /// Shows the value of a key.
    pub fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        let read = || {
            let value = self.database.get_pinned(key).map_err(|error| failed("read", &error))?;
            Ok(value.map(|value| (*value).into()))
        };
        self.recent.look(key, read, look)
    }

    /// Visits the keys between two bounds.
    pub fn scan(
        &self,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        match read_options(bounds) {
            Some(options) => walk(self.database.raw_iterator_opt(options), direction, visit),
            None => Ok(()),
        }
    }

    /// Writes a batch.
    pub fn write(&self, batch: Batch) -> Result<(), Error> {
        self.recent.write(batch, |batch| {
            let mut writes = WriteBatch::default();
            for write in batch.writes() {
                match write {
                    Write::Put { key, value } => writes.put(key, value),
                    Write::Delete { key } => writes.delete(key),
                    Write::DeleteRange { from, to } if from < to => writes.delete_range(from, to),
                    Write::DeleteRange { .. } => {}
                }
            }
            let mut options = WriteOptions::default();
            options.disable_wal(true);
            self.database.write_opt(writes, &options).map_err(|error| failed("write", &error))
        })
    }

    /// Makes everything written durable.
    pub fn flush(&self) -> Result<(), Error> {
        let mut options = FlushOptions::default();
        options.set_wait(true);
        self.database.flush_opt(&options).map_err(|error| failed("flush", &error))
    }

    /// Whether so much waits to be written out that RocksDB is about to slow down whoever writes.
    pub fn is_pressed(&self) -> Result<bool, Error> {
        let failed = |error: rocksdb::Error| failed("look at", &error);
        let buffers = self.database.property_int_value(properties::NUM_IMMUTABLE_MEM_TABLE);
        let buffers = buffers.map_err(failed)?.unwrap_or(0);
        let files = self.database.property_value(properties::num_files_at_level(0)).map_err(failed)?;
        let files: u64 = files.and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(buffers >= limits::WRITE_BUFFERS_WAITING_MAX || files >= limits::LEVEL_ZERO_FILES_MAX)
    }

    /// About how many bytes of its files are of a range.
    pub fn bytes(&self, (from, to): &storage::keys::Bounds) -> u64 {
        if from >= to {
            return 0;
        }
        self.database.get_approximate_sizes(&[rocksdb::Range::new(from, to)]).iter().sum()
    }

    /// Takes a view.
    pub fn view(&self) -> View {
        View(Held::new(self.database.clone(), |database| database.snapshot()))
    }
}

impl View {
    /// Shows the value that a key had.
    pub fn look<T>(&self, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, Error> {
        let snapshot = self.0.borrow_dependent();
        let value = snapshot.get_pinned(key).map_err(|error| failed("read", &error))?;
        Ok(look(value.as_deref()))
    }

    /// Visits the keys that were between two bounds.
    pub fn scan(
        &self,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        match read_options(bounds) {
            Some(options) => walk(self.0.borrow_dependent().raw_iterator_opt(options), direction, visit),
            None => Ok(()),
        }
    }
}

fn tables(budget: &Budget) -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&budget.cache);
    tables.set_bloom_filter(10.0, false);
    // Index and filters count towards the budget, and the few of the newest files stay.
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    tables.set_block_size(16 * 1024);
    tables.set_format_version(5);
    tables
}

/// Options for the keys between two bounds; `None` when no key can lie between them.
fn read_options((from, to): (Bound<&[u8]>, Bound<&[u8]>)) -> Option<ReadOptions> {
    let from = match from {
        Bound::Unbounded => None,
        Bound::Included(key) => Some(key.to_vec()),
        Bound::Excluded(key) => Some(following(key)),
    };
    let to = match to {
        Bound::Unbounded => None,
        Bound::Excluded(key) => Some(key.to_vec()),
        Bound::Included(key) => Some(following(key)),
    };
    if to.as_ref().is_some_and(|to| from.as_deref().unwrap_or_default() >= to.as_slice()) {
        return None;
    }
    let mut options = ReadOptions::default();
    if let Some(from) = from {
        options.set_iterate_lower_bound(from);
    }
    if let Some(to) = to {
        options.set_iterate_upper_bound(to);
    }
    Some(options)
}

/// The first key after this one.
fn following(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

fn walk(mut iterator: DBRawIterator<'_>, direction: Direction, visit: Visit<'_>) -> Result<(), Error> {
    match direction {
        Direction::Forward => iterator.seek_to_first(),
        Direction::Backward => iterator.seek_to_last(),
    }
    while let Some((key, value)) = iterator.item() {
        if visit(key, value) == ControlFlow::Break(()) {
            return Ok(());
        }
        match direction {
            Direction::Forward => iterator.next(),
            Direction::Backward => iterator.prev(),
        }
    }
    iterator.status().map_err(|error| failed("scan", &error))
}

/// RocksDB's error as ours. Its text names the file, which ours cannot, so it goes to the log.
fn failed(operation: &'static str, error: &rocksdb::Error) -> Error {
    tracing::error!(operation, %error, "the database failed");
    match error.kind() {
        rocksdb::ErrorKind::Corruption => Error::Corrupt { what: "database", fault: Fault::Checksum },
        _ => Error::Failed { operation, kind: std::io::ErrorKind::Other },
    }
}
