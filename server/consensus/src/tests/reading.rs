//! Reading a log whose parts lie in the engine, in memory, or nowhere any more.

use proptest::prelude::*;
use raft::eraftpb::Entry;
use raft::{GetEntriesContext, Storage};
use storage::log::LogWrite;
use storage::{Engine, LogBatch};

use super::{GROUP, disk};
use crate::format::{Truncated, encode_entry};
use crate::store::Store;

fn entry(index: u64, term: u64, bytes: usize) -> Entry {
    Entry { index, term, data: vec![7; bytes].into(), ..Entry::default() }
}

proptest! {
    /// However much is in memory, fetched or compacted, the same entries are read, within the same bounds.
    #[test]
    fn a_log_reads_the_same_wherever_it_lies(
        terms in proptest::collection::vec(1..4u64, 1..20),
        (synced, handed_out, compacted) in (0..22u64, 0..22u64, 1..10u64),
        (low, high, bytes_max) in (1..22u64, 1..22u64, 0..400u64),
        fetched in any::<bool>(),
    ) {
        let disk = disk(GROUP, &[1]);
        let mut store = Store::open(disk.clone(), GROUP, 0, None).unwrap();
        let all: Vec<Entry> =
            (2..).zip(&terms).map(|(index, term)| entry(index, *term, (index as usize * 37) % 100)).collect();
        let last = terms.len() as u64 + 1;
        let mut batch = LogBatch::new();
        batch.push(LogWrite::Entries { group: GROUP, entries: all.iter().map(encode_entry).collect() });
        disk.append(batch).unwrap();
        store.append(all.clone());
        let compacted = compacted.min(last);
        let term = store.term_of(compacted).unwrap();
        store.compacted(Truncated { index: compacted, term });
        store.trim(synced, handed_out, 300);
        let low = low.clamp(compacted + 1, last + 1);
        let high = high.clamp(low, last + 1);
        if fetched {
            store.fetch(low, high, bytes_max).unwrap();
        }

        let read = store.entries(low, high, bytes_max, GetEntriesContext::empty(false)).unwrap();
        let expected = &all[usize::try_from(low - 2).unwrap()..usize::try_from(high - 2).unwrap()];
        prop_assert_eq!(&read[..], &expected[..read.len()]);
        prop_assert!(!read.is_empty() || low == high);
        let bytes = |entries: &[Entry]| entries.iter().map(|entry| entry.data.len() as u64 + 2).sum::<u64>();
        prop_assert!(read.len() <= 1 || bytes(&read) <= bytes_max + 2 * read.len() as u64);
        for entry in &all[usize::try_from(compacted - 1).unwrap()..] {
            prop_assert_eq!(store.term(entry.index).unwrap(), entry.term);
        }
        prop_assert!(store.term(compacted - 1).is_err() && store.term(last + 1).is_err());
        prop_assert!(store.entries(compacted, last + 1, None, GetEntriesContext::empty(false)).is_err());
    }
}
