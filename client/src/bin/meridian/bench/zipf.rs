//! Zipf's distribution over ranks: few of them are drawn very often.
//!
//! The method is that of Gray et al., "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD 1994),
//! which YCSB uses as well: some arithmetic for each draw, after one sum over all ranks. Its skew must lie
//! between 0 and 1, both excluded; YCSB's is 0.99. Nothing here is random: the caller brings the number.

use std::str::FromStr;

/// How skewed: between 0 and 1, both excluded.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Theta(f64);

/// A number that is no skew.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a number between 0 and 1, both excluded, such as 0.99")]
pub(crate) struct InvalidTheta;

impl FromStr for Theta {
    type Err = InvalidTheta;

    fn from_str(text: &str) -> Result<Theta, InvalidTheta> {
        let theta = text.parse().map_err(|_| InvalidTheta)?;
        if theta > 0.0 && theta < 1.0 { Ok(Theta(theta)) } else { Err(InvalidTheta) }
    }
}

impl Theta {
    /// What YCSB uses where something must be skewed.
    pub(super) const USUAL: Theta = Theta(0.99);

    /// The number.
    pub(super) fn number(self) -> f64 {
        self.0
    }
}

/// The distribution over ranks from 0, the most frequent, to one less than `ranks`.
#[derive(Clone, Debug)]
pub(super) struct Zipf {
    ranks: u64,
    /// The sum of all weights, of which rank `r` has `(r + 1)^-theta`.
    total: f64,
    /// The weights of ranks 0 and 1 together.
    first_two: f64,
    alpha: f64,
    eta: f64,
}

impl Zipf {
    /// Takes time in proportion to `ranks`, of which there is at least one.
    pub(super) fn new(ranks: u64, theta: Theta) -> Zipf {
        let theta = theta.number();
        let total = (1..=ranks).map(|rank| (rank as f64).powf(-theta)).sum();
        let first_two = 1.0 + 0.5_f64.powf(theta);
        let eta = (1.0 - (2.0 / ranks as f64).powf(1.0 - theta)) / (1.0 - first_two / total);
        Zipf { ranks, total, first_two, alpha: 1.0 / (1.0 - theta), eta }
    }

    /// The rank for a number drawn uniformly from 0 to 1, 1 excluded.
    pub(super) fn rank(&self, drawn: f64) -> u64 {
        let weight = drawn * self.total;
        if weight < 1.0 {
            return 0;
        }
        if weight < self.first_two {
            return 1.min(self.ranks - 1);
        }
        let share = (self.eta * drawn - self.eta + 1.0).powf(self.alpha);
        ((self.ranks as f64 * share) as u64).min(self.ranks - 1)
    }
}

/// Scatters ranks, so that the most frequent items are not neighbours: FNV-1a over the rank's bytes, as in
/// YCSB's `ScrambledZipfianGenerator`.
pub(super) fn scatter(rank: u64) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    rank.to_le_bytes().into_iter().fold(0xCBF2_9CE4_8422_2325, fold)
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    const DRAWS: usize = 400_000;

    fn counts(ranks: u64, theta: Theta) -> Vec<usize> {
        let zipf = Zipf::new(ranks, theta);
        let mut random = SmallRng::seed_from_u64(7);
        let mut counts = vec![0; ranks as usize];
        for _ in 0..DRAWS {
            counts[zipf.rank(random.random()) as usize] += 1;
        }
        counts
    }

    /// What the definition says of the ranks below `end`.
    fn expected(ranks: u64, theta: f64, end: u64) -> f64 {
        let sum = |end: u64| (1..=end).map(|rank| (rank as f64).powf(-theta)).sum::<f64>();
        sum(end) / sum(ranks)
    }

    #[test]
    fn ranks_come_as_often_as_the_definition_says() {
        for theta in [0.5, 0.99] {
            let counts = counts(1000, Theta(theta));
            for end in [1, 2, 10, 100, 500] {
                let share = counts[..end].iter().sum::<usize>() as f64 / DRAWS as f64;
                let expected = expected(1000, theta, end as u64);
                // The method is exact for the first two ranks and close for the others.
                assert!((share - expected).abs() < 0.02, "{theta} {end}: {share}, not {expected}");
            }
        }
    }

    #[test]
    fn every_number_gives_a_rank_however_few_there_are() {
        for ranks in 1..5 {
            let zipf = Zipf::new(ranks, Theta::USUAL);
            for drawn in [0.0, 0.3, 0.7, 0.999_999_999_999] {
                assert!(zipf.rank(drawn) < ranks, "{ranks} {drawn}");
            }
        }
    }

    #[test]
    fn scattered_ranks_are_those_of_ycsb() {
        // FNV-1a of eight zero bytes, as published with the algorithm.
        assert_eq!(scatter(0), 0xA8C7_F832_281A_39C5);
        assert_ne!(scatter(1), scatter(0) + 1);
    }

    #[test]
    fn a_skew_lies_between_0_and_1() {
        assert_eq!("0.99".parse(), Ok(Theta::USUAL));
        for bad in ["0", "1", "1.2", "-0.5", "NaN", "inf", "much"] {
            assert_eq!(bad.parse::<Theta>(), Err(InvalidTheta), "{bad}");
        }
    }
}
