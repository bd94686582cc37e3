//! What a command turned into: the steps that the raft log carries and every replica applies alike.
//!
//! Stored in the log, so the format is for ever: a version byte, then steps, each behind a tag that is never
//! reused. A step holds everything that applying it needs; applying reads nothing.

use storage::{Record, keys};
use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::{GroupId, HybridTime, Incarnation, KeyHash, RegionId, RequestId, TableId, Version, limits};

/// The steps of one command, applied in order and in one batch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effect {
    /// In order.
    pub steps: Vec<Step>,
}

/// The change that a record leaves behind for other regions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// The region life whose stream brought the record, or our own (`P12`).
    pub maker: Incarnation,
    /// The version's time, or for a derived tombstone the moment of derivation (`P12`).
    pub time: HybridTime,
}

/// A place in the key space of a table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The partition key's hash.
    pub hash: KeyHash,
    /// The encoded key.
    pub key: Vec<u8>,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Puts a record, and a change with it when the table is replicated.
    Record {
        /// Where.
        place: Place,
        /// What.
        record: Record,
        /// Absent in a table of one region.
        made: Option<Made>,
    },
    /// Removes a record without a tombstone: only in a table of one region (`P10`).
    Erase {
        /// Where.
        place: Place,
    },
    /// Remembers a request's outcome (`P3`).
    Remember {
        /// The item's hash, so that the outcome moves with it.
        hash: KeyHash,
        /// The request.
        request: RequestId,
        /// When it may be forgotten.
        expires: HybridTime,
        /// Of what was asked, so that the id is not taken for another write's.
        digest: u64,
        /// As `remembered` encodes it.
        outcome: Vec<u8>,
    },
    /// Forgets outcomes.
    Forget {
        /// Each as remembered.
        outcomes: Vec<(HybridTime, KeyHash, RequestId)>,
    },
    /// Enters a lost local write into the conflict ledger (`P14`).
    Ledger {
        /// Where.
        place: Place,
        /// The local write that lost.
        lost: Record,
        /// The version that replaced it.
        winner: Version,
    },
    /// Marks a ledger entry: a later arrival had seen the lost write after all (`P14`).
    Supersede {
        /// Where.
        place: Place,
        /// The entry.
        lost: Record,
        /// The version that had replaced it.
        winner: Version,
    },
    /// Moves a peer's cursor.
    Cursor {
        /// Which peer.
        peer: RegionId,
        /// Everything up to this index is durable there.
        index: u64,
    },
    /// Begins a round of collection (`P11`).
    Mark {
        /// Tombstones whose change is at or below this are candidates.
        upto: HybridTime,
        /// All must have passed this before they go.
        mark: HybridTime,
    },
    /// Collects tombstones and raises the floor (`P11`).
    Collect {
        /// The partition's floor from here on.
        floor: HybridTime,
        /// Tombstones to remove, with the times of their changes.
        tombstones: Vec<(HybridTime, Place)>,
        /// Index entries whose tombstone has been replaced.
        stale: Vec<(HybridTime, Place)>,
        /// Whether the round is over.
        done: bool,
    },
    /// Removes changes that every peer has and all have passed (`P12`).
    Trim {
        /// Index and ordinal of each.
        changes: Vec<(u64, u32)>,
    },
    /// Splits the partition: its hashes from one on are another's from here on (`P12`).
    Split {
        /// The first of them.
        at: KeyHash,
        /// The other's raft group.
        child: GroupId,
    },
}

/// What a step takes beside keys and records.
const STEP_BYTES: usize = 64;
const FORMAT: u8 = 1;

impl Step {
    /// Whether a step of housekeeping stopped at its limit and left something over.
    pub fn is_full(&self) -> bool {
        match self {
            Step::Forget { outcomes } => outcomes.len() >= limits::COLLECT_KEYS_MAX,
            Step::Trim { changes } => changes.len() >= limits::COLLECT_KEYS_MAX,
            Step::Collect { done, .. } => !done,
            _ => false,
        }
    }
}

impl Effect {
    /// The bytes that the log carries.
    pub fn encode(&self) -> Vec<u8> {
        // What grows is copied each time; only records are large.
        let room: usize = self.steps.iter().map(Step::room).sum();
        let mut out = Vec::with_capacity(room);
        out.push(FORMAT);
        put_varint(&mut out, self.steps.len() as u64);
        for step in &self.steps {
            step.encode(&mut out);
        }
        out
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Effect, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(Malformed);
        }
        let count = reader.count(1)?;
        let steps = (0..count).map(|_| Step::decode(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Effect { steps })
    }
}

