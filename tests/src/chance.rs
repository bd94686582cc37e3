//! Chance for tests: one seed, told when a test fails, so that the same moments can be tried again.

use std::time::{Duration, SystemTime};

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Chance {
    generator: ChaCha8Rng,
}

impl Chance {
    /// From `MERIDIAN_SEED`, or from the clock. The seed is printed, which Cargo shows when the test fails.
    pub fn of_this_run() -> Self {
        let clock = || {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(0, |since| since.as_nanos() as u64)
        };
        let given = std::env::var("MERIDIAN_SEED").ok();
        let seed = given.map_or_else(clock, |seed| seed.parse().expect("MERIDIAN_SEED is a number"));
        crate::report::note(&format!("MERIDIAN_SEED={seed}"));
        Chance { generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A stream of its own, for a task.
    pub fn split(&mut self) -> Self {
        Chance { generator: ChaCha8Rng::seed_from_u64(self.generator.next_u64()) }
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.generator.next_u64() % count as u64) as usize
    }

    /// A time from `least` to `most` milliseconds.
    pub fn between_ms(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.generator.next_u64() % (most - least + 1))
    }

    /// Random bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.generator.fill_bytes(&mut bytes);
        bytes
    }
}
