//! What shards of different regions tell each other.
//!
//! Tags are never reused. A message names the lives it was sent between, so that nothing meant for an earlier
//! life of a table is taken for this one (`P13`).

use partition::effect::Place;
use region::Entry;
use storage::Record;
use types::bytes::{Malformed, Reader, put_sized, put_varint};
use types::{GroupId, HashRange, HybridTime, Incarnation, KeyHash, TableId};

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// Records of one partition.
    Batch(Batch),
    /// What became of a batch.
    Ack(Ack),
    /// Closed times, and reports of those received (`P8`).
    Pulse(Vec<Pulse>),
    /// Tables that the receiver may not know, or not in this state (`P19`).
    Tables(Vec<Entry>),
    /// Entries that the sender has taken in, by table and digest.
    TablesKnown(Vec<(TableId, u64)>),
    /// A creation that the sender refuses: the name is taken.
    TableRefused(TableId),
}

/// Between which lives, and out of which stream, a batch is (`P13`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Origin {
    /// The table, new on re-creation.
    pub table: TableId,
    /// The sender's life.
    pub from: Incarnation,
    /// The receiver's life.
    pub to: Incarnation,
    /// The sender's partition.
    pub segment: GroupId,
    /// The sender's raft term.
    pub term: u64,
    /// The sender's stream in that term: a new one for each start from the cursor.
    pub stream: u64,
    /// The batch's number in its stream.
    pub number: u64,
}

/// A record under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shipped {
    /// Where it goes.
    pub place: Place,
    /// The record.
    pub record: Record,
    /// The time of its change (`P12`).
    pub time: HybridTime,
}

/// Records of one partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Whence.
    pub origin: Origin,
    /// Each place at most once.
    pub records: Vec<Shipped>,
}

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack {
    /// Which batch.
    pub origin: Origin,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every receiving partition has committed its share.
    Committed,
    /// A version is further ahead of the receiver's clock than the bound: held back, not dropped (`P7`).
    Ahead,
    /// Not possible at the moment; nothing was applied for certain.
    Busy,
}

/// What one region tells another of one table, again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pulse {
    /// The table.
    pub table: TableId,
    /// The sender's life.
    pub from: Incarnation,
    /// The receiver's life.
    pub to: Incarnation,
    /// The sender's closed times: nothing of the range at or below the time is still to come.
    pub closed: Vec<(HashRange, HybridTime)>,
    /// The least closed time that the sender has received from each other life.
    pub received: Vec<(Incarnation, HybridTime)>,
}

impl Message {
    /// The message's bytes, without frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Message::Batch(batch) => {
                out.push(1);
                batch.origin.encode(&mut out);
                put_varint(&mut out, batch.records.len() as u64);
                for shipped in &batch.records {
                    out.extend_from_slice(&shipped.place.hash.0.to_be_bytes());
                    put_sized(&mut out, &shipped.place.key);
                    put_sized(&mut out, &shipped.record.encode());
                    out.extend_from_slice(&shipped.time.as_u64().to_be_bytes());
                }
            }
            Message::Ack(ack) => {
                out.push(2);
                ack.origin.encode(&mut out);
                out.push(ack.verdict as u8);
            }
            Message::Pulse(pulses) => {
                out.push(3);
                put_varint(&mut out, pulses.len() as u64);
                pulses.iter().for_each(|pulse| pulse.encode(&mut out));
            }
            Message::Tables(entries) => {
                out.push(4);
                put_varint(&mut out, entries.len() as u64);
                entries.iter().for_each(|entry| put_sized(&mut out, &entry.encode()));
            }
            Message::TablesKnown(known) => {
                out.push(5);
                put_varint(&mut out, known.len() as u64);
                for (table, digest) in known {
                    out.extend_from_slice(&table.to_bytes());
                    out.extend_from_slice(&digest.to_be_bytes());
                }
            }
            Message::TableRefused(table) => {
                out.push(6);
                out.extend_from_slice(&table.to_bytes());
            }
        }
        out
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Message, Malformed> {
        let mut reader = Reader::new(bytes);
        let message = match reader.u8()? {
            1 => {
                let origin = Origin::decode(&mut reader)?;
                Message::Batch(Batch { origin, records: list(&mut reader, 18, shipped)? })
            }
            2 => {
                let origin = Origin::decode(&mut reader)?;
                let verdict = match reader.u8()? {
                    0 => Verdict::Committed,
                    1 => Verdict::Ahead,
                    2 => Verdict::Busy,
                    _ => return Err(Malformed),
                };
                Message::Ack(Ack { origin, verdict })
            }
            3 => Message::Pulse(list(&mut reader, 30, Pulse::decode)?),
            4 => Message::Tables(list(&mut reader, 1, |reader| Entry::decode(reader.sized()?))?),
            5 => Message::TablesKnown(list(&mut reader, 20, |reader| Ok((reader.table()?, reader.u64()?)))?),
            6 => Message::TableRefused(reader.table()?),
            _ => return Err(Malformed),
        };
        reader.finish()?;
        Ok(message)
    }
}

