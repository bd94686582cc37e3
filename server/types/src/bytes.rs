//! Reading and writing the small binary formats: varints, length-prefixed bytes and fixed fields.
//!
//! A reader never allocates and never trusts a length: what is not there is `Malformed`.

use crate::{HybridTime, Incarnation, RegionId, Seen, TableId, Version};

/// Bytes that are not what the format says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("malformed bytes")]
pub struct Malformed;

/// Appends a number in 7-bit groups, low ones first (LEB128).
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes behind their length.
pub fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a causal history: the number of entries, then incarnation and time of each, in order.
pub fn put_seen(out: &mut Vec<u8>, seen: &Seen) {
    put_varint(out, seen.len() as u64);
    for (incarnation, time) in seen.iter() {
        out.extend_from_slice(&incarnation.to_bytes());
        out.extend_from_slice(&time.as_u64().to_be_bytes());
    }
}

/// Takes fields off the front of a byte string.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { left: bytes }
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, left) = self.left.split_at_checked(length).ok_or(Malformed)?;
        self.left = left;
        Ok(taken)
    }

    /// The next bytes, as many as the array holds.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, left) = self.left.split_first_chunk::<N>().ok_or(Malformed)?;
        self.left = left;
        Ok(*taken)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// A big-endian number.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A big-endian number.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A varint in its shortest form.
    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || byte == 0 && shift > 0 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    /// A varint that counts things of at least `least_bytes` each, refused when more than could follow.
    pub fn count(&mut self, least_bytes: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        if count > self.left.len() / least_bytes.max(1) { Err(Malformed) } else { Ok(count) }
    }

    /// Bytes behind their length.
    pub fn sized(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        self.take(length)
    }

    /// A bool: 0 or 1.
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    /// A hybrid time.
    pub fn time(&mut self) -> Result<HybridTime, Malformed> {
        Ok(HybridTime::from_u64(self.u64()?))
    }

    /// A region's number.
    pub fn region(&mut self) -> Result<RegionId, Malformed> {
        Ok(RegionId(self.u32()?))
    }

    /// An incarnation.
    pub fn incarnation(&mut self) -> Result<Incarnation, Malformed> {
        Ok(Incarnation::from_bytes(self.array()?))
    }

    /// A table's id.
    pub fn table(&mut self) -> Result<TableId, Malformed> {
        Ok(TableId::from_bytes(self.array()?))
    }

    /// A version.
    pub fn version(&mut self) -> Result<Version, Malformed> {
        Version::from_bytes(self.array()?).ok_or(Malformed)
    }

    /// A causal history, its incarnations ascending.
    pub fn seen(&mut self) -> Result<Seen, Malformed> {
        let count = self.count(16)?;
        let mut seen = Seen::new();
        let mut before = None;
        for _ in 0..count {
            let incarnation = self.incarnation()?;
            if before.is_some_and(|before| before >= incarnation) {
                return Err(Malformed);
            }
            before = Some(incarnation);
            seen.raise(incarnation, self.time()?);
        }
        Ok(seen)
    }

    /// Text behind its length, in UTF-8.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.sized()?).map_err(|_| Malformed)
    }

    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.left
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Refuses what is left over.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.left.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn varints_round_trip_and_are_minimal(value in any::<u64>(), shift in 0u32..64) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert!(reader.is_empty());
            let last = bytes.len() - 1;
            bytes[last] |= 0x80;
            bytes.push(0);
            prop_assert_eq!(Reader::new(&bytes).varint(), Err(Malformed));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = Reader::new(&bytes);
            while reader.varint().is_ok() || reader.seen().is_ok() || reader.sized().is_ok() {}
        }
    }
}
