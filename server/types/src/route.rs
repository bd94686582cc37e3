//! Where a key lives: its 64-bit hash, and ranges of the hash space.
//!
//! The hash is part of every stored key and of the wire between regions, so it never changes.

/// The hash of an encoded partition key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct KeyHash(pub u64);

/// Hashes a partition key in its order-preserving encoding (xxh3, 64 bits, seed 0).
pub fn key_hash(encoded_partition_key: &[u8]) -> KeyHash {
    KeyHash(xxhash_rust::xxh3::xxh3_64(encoded_partition_key))
}

/// A contiguous range of the hash space, both ends included, so that the whole space has a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HashRange {
    /// The first hash of the range.
    pub first: KeyHash,
    /// The last hash of the range.
    pub last: KeyHash,
}

impl HashRange {
    /// The whole hash space.
    pub const ALL: HashRange = HashRange { first: KeyHash(0), last: KeyHash(u64::MAX) };

    /// Whether a hash lies in the range.
    pub fn contains(&self, hash: KeyHash) -> bool {
        self.first <= hash && hash <= self.last
    }

    /// The first hash of its upper half; its only one, if it has no other.
    pub fn middle(&self) -> KeyHash {
        KeyHash(self.first.0 + (self.last.0 - self.first.0).div_ceil(2))
    }

    /// Whether another range begins where this one ends.
    pub fn touches(&self, next: &HashRange) -> bool {
        self.last.0.checked_add(1) == Some(next.first.0)
    }

    /// Whether two ranges share a hash.
    pub fn overlaps(&self, other: &HashRange) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The `index`-th of `count` nearly equal parts of the whole space, in order and without gaps.
    /// Panics when `index >= count`: callers check the count where it enters.
    pub fn part(index: u32, count: u32) -> HashRange {
        assert!(index < count, "part {index} of {count}");
        let edge = |at: u32| ((u128::from(at) << 64) / u128::from(count)) as u64;
        let last = if index + 1 == count { u64::MAX } else { edge(index + 1) - 1 };
        HashRange { first: KeyHash(edge(index)), last: KeyHash(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_tile_the_space() {
        for count in [1, 2, 3, 7, 4096, 1_000_000] {
            assert_eq!(HashRange::part(0, count).first, KeyHash(0));
            assert_eq!(HashRange::part(count - 1, count).last, KeyHash(u64::MAX));
            for index in (1..count).take(5000) {
                assert_eq!(
                    HashRange::part(index, count).first.0,
                    HashRange::part(index - 1, count).last.0 + 1
                );
            }
        }
    }

    #[test]
    fn the_hash_is_fixed_for_ever() {
        assert_eq!(key_hash(b"").0, 0x2d06_8005_38d3_94c2);
        assert_eq!(key_hash(b"meridian"), key_hash(b"meridian"));
    }
}
