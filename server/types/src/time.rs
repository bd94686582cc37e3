//! Hybrid time: wall milliseconds with a logical counter below them, one number that only grows.
//!
//! It must not be read from a clock here; a shard advances it with the `Now` that it is given (`P7`).

use std::fmt;

/// 48 bits of milliseconds since the Unix epoch above 16 bits of logic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HybridTime(u64);

impl HybridTime {
    /// Before everything.
    pub const ZERO: HybridTime = HybridTime(0);
    /// After everything.
    pub const MAX: HybridTime = HybridTime(u64::MAX);

    /// The first hybrid time of a millisecond; milliseconds past 48 bits (the year 10889) saturate.
    pub fn from_millis(millis: u64) -> Self {
        HybridTime(millis.min((1 << 48) - 1) << 16)
    }

    /// From the number that `as_u64` gave.
    pub fn from_u64(raw: u64) -> Self {
        HybridTime(raw)
    }

    /// The whole number, whose order is the order of time.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The millisecond part.
    pub fn millis(self) -> u64 {
        self.0 >> 16
    }

    /// The next hybrid time; logic that overflows carries into the next millisecond. Saturates at `MAX`.
    pub fn next(self) -> Self {
        HybridTime(self.0.saturating_add(1))
    }

    /// The previous hybrid time, or `ZERO`.
    pub fn previous(self) -> Self {
        HybridTime(self.0.saturating_sub(1))
    }

    /// This time, moved forward by whole milliseconds.
    pub fn plus_millis(self, millis: u64) -> Self {
        HybridTime(self.0.saturating_add(millis.min((1 << 48) - 1) << 16))
    }
}

impl fmt::Debug for HybridTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millis(), self.0 & 0xffff)
    }
}

impl fmt::Display for HybridTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logic_carries_into_milliseconds() {
        let last = HybridTime::from_u64((7 << 16) | 0xffff);
        assert_eq!(last.next(), HybridTime::from_millis(8));
        assert_eq!(last.next().previous(), last);
        assert_eq!(HybridTime::MAX.next(), HybridTime::MAX);
        assert_eq!(HybridTime::ZERO.previous(), HybridTime::ZERO);
    }

    #[test]
    fn milliseconds_saturate_at_48_bits() {
        assert_eq!(HybridTime::from_millis(u64::MAX).millis(), (1 << 48) - 1);
    }
}
