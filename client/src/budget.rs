//! The retry budget: a bucket of tokens that retries take from and successes give back to.
//!
//! While calls succeed, retries are free in practice; once most calls fail the bucket runs dry, and a client
//! no longer doubles the load of a server in trouble. There is no clock in it.

use types::limits::{RETRY_BUDGET_TOKENS, RETRY_COST_TOKENS, RETRY_REFUND_TOKENS};

/// The tokens left; starts full.
#[derive(Clone, Debug)]
pub struct Budget {
    tokens: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { tokens: RETRY_BUDGET_TOKENS }
    }
}

impl Budget {
    /// Takes the price of one retry, or nothing when there is not enough.
    pub fn take(&mut self) -> bool {
        match self.tokens.checked_sub(RETRY_COST_TOKENS) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }

    /// Notes a call that succeeded.
    pub fn succeeded(&mut self) {
        self.tokens = (self.tokens + RETRY_REFUND_TOKENS).min(RETRY_BUDGET_TOKENS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_drain_it_and_successes_fill_it() {
        let mut budget = Budget::default();
        let retries = std::iter::repeat_with(|| budget.take()).take_while(|taken| *taken).count();
        assert_eq!(retries as u32, RETRY_BUDGET_TOKENS / RETRY_COST_TOKENS);
        assert!(!budget.take());
        for _ in 0..RETRY_COST_TOKENS / RETRY_REFUND_TOKENS {
            budget.succeeded();
        }
        assert!(budget.take());
        assert!(!budget.take());
    }

    #[test]
    fn it_never_holds_more_than_at_the_start() {
        let mut budget = Budget::default();
        budget.succeeded();
        assert_eq!(budget.tokens, RETRY_BUDGET_TOKENS);
    }
}
