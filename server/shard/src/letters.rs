//! What two nodes of a region tell each other of their groups, as it travels: that of all groups together.
//!
//! Each bundle carries the sender's hybrid time, which its receiver merges (`P7`), and names its process, so
//! that a restart is noticed however quick it is (`P5`). One without letters only says that the sender lives.

use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::command::{DiskFigures, HotPartition, NodeFigures, PartitionLoad};
use types::{GroupId, HybridTime, KeyHash};

use crate::fetch;
use crate::supply::Chunk;

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
    /// A replica that comes asks its leader for the data that follow a key.
    Pull {
        /// Its number for the whole.
        transfer: u64,
        /// Its raft id.
        replica: u64,
        /// The last key that it has.
        after: Vec<u8>,
    },
    /// A piece of a group's data.
    Chunk(Box<Chunk>),
    /// The leader's log begins here, and the replica lacks what went before: it must be given data.
    Lack {
        /// Its raft id.
        replica: u64,
        /// The first index of the leader's log.
        first: u64,
    },
    /// The receiver was removed from the region, and has not heard of it.
    Removed,
    /// The leader tells the catalog's who the members are, because they are those that the catalog wants.
    Settled(Vec<u64>),
    /// A leader tells the catalog's that its partition has grown too much, and where half of it lies.
    Grown(KeyHash),
    /// A leader asks under a number of its own whether the receiver's replica is of its term.
    Lead {
        /// The number.
        number: u64,
        /// Its term.
        term: u64,
    },
    /// It is.
    Follow(u64),
    /// A leader tells the catalog's what its partition decides.
    Load(PartitionLoad),
    /// A node tells another of itself.
    Figures(Box<NodeFigures>),
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
const PULL: u8 = 7;
const CHUNK: u8 = 8;
const SETTLED: u8 = 9;
const LACK: u8 = 10;
const REMOVED: u8 = 11;
const LOAD: u8 = 12;
const LEAD: u8 = 13;
const FOLLOW: u8 = 14;
const GROWN: u8 = 15;
const FIGURES: u8 = 16;

