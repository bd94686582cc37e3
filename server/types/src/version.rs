//! The total order that last-writer-wins uses.
//!
//! Versions are compared whole: time, then incarnation, then `expired`. Breaking ties by anything less
//! would leave two regions with different winners.

use crate::{HybridTime, Incarnation};

/// The version of a record. Equal versions are equal bytes, everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Version {
    /// When the writing region's leader stamped it.
    pub time: HybridTime,
    /// Which region wrote it, in which of its lives.
    pub incarnation: Incarnation,
    /// Set on the tombstone that expiry derives from this very version: just above it, below every later
    /// write.
    pub expired: bool,
}

impl Version {
    /// The length of `to_bytes`.
    pub const LENGTH: usize = 17;

    /// Bytes that sort as the version does.
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..8].copy_from_slice(&self.time.as_u64().to_be_bytes());
        bytes[8..16].copy_from_slice(&self.incarnation.to_bytes());
        bytes[16] = u8::from(self.expired);
        bytes
    }

    /// The inverse of `to_bytes`; `None` when the last byte is neither 0 nor 1.
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk::<8>()?;
        let (incarnation, rest) = rest.split_first_chunk::<8>()?;
        Some(Version {
            time: HybridTime::from_u64(u64::from_be_bytes(*time)),
            incarnation: Incarnation::from_bytes(*incarnation),
            expired: match rest {
                [0] => false,
                [1] => true,
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RegionId;

    pub(crate) fn any_version() -> impl Strategy<Value = Version> {
        (any::<u64>(), any::<u32>(), any::<u32>(), any::<bool>()).prop_map(
            |(time, region, counter, expired)| Version {
                time: HybridTime::from_u64(time),
                incarnation: Incarnation { region: RegionId(region), counter },
                expired,
            },
        )
    }

    proptest! {
        #[test]
        fn bytes_round_trip_and_sort(a in any_version(), b in any_version()) {
            prop_assert_eq!(Version::from_bytes(a.to_bytes()), Some(a));
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        }
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        let mut bytes = Version::default().to_bytes();
        bytes[16] = 2;
        assert_eq!(Version::from_bytes(bytes), None);
    }
}
