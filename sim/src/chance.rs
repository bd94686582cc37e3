//! Chance: every random number of a run, drawn from one seed.
//!
//! Each part of the world draws from a stream of its own, so that a change in what one part draws leaves the
//! others' luck as it was. Only whole numbers: their arithmetic is the same on every machine.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

/// Which part of the world draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Stream {
    /// Delays, losses and doublings of messages.
    Network = 1,
    /// How long syncs take and what a crash leaves.
    Disk = 2,
    /// Clocks, turns and the seeds of shards.
    World = 3,
    /// What clients do.
    Workload = 4,
    /// Which faults strike when.
    Plan = 5,
    /// Which partitions are split when.
    Splits = 6,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Chance {
    generator: ChaCha8Rng,
}

impl Chance {
    /// The stream of a seed for one part of the world.
    pub fn new(seed: u64, stream: Stream) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream as u64);
        Chance { generator }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// A number below `count`, which is at least 1.
    pub fn below(&mut self, count: u64) -> u64 {
        assert!(count > 0, "nothing lies below zero");
        ((u128::from(self.number()) * u128::from(count)) >> 64) as u64
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// A signed number from `-most` to `most`, both included.
    pub fn around_zero(&mut self, most: u64) -> i64 {
        self.below(2 * most + 1) as i64 - most as i64
    }

    /// True in `permille` of 1,000 cases.
    pub fn permille(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.below(several.len() as u64) as usize]
    }

    /// An index, chosen by weight; the weights' sum is at least 1.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        unreachable!("the number drawn lies below the sum of the weights")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_streams_differ() {
        let draw = |seed, stream| {
            let mut chance = Chance::new(seed, stream);
            (0..20).map(|_| chance.number()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, Stream::Network), draw(7, Stream::Network));
        assert_ne!(draw(7, Stream::Network), draw(7, Stream::Disk));
        assert_ne!(draw(7, Stream::Network), draw(8, Stream::Network));
    }

    #[test]
    fn draws_stay_in_their_ranges_and_reach_both_ends() {
        let mut chance = Chance::new(1, Stream::World);
        let drawn: Vec<u64> = (0..1000).map(|_| chance.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
        let drawn: Vec<i64> = (0..1000).map(|_| chance.around_zero(2)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-2), Some(&2)));
        assert!((0..100).all(|_| !chance.permille(0) && chance.permille(1000)));
        assert!((0..100).all(|_| chance.weighted(&[0, 5, 0]) == 1));
    }
}
