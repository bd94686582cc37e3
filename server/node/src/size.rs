//! Amounts of memory, or of room on a disk, as people write them: `512MiB`, `1 GB`, `1073741824`.
//!
//! Two-letter units count in thousands, three-letter ones in 1,024s; one letter means the same as three.

use std::fmt;
use std::str::FromStr;

/// An amount in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

/// A text that is no such amount.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text:?} is no size: write a whole number and B, KB, KiB, MB, MiB, GB or GiB")]
pub struct InvalidSize {
    text: String,
}

impl FromStr for Size {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize { text: text.to_owned() };
        let trimmed = text.trim();
        let digits = trimmed.find(|character: char| !character.is_ascii_digit()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            _ => return Err(invalid()),
        };
        let number: u64 = number.parse().map_err(|_| invalid())?;
        number.checked_mul(factor).map(Size).ok_or_else(invalid)
    }
}

impl TryFrom<String> for Size {
    type Error = InvalidSize;

    fn try_from(text: String) -> Result<Self, InvalidSize> {
        text.parse()
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
            if self.0 != 0 && self.0.is_multiple_of(1 << shift) {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_they_say() {
        let of = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!(of("1073741824"), Ok(1 << 30));
        assert_eq!(of("512MiB"), Ok(512 << 20));
        assert_eq!(of(" 2 gb "), Ok(2_000_000_000));
        assert_eq!(of("3g"), Ok(3 << 30));
        for bad in ["", "MiB", "-1", "1.5GB", "1TB", "99999999999GiB"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        for bytes in [0, 1, 1 << 10, 1 << 20, 3 << 30, 1_000_000] {
            assert_eq!(Size(bytes).to_string().parse(), Ok(Size(bytes)));
        }
    }
}
