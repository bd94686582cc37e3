//! Raft's messages between two nodes of a region, as they travel: those of all groups together.
//!
//! Each bundle carries the sender's hybrid time, which its receiver merges (`P7`).

use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::{GroupId, HybridTime};

const FORMAT: u8 = 1;
const CHECKSUM: usize = 4;

/// A message of one group; raft knows its receiver, and whoever carries it need not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Letter {
    /// Whose.
    pub group: GroupId,
    /// In `consensus`'s format, opaque here.
    pub bytes: Vec<u8>,
}

/// Letters as bytes.
pub(crate) fn encode(time: HybridTime, letters: &[Letter]) -> Vec<u8> {
    let mut out = vec![FORMAT];
    out.extend_from_slice(&[0; CHECKSUM]);
    put_varint(&mut out, time.as_u64());
    put_varint(&mut out, letters.len() as u64);
    for letter in letters {
        put_varint(&mut out, letter.group.0);
        put_sized(&mut out, &letter.bytes);
    }
    let checksum = crc32fast::hash(&out[1 + CHECKSUM..]);
    out[1..=CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    out
}

/// The inverse of `encode`.
pub(crate) fn decode(bytes: &[u8]) -> Result<(HybridTime, Vec<Letter>), Malformed> {
    let (header, rest) = bytes.split_first_chunk::<{ 1 + CHECKSUM }>().ok_or(Malformed)?;
    let [format, checksum @ ..] = *header;
    if format != FORMAT || crc32fast::hash(rest) != u32::from_be_bytes(checksum) {
        return Err(Malformed);
    }
    let mut reader = Reader::new(rest);
    let time = HybridTime::from_u64(reader.varint()?);
    let letter = |reader: &mut Reader<'_>| {
        let group = GroupId(reader.varint()?);
        Ok(Letter { group, bytes: reader.sized()?.to_vec() })
    };
    let letters = (0..reader.count(2)?).map(|_| letter(&mut reader)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok((time, letters))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn letters() -> impl Strategy<Value = Vec<Letter>> {
        let letter = (any::<u64>(), any::<Vec<u8>>());
        let letter = letter.prop_map(|(group, bytes)| Letter { group: GroupId(group), bytes });
        proptest::collection::vec(letter, 0..5)
    }

    proptest! {
        #[test]
        fn letters_round_trip(time in any::<u64>(), letters in letters()) {
            let time = HybridTime::from_u64(time);
            prop_assert_eq!(decode(&encode(time, &letters)), Ok((time, letters)));
        }

        #[test]
        fn a_flipped_bit_is_refused(
            letters in letters(),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut bytes = encode(HybridTime::from_u64(7), &letters);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(decode(&bytes), Err(Malformed));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
            let mut whole = vec![FORMAT];
            whole.extend(crc32fast::hash(&bytes).to_be_bytes());
            whole.extend(&bytes);
            let _ = decode(&whole);
        }
    }
}