impl Letter {
    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        match &self.content {
            Content::Raft(bytes) | Content::Share(bytes) => bytes.len(),
            Content::Chunk(chunk) => {
                chunk.pairs.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() + 8
            }
            Content::Pull { after, .. } => after.len() + 8,
            Content::Settled(members) => 8 * members.len(),
            Content::Figures(figures) => 64 + 16 * figures.hottest.len(),
            Content::Held(_)
            | Content::Ask(_)
            | Content::Confirmed { .. }
            | Content::Rest { .. }
            | Content::Lack { .. }
            | Content::Load(_)
            | Content::Grown(_)
            | Content::Lead { .. }
            | Content::Follow(_)
            | Content::Removed
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
        put_content(&mut out, &letter.content);
    }
    let checksum = crc32fast::hash(&out[1 + CHECKSUM..]);
    out[1..=CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    out
}

fn put_content(out: &mut Vec<u8>, content: &Content) {
    match content {
        Content::Raft(bytes) => {
            out.push(RAFT);
            put_sized(out, bytes);
        }
        Content::Share(bytes) => {
            out.push(SHARE);
            put_sized(out, bytes);
        }
        Content::Pull { transfer, replica, after } => {
            put_numbers(out, PULL, &[*transfer, *replica]);
            put_sized(out, after);
        }
        Content::Chunk(chunk) => {
            out.push(CHUNK);
            put_chunk(out, chunk);
        }
        Content::Settled(members) => {
            put_numbers(out, SETTLED, &[members.len() as u64]);
            members.iter().for_each(|member| put_varint(out, *member));
        }
        Content::Load(load) => put_load(out, *load),
        Content::Figures(figures) => put_figures(out, figures),
        Content::Grown(at) => put_numbers(out, GROWN, &[at.0]),
        Content::Wake => out.push(WAKE),
        Content::Removed => out.push(REMOVED),
        Content::Lack { replica, first } => put_numbers(out, LACK, &[*replica, *first]),
        Content::Lead { number, term } => put_numbers(out, LEAD, &[*number, *term]),
        Content::Follow(number) => put_numbers(out, FOLLOW, &[*number]),
        Content::Rest { term, last } => put_numbers(out, REST, &[*term, *last]),
        Content::Held(index) => put_numbers(out, HELD, &[*index]),
        Content::Ask(number) => put_numbers(out, ASK, &[*number]),
        Content::Confirmed { number, index } => put_numbers(out, CONFIRMED, &[*number, *index]),
    }
}

fn put_numbers(out: &mut Vec<u8>, tag: u8, numbers: &[u64]) {
    out.push(tag);
    numbers.iter().for_each(|number| put_varint(out, *number));
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
            REMOVED => Content::Removed,
            PULL => Content::Pull {
                transfer: reader.varint()?,
                replica: reader.varint()?,
                after: reader.sized()?.to_vec(),
            },
            LACK => Content::Lack { replica: reader.varint()?, first: reader.varint()? },
            CHUNK => Content::Chunk(Box::new(chunk(reader)?)),
            SETTLED => {
                let count = reader.count(1)?;
                Content::Settled((0..count).map(|_| reader.varint()).collect::<Result<_, _>>()?)
            }
            REST => Content::Rest { term: reader.varint()?, last: reader.varint()? },
            LOAD => Content::Load(load(reader)?),
            GROWN => Content::Grown(KeyHash(reader.varint()?)),
            LEAD => Content::Lead { number: reader.varint()?, term: reader.varint()? },
            FOLLOW => Content::Follow(reader.varint()?),
            FIGURES => Content::Figures(Box::new(figures(reader)?)),
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

fn put_load(out: &mut Vec<u8>, PartitionLoad { per_second, middle }: PartitionLoad) {
    out.push(LOAD);
    put_varint(out, per_second);
    out.push(u8::from(middle.is_some()));
    put_varint(out, middle.map_or(0, |hash| hash.0));
}

fn load(reader: &mut Reader<'_>) -> Result<PartitionLoad, Malformed> {
    let (per_second, known, hash) = (reader.varint()?, reader.bool()?, reader.varint()?);
    Ok(PartitionLoad { per_second, middle: known.then_some(KeyHash(hash)) })
}

fn put_figures(out: &mut Vec<u8>, figures: &NodeFigures) {
    out.push(FIGURES);
    let NodeFigures { leads, resting, log_bytes, disk, hottest } = figures;
    [*leads, *resting, *log_bytes].into_iter().for_each(|figure| put_varint(out, figure));
    out.push(u8::from(disk.is_some()));
    if let Some(DiskFigures { total_bytes, free_bytes, needed_bytes, nearly_full }) = disk {
        [*total_bytes, *free_bytes, *needed_bytes].into_iter().for_each(|bytes| put_varint(out, bytes));
        out.push(u8::from(*nearly_full));
    }
    put_varint(out, hottest.len() as u64);
    for HotPartition { partition, per_second, one_key } in hottest {
        put_varint(out, partition.0);
        put_varint(out, *per_second);
        out.push(u8::from(*one_key));
    }
}

fn figures(reader: &mut Reader<'_>) -> Result<NodeFigures, Malformed> {
    let (leads, resting, log_bytes) = (reader.varint()?, reader.varint()?, reader.varint()?);
    let disk = |reader: &mut Reader<'_>| {
        let (total_bytes, free_bytes, needed_bytes) = (reader.varint()?, reader.varint()?, reader.varint()?);
        Ok(DiskFigures { total_bytes, free_bytes, needed_bytes, nearly_full: reader.bool()? })
    };
    let disk = reader.bool()?.then(|| disk(reader)).transpose()?;
    let hot = |reader: &mut Reader<'_>| {
        let (partition, per_second) = (GroupId(reader.varint()?), reader.varint()?);
        Ok(HotPartition { partition, per_second, one_key: reader.bool()? })
    };
    let hottest = (0..reader.count(3)?).map(|_| hot(reader)).collect::<Result<_, _>>()?;
    Ok(NodeFigures { leads, resting, log_bytes, disk, hottest })
}