impl Place {
    /// Where its record is stored.
    pub fn record_key(&self, table: TableId) -> Vec<u8> {
        keys::record::Key { table, hash: self.hash, key: &self.key }.encode()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hash.0.to_be_bytes());
        put_sized(out, &self.key);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Place, Malformed> {
        Ok(Place { hash: KeyHash(reader.u64()?), key: reader.sized()?.to_vec() })
    }
}

fn put_time(out: &mut Vec<u8>, time: HybridTime) {
    out.extend_from_slice(&time.as_u64().to_be_bytes());
}

fn record(reader: &mut Reader<'_>) -> Result<Record, Malformed> {
    Record::decode(reader.sized()?).map_err(|_| Malformed)
}

fn put_places(out: &mut Vec<u8>, places: &[(HybridTime, Place)]) {
    put_varint(out, places.len() as u64);
    for (time, place) in places {
        put_time(out, *time);
        place.encode(out);
    }
}

fn places(reader: &mut Reader<'_>) -> Result<Vec<(HybridTime, Place)>, Malformed> {
    let count = reader.count(17)?;
    (0..count).map(|_| Ok((reader.time()?, Place::decode(reader)?))).collect()
}

impl Step {
    /// About how many bytes it takes.
    fn room(&self) -> usize {
        match self {
            Step::Record { place, record, .. } => record.bytes() + place.key.len() + STEP_BYTES,
            Step::Remember { outcome, .. } => outcome.len() + STEP_BYTES,
            _ => STEP_BYTES,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Step::Record { place, record, made } => {
                out.push(1);
                place.encode(out);
                put_sized(out, &record.encode());
                out.push(u8::from(made.is_some()));
                if let Some(made) = made {
                    out.extend_from_slice(&made.maker.to_bytes());
                    put_time(out, made.time);
                }
            }
            Step::Erase { place } => {
                out.push(2);
                place.encode(out);
            }
            Step::Remember { hash, request, expires, digest, outcome } => {
                out.push(3);
                out.extend_from_slice(&hash.0.to_be_bytes());
                out.extend_from_slice(&request.0);
                put_time(out, *expires);
                out.extend_from_slice(&digest.to_be_bytes());
                put_sized(out, outcome);
            }
            Step::Forget { outcomes } => {
                out.push(4);
                put_varint(out, outcomes.len() as u64);
                for (expires, hash, request) in outcomes {
                    put_time(out, *expires);
                    out.extend_from_slice(&hash.0.to_be_bytes());
                    out.extend_from_slice(&request.0);
                }
            }
            Step::Ledger { place, lost, winner } => encode_conflict(5, place, lost, *winner, out),
            Step::Supersede { place, lost, winner } => encode_conflict(6, place, lost, *winner, out),
            _ => self.encode_housekeeping(out),
        }
    }

    fn encode_housekeeping(&self, out: &mut Vec<u8>) {
        match self {
            Step::Cursor { peer, index } => {
                out.push(7);
                out.extend_from_slice(&peer.0.to_be_bytes());
                put_varint(out, *index);
            }
            Step::Mark { upto, mark } => {
                out.push(8);
                put_time(out, *upto);
                put_time(out, *mark);
            }
            Step::Collect { floor, tombstones, stale, done } => {
                out.push(9);
                put_time(out, *floor);
                put_places(out, tombstones);
                put_places(out, stale);
                out.push(u8::from(*done));
            }
            Step::Trim { changes } => {
                out.push(10);
                put_varint(out, changes.len() as u64);
                for (index, ordinal) in changes {
                    put_varint(out, *index);
                    put_varint(out, u64::from(*ordinal));
                }
            }
            Step::Split { at, child } => {
                out.push(11);
                out.extend_from_slice(&at.0.to_be_bytes());
                put_varint(out, child.0);
            }
            _ => unreachable!("encoded by the caller"),
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Step, Malformed> {
        Ok(match reader.u8()? {
            1 => {
                let (place, record) = (Place::decode(reader)?, record(reader)?);
                let made = match reader.bool()? {
                    true => Some(Made { maker: reader.incarnation()?, time: reader.time()? }),
                    false => None,
                };
                Step::Record { place, record, made }
            }
            2 => Step::Erase { place: Place::decode(reader)? },
            3 => Step::Remember {
                hash: KeyHash(reader.u64()?),
                request: RequestId(reader.array()?),
                expires: reader.time()?,
                digest: reader.u64()?,
                outcome: reader.sized()?.to_vec(),
            },
            4 => {
                let outcome = |reader: &mut Reader<'_>| {
                    Ok((reader.time()?, KeyHash(reader.u64()?), RequestId(reader.array()?)))
                };
                let count = reader.count(32)?;
                Step::Forget { outcomes: (0..count).map(|_| outcome(reader)).collect::<Result<_, _>>()? }
            }
            5 => {
                let (place, lost) = (Place::decode(reader)?, record(reader)?);
                Step::Ledger { place, lost, winner: reader.version()? }
            }
            6 => {
                let (place, lost) = (Place::decode(reader)?, record(reader)?);
                Step::Supersede { place, lost, winner: reader.version()? }
            }
            7 => Step::Cursor { peer: reader.region()?, index: reader.varint()? },
            8 => Step::Mark { upto: reader.time()?, mark: reader.time()? },
            9 => Step::Collect {
                floor: reader.time()?,
                tombstones: places(reader)?,
                stale: places(reader)?,
                done: reader.bool()?,
            },
            10 => {
                let change = |reader: &mut Reader<'_>| {
                    Ok((reader.varint()?, u32::try_from(reader.varint()?).map_err(|_| Malformed)?))
                };
                let count = reader.count(2)?;
                Step::Trim { changes: (0..count).map(|_| change(reader)).collect::<Result<_, _>>()? }
            }
            11 => Step::Split { at: KeyHash(reader.u64()?), child: GroupId(reader.varint()?) },
            _ => return Err(Malformed),
        })
    }
}

