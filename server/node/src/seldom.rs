//! Warnings that somebody else can cause, told at most once in a while with how many were left out.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use types::limits;

/// Decides which warnings of one kind are told.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Option<Instant>,
    left_out: u64,
}

impl Seldom {
    /// How many warnings were left out since the last one told, if this one is to be told.
    pub fn tell(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = Duration::from_millis(limits::WARNING_INTERVAL_MS);
        if state.told.is_some_and(|told| now.duration_since(told) < pause) {
            state.left_out += 1;
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_counted() {
        let seldom = Seldom::default();
        let begun = Instant::now();
        let later = begun + Duration::from_millis(limits::WARNING_INTERVAL_MS);
        assert_eq!(seldom.tell(begun), Some(0));
        assert_eq!(seldom.tell(begun), None);
        assert_eq!(seldom.tell(begun), None);
        assert_eq!(seldom.tell(later), Some(2));
        assert_eq!(seldom.tell(later), None);
    }
}