fn put_chunk(out: &mut Vec<u8>, chunk: &Chunk) {
    put_varint(out, chunk.transfer);
    put_sized(out, &chunk.after);
    put_varint(out, chunk.pairs.len() as u64);
    for (key, value) in &chunk.pairs {
        put_sized(out, key);
        put_sized(out, value);
    }
    out.push(u8::from(chunk.end.is_some()));
    if let Some(end) = &chunk.end {
        put_sized(out, &fetch::encode(end));
    }
}

fn chunk(reader: &mut Reader<'_>) -> Result<Chunk, Malformed> {
    let (transfer, after) = (reader.varint()?, reader.sized()?.to_vec());
    let pair = |reader: &mut Reader<'_>| Ok((reader.sized()?.to_vec(), reader.sized()?.to_vec()));
    let pairs = (0..reader.count(2)?).map(|_| pair(reader)).collect::<Result<_, _>>()?;
    let end = reader.bool()?.then(|| fetch::decode(reader.sized()?)).transpose()?;
    Ok(Chunk { transfer, after, pairs, end })
}

#[cfg(test)]
mod tests {
    use consensus::Members;
    use proptest::prelude::*;
    use storage::keys::PartitionState;

    use super::*;
    use crate::supply::End;

    fn chunk() -> impl Strategy<Value = Content> {
        let pairs = any::<Vec<(Vec<u8>, Vec<u8>)>>();
        let parts = (any::<u64>(), any::<Vec<u8>>(), pairs, any::<Option<u64>>());
        parts.prop_map(|(transfer, after, pairs, end)| {
            let end = end.map(|applied| End {
                state: PartitionState { applied, ..PartitionState::default() },
                members: Members::of_voters(&[1, 70_000]),
            });
            Content::Chunk(Box::new(Chunk { transfer, after, pairs, end }))
        })
    }

    fn figures() -> impl Strategy<Value = Content> {
        let disk = any::<Option<(u64, u64, u64, bool)>>();
        let hottest = any::<Vec<(u64, u64, bool)>>();
        let parts = (any::<(u64, u64, u64)>(), disk, hottest);
        parts.prop_map(|((leads, resting, log_bytes), disk, hottest)| {
            let disk = disk.map(|(total_bytes, free_bytes, needed_bytes, nearly_full)| DiskFigures {
                total_bytes,
                free_bytes,
                needed_bytes,
                nearly_full,
            });
            let hot = |(partition, per_second, one_key)| HotPartition {
                partition: GroupId(partition),
                per_second,
                one_key,
            };
            let hottest = hottest.into_iter().map(hot).collect();
            Content::Figures(Box::new(NodeFigures { leads, resting, log_bytes, disk, hottest }))
        })
    }

    fn letters() -> impl Strategy<Value = Vec<Letter>> {
        let content = prop_oneof![
            any::<Vec<u8>>().prop_map(Content::Raft),
            any::<Vec<u8>>().prop_map(Content::Share),
            any::<u64>().prop_map(Content::Held),
            any::<(u64, u64)>().prop_map(|(term, last)| Content::Rest { term, last }),
            Just(Content::Wake),
            Just(Content::Removed),
            any::<u64>().prop_map(Content::Ask),
            any::<u64>().prop_map(|at| Content::Grown(KeyHash(at))),
            any::<(u64, u64)>().prop_map(|(number, term)| Content::Lead { number, term }),
            any::<u64>().prop_map(Content::Follow),
            any::<(u64, Option<u64>)>().prop_map(|(per_second, middle)| {
                Content::Load(PartitionLoad { per_second, middle: middle.map(KeyHash) })
            }),
            any::<(u64, u64)>().prop_map(|(replica, first)| Content::Lack { replica, first }),
            any::<Vec<u64>>().prop_map(Content::Settled),
            any::<(u64, u64, Vec<u8>)>().prop_map(|(transfer, replica, after)| Content::Pull {
                transfer,
                replica,
                after
            }),
            chunk(),
            figures(),
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