fn encode_conflict(tag: u8, place: &Place, lost: &Record, winner: Version, out: &mut Vec<u8>) {
    out.push(tag);
    place.encode(out);
    put_sized(out, &lost.encode());
    out.extend_from_slice(&winner.to_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(time: u64) -> Version {
        let incarnation = Incarnation { region: RegionId(7), counter: 1 };
        Version { time: HybridTime::from_u64(time), incarnation, expired: false }
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
        let place = (any::<u64>(), bytes()).prop_map(|(hash, key)| Place { hash: KeyHash(hash), key });
        let timed = (any::<u64>().prop_map(HybridTime::from_u64), place.clone());
        let timed = proptest::collection::vec(timed, 0..4);
        let record = (any::<u64>(), proptest::option::of(bytes())).prop_map(|(time, body)| Record {
            version: version(time),
            seen: Default::default(),
            body,
        });
        prop_oneof![
            (place.clone(), record.clone(), any::<bool>()).prop_map(|(place, record, replicated)| {
                let made = Made { maker: record.version.incarnation, time: record.version.time };
                Step::Record { place, record, made: replicated.then_some(made) }
            }),
            place.clone().prop_map(|place| Step::Erase { place }),
            (any::<u64>(), any::<[u8; 16]>(), bytes()).prop_map(|(hash, request, outcome)| Step::Remember {
                hash: KeyHash(hash),
                request: RequestId(request),
                expires: HybridTime::from_u64(hash),
                digest: hash,
                outcome,
            }),
            any::<[u8; 16]>().prop_map(|request| Step::Forget {
                outcomes: vec![(HybridTime::ZERO, KeyHash(3), RequestId(request))]
            }),
            (place.clone(), record.clone(), any::<u64>()).prop_map(|(place, lost, time)| Step::Ledger {
                place,
                lost,
                winner: version(time)
            }),
            (place, record, any::<u64>()).prop_map(|(place, lost, time)| Step::Supersede {
                place,
                lost,
                winner: version(time)
            }),
            any::<(u32, u64)>().prop_map(|(peer, index)| Step::Cursor { peer: RegionId(peer), index }),
            any::<u64>().prop_map(|t| Step::Mark { upto: HybridTime::from_u64(t), mark: HybridTime::MAX }),
            (timed.clone(), timed, any::<bool>()).prop_map(|(tombstones, stale, done)| Step::Collect {
                floor: HybridTime::from_u64(9),
                tombstones,
                stale,
                done
            }),
            proptest::collection::vec(any::<(u64, u32)>(), 0..4).prop_map(|changes| Step::Trim { changes }),
            any::<(u64, u64)>()
                .prop_map(|(at, child)| Step::Split { at: KeyHash(at), child: GroupId(child) }),
        ]
    }

    proptest! {
        #[test]
        fn effects_round_trip(steps in proptest::collection::vec(any_step(), 0..5)) {
            let effect = Effect { steps };
            prop_assert_eq!(Effect::decode(&effect.encode()), Ok(effect));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Effect::decode(&bytes);
            let mut framed = vec![FORMAT];
            framed.extend(bytes);
            let _ = Effect::decode(&framed);
        }
    }
}
