//! The bytes of a message on a link: format, checksum, length, and compression where it pays.
//!
//! Nothing is decoded before its checksum matched, and nothing is inflated past the length it announced.

use types::limits;

use crate::message::Message;

const FORMAT: u8 = 1;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
const HEADER: usize = 10;
const COMPRESS_FROM: usize = 4096;
const COMPRESSION_LEVEL: i32 = 1;

/// Why bytes from a link were refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The header is cut short or of another format.
    #[error("not a frame of format {FORMAT}")]
    Format,
    /// Longer than any message may be.
    #[error("a message of {length} bytes: the limit is {limit}", limit = limits::LINK_MESSAGE_BYTES_MAX)]
    TooLong {
        /// Its announced length.
        length: usize,
    },
    /// Damaged on the way.
    #[error("checksum mismatch")]
    Checksum,
    /// The checksum is right and the message is not.
    #[error("malformed message")]
    Malformed,
}

/// A message as bytes.
pub fn encode(message: &Message) -> Vec<u8> {
    let plain = message.encode();
    let packed = match plain.len() >= COMPRESS_FROM {
        true => {
            zstd::bulk::compress(&plain, COMPRESSION_LEVEL).ok().filter(|packed| packed.len() < plain.len())
        }
        false => None,
    };
    let (kind, payload) = match &packed {
        Some(packed) => (ZSTD, packed),
        None => (PLAIN, &plain),
    };
    let mut out = Vec::with_capacity(HEADER + payload.len());
    out.extend_from_slice(&[FORMAT, kind]);
    out.extend_from_slice(&(plain.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(payload).to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// The inverse of `encode`.
pub fn decode(bytes: &[u8]) -> Result<Message, Refused> {
    let (header, payload) = bytes.split_first_chunk::<HEADER>().ok_or(Refused::Format)?;
    let [format, kind, a, b, c, d, crc @ ..] = *header;
    if format != FORMAT {
        return Err(Refused::Format);
    }
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > limits::LINK_MESSAGE_BYTES_MAX {
        return Err(Refused::TooLong { length });
    }
    if crc32fast::hash(payload) != u32::from_be_bytes(crc) {
        return Err(Refused::Checksum);
    }
    let message = match kind {
        PLAIN if payload.len() == length => Message::decode(payload),
        ZSTD => {
            let plain = zstd::bulk::decompress(payload, length).map_err(|_| Refused::Malformed)?;
            if plain.len() != length {
                return Err(Refused::Malformed);
            }
            Message::decode(&plain)
        }
        _ => return Err(Refused::Malformed),
    };
    message.map_err(|_| Refused::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::tests::any_message;

    proptest! {
        #[test]
        fn frames_round_trip(message in any_message()) {
            prop_assert_eq!(decode(&encode(&message)), Ok(message));
        }

        #[test]
        fn a_flipped_bit_is_refused(
            message in any_message(),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut bytes = encode(&message);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes) != Ok(message));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
            let mut framed = vec![FORMAT, PLAIN];
            framed.extend((bytes.len() as u32).to_be_bytes());
            framed.extend(crc32fast::hash(&bytes).to_be_bytes());
            framed.extend(&bytes);
            let _ = decode(&framed);
        }
    }
}