fn list<'a, T>(
    reader: &mut Reader<'a>,
    least_bytes: usize,
    mut one: impl FnMut(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count = reader.count(least_bytes)?;
    (0..count).map(|_| one(reader)).collect()
}

fn shipped(reader: &mut Reader<'_>) -> Result<Shipped, Malformed> {
    let place = Place { hash: KeyHash(reader.u64()?), key: reader.sized()?.to_vec() };
    let record = Record::decode(reader.sized()?).map_err(|_| Malformed)?;
    Ok(Shipped { place, record, time: reader.time()? })
}

impl Origin {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.table.to_bytes());
        out.extend_from_slice(&self.from.to_bytes());
        out.extend_from_slice(&self.to.to_bytes());
        for number in [self.segment.0, self.term, self.stream, self.number] {
            put_varint(out, number);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Origin, Malformed> {
        Ok(Origin {
            table: reader.table()?,
            from: reader.incarnation()?,
            to: reader.incarnation()?,
            segment: GroupId(reader.varint()?),
            term: reader.varint()?,
            stream: reader.varint()?,
            number: reader.varint()?,
        })
    }
}

impl Pulse {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.table.to_bytes());
        out.extend_from_slice(&self.from.to_bytes());
        out.extend_from_slice(&self.to.to_bytes());
        put_varint(out, self.closed.len() as u64);
        for (range, time) in &self.closed {
            for number in [range.first.0, range.last.0, time.as_u64()] {
                out.extend_from_slice(&number.to_be_bytes());
            }
        }
        put_varint(out, self.received.len() as u64);
        for (incarnation, time) in &self.received {
            out.extend_from_slice(&incarnation.to_bytes());
            out.extend_from_slice(&time.as_u64().to_be_bytes());
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Pulse, Malformed> {
        let (table, from, to) = (reader.table()?, reader.incarnation()?, reader.incarnation()?);
        let closed = list(reader, 24, |reader| {
            let range = HashRange { first: KeyHash(reader.u64()?), last: KeyHash(reader.u64()?) };
            if range.first > range.last { Err(Malformed) } else { Ok((range, reader.time()?)) }
        })?;
        let received = list(reader, 16, |reader| Ok((reader.incarnation()?, reader.time()?)))?;
        Ok(Pulse { table, from, to, closed, received })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use types::{RegionId, Version};

    use super::*;

    fn any_origin() -> impl Strategy<Value = Origin> {
        any::<(u64, u32, u64, u64)>().prop_map(|(time, region, segment, number)| {
            let life = |region| Incarnation { region: RegionId(region), counter: 3 };
            Origin {
                table: TableId { created: HybridTime::from_u64(time), origin: RegionId(region) },
                from: life(region),
                to: life(!region),
                segment: GroupId(segment),
                term: number,
                stream: time,
                number: segment,
            }
        })
    }

    fn any_shipped() -> impl Strategy<Value = Shipped> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..3000);
        (any::<u64>(), bytes(), proptest::option::of(bytes())).prop_map(|(number, key, body)| {
            let time = HybridTime::from_u64(number);
            let record =
                Record { version: Version { time, ..Version::default() }, seen: Default::default(), body };
            Shipped { place: Place { hash: KeyHash(number), key }, record, time }
        })
    }

    pub(crate) fn any_message() -> impl Strategy<Value = Message> {
        prop_oneof![
            (any_origin(), proptest::collection::vec(any_shipped(), 0..4))
                .prop_map(|(origin, records)| Message::Batch(Batch { origin, records })),
            any_origin().prop_map(|origin| Message::Ack(Ack { origin, verdict: Verdict::Ahead })),
            proptest::collection::vec(any_origin(), 0..3).prop_map(|origins| {
                let pulse = |origin: Origin| Pulse {
                    table: origin.table,
                    from: origin.from,
                    to: origin.to,
                    closed: vec![(HashRange::ALL, HybridTime::from_u64(origin.number))],
                    received: vec![(origin.to, HybridTime::MAX)],
                };
                Message::Pulse(origins.into_iter().map(pulse).collect())
            }),
            any_origin().prop_map(|origin| Message::TablesKnown(vec![(origin.table, origin.number)])),
            any_origin().prop_map(|origin| Message::TableRefused(origin.table)),
        ]
    }
}
