//! One run, as its threads share it: what was asked for, on which table, and which items there are.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::arguments::Bench;
use super::content::Content;
use super::distribution::Distribution;
use super::workload::Workload;
use crate::target::Target;

/// What is fixed for the length of a run.
#[derive(Debug)]
pub(super) struct Plan {
    /// As asked for.
    pub(super) arguments: Bench,
    /// Where to send operations.
    pub(super) target: Target,
    /// The table's name.
    pub(super) table: String,
    /// Makes items and keys.
    pub(super) content: Content,
    /// Chooses among items.
    pub(super) distribution: Distribution,
    /// Which items there are.
    pub(super) numbers: Numbers,
}

impl Plan {
    /// May take a moment when the choice is skewed.
    pub(super) fn new(arguments: Bench, target: Target, table: String) -> Plan {
        let (workload, keys) = (arguments.workload, arguments.keys);
        let distribution = match (workload, arguments.theta()) {
            (Workload::D, Some(theta)) => Distribution::latest(keys, theta),
            (_, theta) => Distribution::over(keys, theta),
        };
        let content = Content::new(workload.has_sort_key(), arguments.item_size as usize, &mut generator());
        let numbers = Numbers::loaded(keys);
        Plan { arguments, target, table, content, distribution, numbers }
    }
}

/// A fast generator, different for everyone who asks.
pub(super) fn generator() -> SmallRng {
    SmallRng::seed_from_u64(rand::random())
}

/// The numbers of inserted items, which follow those of the loaded ones.
#[derive(Debug)]
pub(super) struct Numbers {
    next: AtomicU64,
    newest: AtomicU64,
}

impl Numbers {
    fn loaded(keys: u64) -> Numbers {
        Numbers { next: AtomicU64::new(keys), newest: AtomicU64::new(keys.saturating_sub(1)) }
    }

    /// A number for an item that is about to be inserted.
    pub(super) fn claim(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes an insert that was acknowledged: readers of the latest must not ask for what is not there yet.
    pub(super) fn inserted(&self, number: u64) {
        self.newest.fetch_max(number, Ordering::Relaxed);
    }

    /// The newest item. Inserts that began before its own may still be under way.
    pub(super) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_the_newest_once_it_is_acknowledged() {
        let numbers = Numbers::loaded(10);
        assert_eq!((numbers.newest(), numbers.claim(), numbers.claim()), (9, 10, 11));
        assert_eq!(numbers.newest(), 9);
        numbers.inserted(11);
        numbers.inserted(10);
        assert_eq!(numbers.newest(), 11);
    }
}
