//! Whether a call is worth sending: an endpoint that refuses most of what it gets is sent little more than it
//! takes, and what is held back is refused here, where that costs nothing.
//!
//! To refuse a call costs a server almost as much as to take it in. So each client compares what it was asked
//! for with what was taken of it, lately, and holds back at random what would exceed a small multiple of
//! that ("client-side throttling", Site Reliability Engineering, 2016, chapter 21). Nothing is counted while
//! nothing is refused. There is no clock and no chance in it.

use types::limits::{THROTTLE_CALLS_MIN, THROTTLE_HALF_LIFE_MS, THROTTLE_SPARE};

/// What an endpoint took lately of what it was to take.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    asked: f64,
    taken: f64,
    at_ms: u64,
}

impl Throttle {
    /// Whether to send a call; `random` is any number.
    pub fn admits(&mut self, now_ms: u64, random: u64) -> bool {
        if !self.is_awake() {
            return true;
        }
        self.fade(now_ms);
        self.asked += 1.0;
        let excess = self.asked - THROTTLE_SPARE * self.taken - THROTTLE_CALLS_MIN;
        (random as f64 / u64::MAX as f64) * self.asked >= excess
    }

    /// Notes an endpoint's answer to a call: whether it was taken in, whatever came of it, or refused for
    /// what else there was to do.
    pub fn answered(&mut self, now_ms: u64, taken: bool) {
        if !self.is_awake() && !taken {
            *self = Throttle { asked: 1.0, taken: 0.0, at_ms: now_ms };
        } else if self.is_awake() && taken {
            self.fade(now_ms);
            self.taken += 1.0;
        }
    }

    fn is_awake(&self) -> bool {
        self.asked > 0.0
    }

    /// Lets what was count for less; in the end it is forgotten.
    fn fade(&mut self, now_ms: u64) {
        let halvings = now_ms.saturating_sub(self.at_ms) as f64 / THROTTLE_HALF_LIFE_MS as f64;
        if halvings == 0.0 {
            return;
        }
        let left = (-halvings).exp2();
        *self = Throttle { asked: self.asked * left, taken: self.taken * left, at_ms: now_ms };
        if self.asked < 0.5 {
            *self = Throttle::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// A server that takes so many calls a second, and whoever asks for so many; what is sent, and taken, of
    /// the last second's.
    fn run(throttle: &mut Throttle, from_ms: u64, seconds: u64, asked: u64, takes: u64) -> (u64, u64) {
        let mut random = SmallRng::seed_from_u64(7);
        let (mut sent, mut taken) = (0, 0);
        for ms in from_ms..from_ms + seconds * 1000 {
            if (ms - from_ms).is_multiple_of(1000) {
                (sent, taken) = (0, 0);
            }
            let mut left = takes / 1000;
            for _ in 0..asked / 1000 {
                if throttle.admits(ms, random.random()) {
                    sent += 1;
                    throttle.answered(ms, left > 0);
                    taken += u64::from(left > 0);
                    left = left.saturating_sub(1);
                }
            }
        }
        (sent, taken)
    }

    #[test]
    fn whoever_is_never_refused_is_never_held_back() {
        let mut throttle = Throttle::default();
        assert_eq!(run(&mut throttle, 0, 3, 10_000, 10_000), (10_000, 10_000));
    }

    #[test]
    fn of_ten_times_too_much_little_more_is_sent_than_taken() {
        let mut throttle = Throttle::default();
        let (sent, taken) = run(&mut throttle, 0, 10, 100_000, 10_000);
        assert!(taken >= 9_900, "{taken}");
        assert!(sent <= 16_000, "{sent}");
    }

    #[test]
    fn it_is_forgotten_within_seconds() {
        let mut throttle = Throttle::default();
        run(&mut throttle, 0, 10, 100_000, 10_000);
        assert_eq!(run(&mut throttle, 10_000, 5, 10_000, 10_000), (10_000, 10_000));
        let mut throttle = Throttle::default();
        run(&mut throttle, 0, 10, 100_000, 1000);
        assert_eq!(run(&mut throttle, 10_000, 15, 100_000, 100_000), (100_000, 100_000));
    }

    #[test]
    fn an_endpoint_that_takes_nothing_is_still_asked() {
        let mut throttle = Throttle::default();
        let (sent, taken) = run(&mut throttle, 0, 10, 1000, 0);
        assert_eq!(taken, 0);
        assert!((1..100).contains(&sent), "{sent}");
    }
}
