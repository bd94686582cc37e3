//! Which item an operation goes to.
//!
//! Items have numbers from 0 on; those that a run inserts follow the loaded ones. A choice is a pure function
//! of the generator and of the newest item's number.

use rand::RngExt;
use rand::rngs::SmallRng;

use super::zipf::{Theta, Zipf, scatter};

/// How items are chosen.
#[derive(Clone, Debug)]
pub(super) enum Distribution {
    /// Every loaded item as often as any other.
    Uniform {
        /// How many are loaded.
        keys: u64,
    },
    /// Some items much oftener than others, spread over all that are loaded.
    Skewed {
        /// How many are loaded.
        keys: u64,
        /// How often.
        zipf: Zipf,
    },
    /// The newer, the oftener, inserted items included.
    Latest {
        /// How far behind the newest.
        zipf: Zipf,
    },
}

impl Distribution {
    /// Over `keys` items, of which there is at least one.
    pub(super) fn over(keys: u64, theta: Option<Theta>) -> Distribution {
        match theta {
            Some(theta) => Distribution::Skewed { keys, zipf: Zipf::new(keys, theta) },
            None => Distribution::Uniform { keys },
        }
    }

    /// Over the newest `keys` items.
    pub(super) fn latest(keys: u64, theta: Theta) -> Distribution {
        Distribution::Latest { zipf: Zipf::new(keys, theta) }
    }

    /// The number of an item.
    pub(super) fn choose(&self, random: &mut SmallRng, newest: u64) -> u64 {
        match self {
            Distribution::Uniform { keys } => random.random_range(0..*keys),
            Distribution::Skewed { keys, zipf } => scatter(zipf.rank(random.random())) % keys,
            Distribution::Latest { zipf } => newest.saturating_sub(zipf.rank(random.random())),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const DRAWS: usize = 100_000;

    fn counts(distribution: &Distribution, newest: u64) -> Vec<usize> {
        let mut random = SmallRng::seed_from_u64(11);
        let mut counts = vec![0; newest as usize + 1];
        for _ in 0..DRAWS {
            counts[distribution.choose(&mut random, newest) as usize] += 1;
        }
        counts
    }

    #[test]
    fn uniform_choices_are_equally_frequent() {
        let counts = counts(&Distribution::over(100, None), 99);
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn skewed_choices_favour_few_items_all_over() {
        let mut counts = counts(&Distribution::over(1000, Some(Theta::USUAL)), 999);
        let favourite = counts.iter().enumerate().max_by_key(|(_, count)| **count).map(|(item, _)| item);
        assert_eq!(favourite, Some((scatter(0) % 1000) as usize));
        counts.sort_unstable();
        let tenth: usize = counts[900..].iter().sum();
        assert!(tenth > DRAWS / 2, "the most frequent tenth got {tenth} of {DRAWS}");
    }

    #[test]
    fn latest_choices_follow_the_newest_item() {
        let latest = Distribution::latest(100, Theta::USUAL);
        let counts = counts(&latest, 149);
        let favourite = counts.iter().enumerate().max_by_key(|(_, count)| **count).map(|(item, _)| item);
        assert_eq!(favourite, Some(149));
        assert!(counts[149] > 2 * counts[140] && counts[140] > counts[60], "{counts:?}");
        assert_eq!(counts[..50].iter().sum::<usize>(), 0, "only the newest hundred are read");
    }
}
