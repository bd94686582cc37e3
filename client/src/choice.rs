//! Which region a call goes to: the first of an ordered list that is not cooling down after a failure.
//!
//! A region that failed is left alone for a while, longer with each failure in a row, and then tried again by
//! whichever call comes first. If all are cooling down, the one that is nearest to its end is tried: a client
//! with one endpoint never refuses by itself.

use types::limits::{ENDPOINT_COOL_DOWN_MS_MAX, ENDPOINT_COOL_DOWN_MS_MIN};

/// The state of every endpoint, in the order of preference.
#[derive(Clone, Debug)]
pub struct Choice {
    endpoints: Vec<Rest>,
}

/// How something that is called stands: at work, or left alone for a while after a failure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    failures: u32,
    resting_until_ms: u64,
}

impl Rest {
    /// Whether it is left alone.
    pub(crate) fn is_on(&self, now_ms: u64) -> bool {
        self.resting_until_ms > now_ms
    }

    /// Notes a failure. Calls that were under way together fail together, and count once.
    pub(crate) fn begin(&mut self, now_ms: u64) {
        if self.is_on(now_ms) {
            return;
        }
        let rest = ENDPOINT_COOL_DOWN_MS_MIN.saturating_mul(1 << self.failures.min(32));
        self.failures = self.failures.saturating_add(1);
        self.resting_until_ms = now_ms.saturating_add(rest.min(ENDPOINT_COOL_DOWN_MS_MAX));
    }
}

impl Choice {
    /// For so many endpoints, all presumed well. Panics on zero: a client has at least one.
    pub fn new(endpoints: usize) -> Self {
        assert!(endpoints > 0, "a client needs an endpoint");
        Choice { endpoints: vec![Rest::default(); endpoints] }
    }

    /// The endpoint to use at this moment.
    pub fn choose(&self, now_ms: u64) -> usize {
        let rested = self.endpoints.iter().position(|endpoint| !endpoint.is_on(now_ms));
        let nearest = || {
            let ends = self.endpoints.iter().map(|endpoint| endpoint.resting_until_ms);
            ends.enumerate().min_by_key(|(_, end)| *end).map_or(0, |(index, _)| index)
        };
        rested.unwrap_or_else(nearest)
    }

    /// Whether an endpoint is cooling down.
    pub fn is_resting(&self, index: usize, now_ms: u64) -> bool {
        self.endpoints[index].is_on(now_ms)
    }

    /// Notes that an endpoint answered, whatever it said.
    pub fn answered(&mut self, index: usize) {
        self.endpoints[index] = Rest::default();
    }

    /// Notes that an endpoint did not answer.
    pub fn failed(&mut self, index: usize, now_ms: u64) {
        self.endpoints[index].begin(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_well_endpoint_is_chosen() {
        let mut choice = Choice::new(3);
        assert_eq!(choice.choose(0), 0);
        choice.failed(0, 0);
        assert_eq!((choice.choose(0), choice.is_resting(0, 0), choice.is_resting(1, 0)), (1, true, false));
        choice.failed(1, 0);
        assert_eq!(choice.choose(0), 2);
        assert_eq!(choice.choose(ENDPOINT_COOL_DOWN_MS_MIN), 0);
    }

    #[test]
    fn when_all_rest_the_nearest_to_its_end_is_tried() {
        let mut choice = Choice::new(2);
        choice.failed(1, 0);
        choice.failed(0, 10);
        assert_eq!(choice.choose(20), 1);
    }

    #[test]
    fn rests_grow_until_an_answer() {
        let mut choice = Choice::new(2);
        choice.failed(0, 0);
        choice.failed(0, ENDPOINT_COOL_DOWN_MS_MIN);
        assert_eq!(choice.choose(2 * ENDPOINT_COOL_DOWN_MS_MIN), 1);
        assert_eq!(choice.choose(3 * ENDPOINT_COOL_DOWN_MS_MIN), 0);
        choice.answered(0);
        choice.failed(0, 0);
        assert_eq!(choice.choose(ENDPOINT_COOL_DOWN_MS_MIN), 0);
    }

    #[test]
    fn failures_of_one_moment_count_once() {
        let mut choice = Choice::new(2);
        for _ in 0..100 {
            choice.failed(0, 0);
        }
        assert_eq!(choice.choose(ENDPOINT_COOL_DOWN_MS_MIN), 0);
    }

    proptest! {
        #[test]
        fn every_endpoint_comes_back(
            failures in proptest::collection::vec((0usize..3, 0u64..100_000), 0..200),
        ) {
            let mut choice = Choice::new(3);
            for (index, now_ms) in failures {
                choice.failed(index, now_ms);
                prop_assert!(choice.choose(now_ms) < 3);
            }
            prop_assert_eq!(choice.choose(100_000 + ENDPOINT_COOL_DOWN_MS_MAX), 0);
        }
    }
}
