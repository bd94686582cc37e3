//! What two nodes of a region tell each other of their groups, as it travels: that of all groups together.
//!
//! Each bundle carries the sender's hybrid time, which its receiver merges (`P7`), and names its process, so
//! that a restart is noticed however quick it is (`P5`). One without letters only says that the sender lives.

use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::{GroupId, HybridTime};

const FORMAT: u8 = 2;
const CHECKSUM: usize = 4;

/// Something about one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Letter {
    /// Which.
    pub group: GroupId,
    /// What.
    pub content: Content,
}

/// What a letter says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    /// A message of raft's, in `consensus`'s format and opaque here; raft knows its receiver.
    Raft(Vec<u8>),
    /// The leader, which believes so much, will not tick any more, and whoever believes the same need not
    /// either (`P5`).
    Rest {
        /// Its term.
        term: u64,
        /// Its last entry.
        last: u64,
    },
    /// The leader says that all members hold the log up to an index: nobody will ask for it again.
    Held(u64),
    /// A member asks its leader, under a number of its own, up to where it must have applied the log before
    /// it may read strongly.
    Ask(u64),
    /// Whoever leads must tick again: somebody looks for a leader (`P5`).
    Wake,
    /// The group's share of another region's batch, for its leader to decide, or what became of one: a
    /// message between regions in `global`'s format, carried on.
    Share(Vec<u8>),
    /// The leader's answer, confirmed by a quorum.
    Confirmed {
        /// The number that was asked under.
        number: u64,
        /// Up to where.
        index: u64,
    },
}

const RAFT: u8 = 0;
const HELD: u8 = 1;
const ASK: u8 = 2;
const CONFIRMED: u8 = 3;
const SHARE: u8 = 4;
const REST: u8 = 5;
const WAKE: u8 = 6;

impl Letter {
    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        match &self.content {
            Content::Raft(bytes) | Content::Share(bytes) => bytes.len(),
            Content::Held(_)
            | Content::Ask(_)
            | Content::Confirmed { .. }
            | Content::Rest { .. }
            | Content::Wake => 8,
        }
    }
}

/// Of whom, and when, a bundle is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sender {
    /// Its hybrid time.
    pub time: HybridTime,
    /// Its process: another number after each start.
    pub life: u64,
}

/// Letters as bytes.
pub(crate) fn encode(sender: Sender, letters: &[Letter]) -> Vec<u8> {
    let mut out = vec![FORMAT];
    out.extend_from_slice(&[0; CHECKSUM]);
    put_varint(&mut out, sender.time.as_u64());
    put_varint(&mut out, sender.life);
    put_varint(&mut out, letters.len() as u64);
    for letter in letters {
        put_varint(&mut out, letter.group.0);
        match &letter.content {
            Content::Raft(bytes) => {
                out.push(RAFT);
                put_sized(&mut out, bytes);
            }
            Content::Share(bytes) => {
                out.push(SHARE);
                put_sized(&mut out, bytes);
            }
            Content::Wake => out.push(WAKE),
            Content::Rest { term, last } => {
                out.push(REST);
                put_varint(&mut out, *term);
                put_varint(&mut out, *last);
            }
            Content::Held(index) => {
                out.push(HELD);
                put_varint(&mut out, *index);
            }
            Content::Ask(number) => {
                out.push(ASK);
                put_varint(&mut out, *number);
            }
            Content::Confirmed { number, index } => {
                out.push(CONFIRMED);
                put_varint(&mut out, *number);
                put_varint(&mut out, *index);
            }
        }
    }
    let checksum = crc32fast::hash(&out[1 + CHECKSUM..]);
    out[1..=CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    out
}

/// The inverse of `encode`.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Sender, Vec<Letter>), Malformed> {
    let (header, rest) = bytes.split_first_chunk::<{ 1 + CHECKSUM }>().ok_or(Malformed)?;
    let [format, checksum @ ..] = *header;
    if format != FORMAT || crc32fast::hash(rest) != u32::from_be_bytes(checksum) {
        return Err(Malformed);
    }
    let mut reader = Reader::new(rest);
    let sender = Sender { time: HybridTime::from_u64(reader.varint()?), life: reader.varint()? };
    let letter = |reader: &mut Reader<'_>| {
        let group = GroupId(reader.varint()?);
        let content = match reader.u8()? {
            RAFT => Content::Raft(reader.sized()?.to_vec()),
            SHARE => Content::Share(reader.sized()?.to_vec()),
            WAKE => Content::Wake,
            REST => Content::Rest { term: reader.varint()?, last: reader.varint()? },
            HELD => Content::Held(reader.varint()?),
            ASK => Content::Ask(reader.varint()?),
            CONFIRMED => Content::Confirmed { number: reader.varint()?, index: reader.varint()? },
            _ => return Err(Malformed),
        };
        Ok(Letter { group, content })
    };
    let letters = (0..reader.count(2)?).map(|_| letter(&mut reader)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok((sender, letters))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn letters() -> impl Strategy<Value = Vec<Letter>> {
        let content = prop_oneof![
            any::<Vec<u8>>().prop_map(Content::Raft),
            any::<Vec<u8>>().prop_map(Content::Share),
            any::<u64>().prop_map(Content::Held),
            any::<(u64, u64)>().prop_map(|(term, last)| Content::Rest { term, last }),
            Just(Content::Wake),
            any::<u64>().prop_map(Content::Ask),
            any::<(u64, u64)>().prop_map(|(number, index)| Content::Confirmed { number, index }),
        ];
        let letter = (any::<u64>(), content);
        let letter = letter.prop_map(|(group, content)| Letter { group: GroupId(group), content });
        proptest::collection::vec(letter, 0..5)
    }

    proptest! {
        #[test]
        fn letters_round_trip(time in any::<u64>(), life in any::<u64>(), letters in letters()) {
            let sender = Sender { time: HybridTime::from_u64(time), life };
            prop_assert_eq!(decode(&encode(sender, &letters)), Ok((sender, letters)));
        }

        #[test]
        fn a_flipped_bit_is_refused(
            letters in letters(),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut bytes = encode(Sender { time: HybridTime::from_u64(7), life: 9 }, &letters);
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
