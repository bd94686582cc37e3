//! How long a call may take: what its caller said in `grpc-timeout`, within limits, or the usual.
//!
//! The server answers a little before the caller gives up, so that the answer has time to travel.

use std::time::Duration;

use tonic::metadata::MetadataMap;
use types::limits;

const HEADER: &str = "grpc-timeout";
/// gRPC's own limit on the digits of a timeout.
const DIGITS_MAX: usize = 8;

/// The time that a call has from here on. A header that is no timeout counts as none.
pub fn of(metadata: &MetadataMap) -> Duration {
    within(metadata.get(HEADER).and_then(|value| value.to_str().ok()).and_then(parse))
}

/// The time that a call has whose caller said this.
pub fn within(said: Option<Duration>) -> Duration {
    match said {
        Some(timeout) => {
            let margin = Duration::from_millis(limits::DEADLINE_MARGIN_MS).min(timeout / 10);
            (timeout - margin).min(Duration::from_millis(limits::REQUEST_DEADLINE_MS_MAX))
        }
        None => Duration::from_millis(limits::REQUEST_DEADLINE_MS),
    }
}

/// gRPC's form: up to eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > DIGITS_MAX || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Duration {
        let mut metadata = MetadataMap::new();
        metadata.insert(HEADER, text.parse().unwrap());
        of(&metadata)
    }

    #[test]
    fn a_caller_is_answered_before_it_gives_up() {
        assert_eq!(with("2S"), Duration::from_millis(2000 - limits::DEADLINE_MARGIN_MS));
        assert_eq!(with("100m"), Duration::from_millis(90));
        assert_eq!(with("0n"), Duration::ZERO);
        assert_eq!(with("99999999H"), Duration::from_millis(limits::REQUEST_DEADLINE_MS_MAX));
    }

    #[test]
    fn what_is_no_timeout_counts_as_none() {
        let usual = of(&MetadataMap::new());
        assert_eq!(usual, Duration::from_millis(limits::REQUEST_DEADLINE_MS));
        for text in ["", "S", "5", "5x", "-5S", "+5S", "123456789S", "5 S"] {
            assert_eq!(with(text), usual, "{text:?}");
        }
    }
}
