//! Artificial distance: messages to a peer wait a fixed time before they leave.
//!
//! The delay counts from the moment a message was queued, so it adds to nothing else, and it is the same for
//! all messages of a link, so their order stays.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;
use types::{InvalidName, RegionName, limits};

/// The delays between pairs of regions, one way, the same in both directions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latencies(BTreeMap<(RegionName, RegionName), Duration>);

/// Why a text names no delays.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidLatency {
    /// A part that is not `A:B=80ms`.
    #[error("{part:?} is no latency: write REGION:REGION=80ms, several separated by commas")]
    Form {
        /// The part.
        part: String,
    },
    /// A region's name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A link from a region to itself.
    #[error("{region} has no link to itself")]
    Loop {
        /// The region.
        region: RegionName,
    },
    /// The same pair twice.
    #[error("the latency between {first} and {second} is given twice")]
    Twice {
        /// One region.
        first: RegionName,
        /// The other.
        second: RegionName,
    },
    /// Too long.
    #[error("a latency of {given_ms} ms: the limit is {limit_ms} ms", limit_ms = limits::LINK_DELAY_MS_MAX)]
    TooLong {
        /// What was given.
        given_ms: u64,
    },
}

impl Latencies {
    /// The delay of messages between two regions.
    pub fn between(&self, first: &RegionName, second: &RegionName) -> Duration {
        self.0.get(&pair(first, second)).copied().unwrap_or_default()
    }

    /// Every region that is named.
    pub fn regions(&self) -> impl Iterator<Item = &RegionName> {
        self.0.keys().flat_map(|(first, second)| [first, second])
    }
}

impl FromStr for Latencies {
    type Err = InvalidLatency;

    fn from_str(text: &str) -> Result<Self, InvalidLatency> {
        let mut latencies = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (first, second, delay_ms) =
                split(part).ok_or_else(|| InvalidLatency::Form { part: part.to_owned() })?;
            let (first, second) = (RegionName::new(first)?, RegionName::new(second)?);
            if first == second {
                return Err(InvalidLatency::Loop { region: first });
            }
            if delay_ms > limits::LINK_DELAY_MS_MAX {
                return Err(InvalidLatency::TooLong { given_ms: delay_ms });
            }
            if latencies.insert(pair(&first, &second), Duration::from_millis(delay_ms)).is_some() {
                return Err(InvalidLatency::Twice { first, second });
            }
        }
        Ok(Latencies(latencies))
    }
}

/// Waits until something queued at a moment has been under way for a delay.
pub async fn wait(queued_at: Instant, delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep_until(queued_at + delay).await;
    }
}

fn split(part: &str) -> Option<(&str, &str, u64)> {
    let (regions, delay) = part.split_once('=')?;
    let (first, second) = regions.split_once(':')?;
    Some((first, second, delay.strip_suffix("ms")?.parse().ok()?))
}

fn pair(first: &RegionName, second: &RegionName) -> (RegionName, RegionName) {
    match first < second {
        true => (first.clone(), second.clone()),
        false => (second.clone(), first.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> RegionName {
        RegionName::new(name).unwrap()
    }

    #[test]
    fn a_latency_holds_in_both_directions() {
        let latencies: Latencies = "us-east-1:eu-west-1=80ms, a:b=5ms".parse().unwrap();
        let (us, eu) = (region("us-east-1"), region("eu-west-1"));
        assert_eq!(latencies.between(&us, &eu), Duration::from_millis(80));
        assert_eq!(latencies.between(&eu, &us), Duration::from_millis(80));
        assert_eq!(latencies.between(&us, &region("a")), Duration::ZERO);
        assert_eq!("".parse(), Ok(Latencies::default()));
    }

    #[test]
    fn what_is_no_latency_is_refused() {
        let refused = |text: &str| text.parse::<Latencies>().unwrap_err();
        for text in ["a", "a:b", "a:b=80", "a=b=1ms", "a:b=-1ms"] {
            assert!(matches!(refused(text), InvalidLatency::Form { .. }), "{text}");
        }
        assert!(matches!(refused("A:b=1ms"), InvalidLatency::Name(_)));
        assert!(matches!(refused("a:a=1ms"), InvalidLatency::Loop { .. }));
        assert!(matches!(refused("a:b=1ms,b:a=2ms"), InvalidLatency::Twice { .. }));
        assert!(matches!(refused("a:b=60001ms"), InvalidLatency::TooLong { given_ms: 60_001 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_counts_from_the_queueing() {
        let queued_at = Instant::now();
        tokio::time::advance(Duration::from_millis(30)).await;
        wait(queued_at, Duration::from_millis(80)).await;
        let took = queued_at.elapsed();
        assert!(took >= Duration::from_millis(80) && took < Duration::from_millis(85), "{took:?}");
        wait(queued_at, Duration::from_millis(80)).await;
        assert!(queued_at.elapsed() < Duration::from_millis(85));
    }
}
