//! Identities: regions, incarnations, tables, partitions, groups and requests.
//!
//! An id is never reused: not an incarnation's, not a table's after it was dropped and created again.

use std::fmt;

use crate::{HybridTime, RegionName};

/// A region as a number: the 32-bit hash of its name, equal in every region without agreement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct RegionId(pub u32);

impl RegionId {
    /// The id of a region's name.
    pub fn of(name: &RegionName) -> Self {
        RegionId((xxhash_rust::xxh3::xxh3_64(name.as_str().as_bytes()) >> 32) as u32)
    }
}

/// One life of a table's copy in a region: the region and a counter issued by that region's own catalog.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Incarnation {
    /// Whose life it is.
    pub region: RegionId,
    /// Which life; the region's catalog never issues a number twice.
    pub counter: u32,
}

impl Incarnation {
    /// Eight bytes that sort as the incarnation does.
    pub fn to_bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.region.0.to_be_bytes());
        bytes[4..].copy_from_slice(&self.counter.to_be_bytes());
        bytes
    }

    /// The inverse of `to_bytes`.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        Incarnation {
            region: RegionId(u32::from_be_bytes([a, b, c, d])),
            counter: u32::from_be_bytes([e, f, g, h]),
        }
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}/{}", self.region.0, self.counter)
    }
}

/// A table for ever: the hybrid time of its creation and the region whose catalog created it.
/// A table created again under the same name has another id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TableId {
    /// When the origin's catalog decided the creation; a catalog never gives one time twice.
    pub created: HybridTime,
    /// The region whose catalog decided it.
    pub origin: RegionId,
}

impl TableId {
    /// The length of `to_bytes`.
    pub const LENGTH: usize = 12;

    /// Twelve bytes that sort as the id does.
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..8].copy_from_slice(&self.created.as_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&self.origin.0.to_be_bytes());
        bytes
    }

    /// The inverse of `to_bytes`.
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        TableId {
            created: HybridTime::from_u64(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
            origin: RegionId(u32::from_be_bytes([i, j, k, l])),
        }
    }
}

impl fmt::Debug for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:08x}", self.created.as_u64(), self.origin.0)
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A node of a region; its number is never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct NodeId(pub u64);

impl NodeId {
    /// The node of a region that has no other.
    pub const ONLY: NodeId = NodeId(1);
}

/// A raft group of a region; its number is issued by the region's catalog and never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct GroupId(pub u64);

impl GroupId {
    /// The region's catalog, which every node knows without being told.
    pub const CATALOG: GroupId = GroupId(1);
    /// The first number that the catalog issues.
    pub const FIRST: GroupId = GroupId(16);
}

/// A partition is a raft group, and shares its number.
pub type PartitionId = GroupId;

/// A write's own name, chosen by the client at random, under which a retry finds the first answer (`P3`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_round_trip_and_sort(a in any::<(u32, u32)>(), b in any::<(u32, u32)>()) {
            let of = |(region, counter)| Incarnation { region: RegionId(region), counter };
            let (a, b) = (of(a), of(b));
            prop_assert_eq!(Incarnation::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        }

        #[test]
        fn table_ids_round_trip_and_sort(a in any::<(u64, u32)>(), b in any::<(u64, u32)>()) {
            let of = |(time, origin)| {
                TableId { created: HybridTime::from_u64(time), origin: RegionId(origin) }
            };
            let (a, b) = (of(a), of(b));
            prop_assert_eq!(TableId::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        }
    }
}
