//! Parsed expressions, kept by each thread for itself: no two requests wait for each other over them.

use std::cell::RefCell;

use item::expression::Cache;

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::new(Cache::new());
}

/// Lends this thread's cache.
pub fn with<T>(lend: impl FnOnce(&mut Cache) -> T) -> T {
    CACHE.with_borrow_mut(lend)
}
