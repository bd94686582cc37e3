//! Whether a call is tried again, when, and where.
//!
//! Three rules. What may have been done is repeated only if doing it twice is the same as once. A request id
//! makes it so, but only in the region that saw it first (`P3`), so such a call stays there. And every retry
//! waits a random time and takes from the budget, so that a thousand clients do not come back at once.

use types::limits::{RETRY_ATTEMPTS_MAX, RETRY_BACKOFF_MS_MAX, RETRY_BACKOFF_MS_MIN};

use crate::budget::Budget;
use crate::failure::Failure;

/// What doing a call twice would mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// The same as doing it once, anywhere: reads, and commands that set what is set.
    Harmless,
    /// The same as doing it once in the region that saw its request id first.
    Remembered,
    /// Perhaps something else: a write without a request id.
    Harmful,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Try again.
    Retry {
        /// After so long.
        after_ms: u64,
        /// At the endpoint of the failed attempt, and no other.
        stay: bool,
    },
    /// Report the failure.
    GiveUp {
        /// Whether any attempt may have been carried out.
        unknown: bool,
    },
}

/// One call over all of its attempts.
#[derive(Clone, Debug)]
pub struct Call {
    repeat: Repeat,
    attempts: u32,
    unknown: bool,
}

impl Call {
    /// A call that is about to be tried for the first time.
    pub fn new(repeat: Repeat) -> Self {
        Call { repeat, attempts: 0, unknown: false }
    }

    /// Decides after a failure. `left_ms` is the time until the call's deadline; `random` any number.
    pub fn failed(&mut self, failure: Failure, budget: &mut Budget, left_ms: u64, random: u64) -> Decision {
        self.attempts += 1;
        self.unknown |= failure == Failure::Unknown && self.repeat != Repeat::Harmless;
        // A refusal is an answer, and tells that no attempt was carried out: under a request id the first
        // attempt's outcome would have come back instead.
        if failure == Failure::Refused {
            return Decision::GiveUp { unknown: false };
        }
        let give_up = Decision::GiveUp { unknown: self.unknown };
        if self.unknown && self.repeat == Repeat::Harmful || self.attempts >= RETRY_ATTEMPTS_MAX {
            return give_up;
        }
        let after_ms = match failure {
            Failure::NotDone { retry_after_ms } => retry_after_ms.saturating_add(self.backoff_ms(random)),
            _ => self.backoff_ms(random),
        };
        if after_ms >= left_ms || !budget.take() {
            return give_up;
        }
        Decision::Retry { after_ms, stay: self.unknown }
    }

    /// A random wait whose bound doubles with each attempt ("full jitter", AWS Architecture Blog, 2015).
    fn backoff_ms(&self, random: u64) -> u64 {
        let doubled = RETRY_BACKOFF_MS_MIN.saturating_mul(1 << (self.attempts - 1).min(32));
        random % (doubled.min(RETRY_BACKOFF_MS_MAX) + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LONG: u64 = 1_000_000;

    fn first(repeat: Repeat, failure: Failure) -> Decision {
        Call::new(repeat).failed(failure, &mut Budget::default(), LONG, 0)
    }

    #[test]
    fn a_write_that_may_have_happened_is_not_repeated_without_a_request_id() {
        assert_eq!(first(Repeat::Harmful, Failure::Unknown), Decision::GiveUp { unknown: true });
        let stays = Decision::Retry { after_ms: 0, stay: true };
        assert_eq!(first(Repeat::Remembered, Failure::Unknown), stays);
        let moves = Decision::Retry { after_ms: 0, stay: false };
        assert_eq!(first(Repeat::Harmless, Failure::Unknown), moves);
    }

    #[test]
    fn what_was_not_done_is_repeated_anywhere() {
        let moves = Decision::Retry { after_ms: 0, stay: false };
        for repeat in [Repeat::Harmless, Repeat::Remembered, Repeat::Harmful] {
            assert_eq!(first(repeat, Failure::NotSent), moves);
            assert_eq!(first(repeat, Failure::NotDone { retry_after_ms: 0 }), moves);
            assert_eq!(first(repeat, Failure::Refused), Decision::GiveUp { unknown: false });
        }
    }

    #[test]
    fn a_doubt_stays_for_the_rest_of_the_call() {
        let mut call = Call::new(Repeat::Remembered);
        let mut budget = Budget::default();
        call.failed(Failure::Unknown, &mut budget, LONG, 0);
        let stays = Decision::Retry { after_ms: 0, stay: true };
        assert_eq!(call.failed(Failure::NotSent, &mut budget, LONG, 0), stays);
        assert_eq!(call.failed(Failure::NotSent, &mut budget, 0, 0), Decision::GiveUp { unknown: true });
    }

    #[test]
    fn the_server_is_left_alone_for_as_long_as_it_asks() {
        let decision = first(Repeat::Harmless, Failure::NotDone { retry_after_ms: 50 });
        assert_eq!(decision, Decision::Retry { after_ms: 50, stay: false });
    }

    #[test]
    fn attempts_and_budget_end() {
        let mut budget = Budget::default();
        let mut call = Call::new(Repeat::Harmless);
        for _ in 1..RETRY_ATTEMPTS_MAX {
            assert!(matches!(call.failed(Failure::NotSent, &mut budget, LONG, 0), Decision::Retry { .. }));
        }
        let end = Decision::GiveUp { unknown: false };
        assert_eq!(call.failed(Failure::NotSent, &mut budget, LONG, 0), end);
        while budget.take() {}
        let mut other = Call::new(Repeat::Harmless);
        assert_eq!(other.failed(Failure::NotSent, &mut budget, LONG, 0), end);
    }

    proptest! {
        #[test]
        fn waits_stay_within_their_bound(random in any::<u64>(), attempts in 1u32..200) {
            let call = Call { repeat: Repeat::Harmless, attempts, unknown: false };
            let wait = call.backoff_ms(random);
            prop_assert!(wait <= RETRY_BACKOFF_MS_MAX);
            prop_assert!(attempts > 1 || wait <= RETRY_BACKOFF_MS_MIN);
        }

        #[test]
        fn no_retry_begins_past_the_deadline(random in any::<u64>(), left_ms in 0u64..10_000) {
            let mut call = Call::new(Repeat::Harmless);
            let decision = call.failed(Failure::NotSent, &mut Budget::default(), left_ms, random);
            if let Decision::Retry { after_ms, .. } = decision {
                prop_assert!(after_ms < left_ms);
            }
        }
    }
}
