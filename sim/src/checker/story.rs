//! Small histories for the checkers' tests: three regions, two keys, one partition, told step by step.

use storage::Record;
use storage::keys::LedgerEntry;
use types::{
    HashRange, HybridTime, Incarnation, KeyHash, PartitionId, RegionId, RequestId, Seen, TableId, Version,
};

use crate::event::NodeId;
use crate::history::{AppliedKey, COUNTER, Guard, History, Intent, Issued, KeyId, MARKER, Told, What};

use super::store::Stores;

const REGIONS: usize = 3;

/// A history in the making. Times double as markers.
#[derive(Clone)]
pub struct Story {
    history: History,
    index: [u64; REGIONS],
    number: u64,
}

impl Story {
    /// Nothing has happened.
    pub fn begin() -> Self {
        let mut history = History::new((0..REGIONS).map(|node| life(node).region).collect());
        history.set_keys(vec![(KeyHash(1), b"one".to_vec()), (KeyHash(u64::MAX), b"two".to_vec())]);
        Story { history, index: [0; REGIONS], number: 0 }
    }

    /// A record that a region writes; without a marker it is a tombstone.
    pub fn record(&self, writer: NodeId, time: u64, marker: Option<u64>) -> Record {
        let body = marker.map(|marker| {
            let number =
                |value: u64| item::AttributeValue::N(item::Number::parse(&value.to_string()).unwrap());
            let attributes = [(MARKER.to_string(), number(marker)), (COUNTER.to_string(), number(0))];
            item::codec::encode(&attributes.into())
        });
        Record { version: version(writer, time), seen: Seen::new(), body }
    }

    /// A region puts an item, having seen nothing.
    pub fn put(&mut self, region: NodeId, key: KeyId, time: u64) -> Record {
        self.put_seeing(region, key, time, &[])
    }

    /// A region puts an item, having seen others' writes.
    pub fn put_seeing(&mut self, region: NodeId, key: KeyId, time: u64, seen: &[(NodeId, u64)]) -> Record {
        let mut record = self.record(region, time, Some(time));
        record.seen = seen.iter().map(|(of, time)| (life(*of), HybridTime::from_u64(*time))).collect();
        self.arrive(region, region, key, &record);
        record
    }

    /// A region deletes an item.
    pub fn delete(&mut self, region: NodeId, key: KeyId, time: u64) -> Record {
        let record = self.record(region, time, None);
        self.arrive(region, region, key, &record);
        record
    }

    /// A region puts an item and every other one applies it.
    pub fn put_everywhere(&mut self, region: NodeId, key: KeyId, time: u64) {
        let record = self.put(region, key, time);
        self.spread(region, key, &record);
    }

    /// A region deletes an item and every other one applies it.
    pub fn delete_everywhere(&mut self, region: NodeId, key: KeyId, time: u64) {
        let record = self.delete(region, key, time);
        self.spread(region, key, &record);
    }

    fn spread(&mut self, from: NodeId, key: KeyId, record: &Record) {
        for region in (0..REGIONS).filter(|region| *region != from) {
            self.arrive(region, from, key, record);
        }
    }

    /// A region applies a record that `maker` made.
    pub fn arrive(&mut self, region: NodeId, maker: NodeId, key: KeyId, record: &Record) {
        self.index[region] += 1;
        let position = (self.index[region], 0);
        let places = self.history.applied_once();
        let again = places.filter(|(_, at, _)| *at == region).any(|(_, _, known)| known.position == position);
        let applied = AppliedKey {
            key,
            partition: PartitionId::FIRST,
            position,
            record: record.clone(),
            maker: life(maker),
            time: record.version.time,
            again,
        };
        self.add(region, What::Applied(applied));
    }

    /// A region's log begins again after an index.
    pub fn restart_from(&mut self, region: NodeId, index: u64) {
        self.index[region] = index;
        self.add(region, What::Restarted);
    }

    /// A region restarts and repeats its last `count` entries.
    pub fn repeat(&mut self, region: NodeId, count: u64) {
        let entries: Vec<_> = self.history.applied_once().filter(|(_, at, _)| *at == region).collect();
        let last = &entries[entries.len() - count as usize..];
        let last: Vec<_> = last.iter().map(|(_, _, applied)| (*applied).clone()).collect();
        self.restart_from(region, self.index[region] - count);
        for applied in last {
            self.arrive(region, self.history.region_of(applied.maker).unwrap(), applied.key, &applied.record);
        }
    }

    /// A region collects a tombstone.
    pub fn collect(&mut self, region: NodeId, key: KeyId, time: u64) {
        let (partition, time) = (PartitionId::FIRST, HybridTime::from_u64(time));
        self.add(region, What::Collected { partition, key, time, again: false });
    }

    /// A region's floor rises.
    pub fn floor(&mut self, region: NodeId, time: u64) {
        let (partition, last) = (PartitionId::FIRST, HashRange::ALL.last);
        self.add(region, What::Floor { partition, last, floor: HybridTime::from_u64(time) });
    }

    /// A region's log is appended up to an index.
    pub fn appended(&mut self, region: NodeId, last: u64) {
        self.add(region, What::Appended { partition: PartitionId::FIRST, last });
    }

    /// A region receives a closed time.
    pub fn closed(&mut self, region: NodeId, origin: NodeId, time: u64) {
        let closed = shard::observation::ClosedReceived {
            origin: life(origin).region,
            table: TableId::default(),
            range: HashRange::ALL,
            time: HybridTime::from_u64(time),
        };
        self.add(region, What::Closed(closed));
    }

    /// Every region receives a closed time from every other.
    pub fn close_everywhere(&mut self, time: u64) {
        for region in 0..REGIONS {
            for origin in (0..REGIONS).filter(|origin| *origin != region) {
                self.closed(region, origin, time);
            }
        }
    }

    /// A client's put with this marker is acknowledged.
    pub fn acknowledged(&mut self, region: NodeId, key: KeyId, marker: u64) {
        self.exchange(region, key, Intent::Put, marker, None, Told::Written { shown: None });
    }

    /// A client's put is acknowledged under a request id.
    pub fn acknowledged_under(&mut self, region: NodeId, key: KeyId, marker: u64, request: u8) {
        self.told_under(region, key, marker, request, Told::Written { shown: None });
    }

    /// A client's put is answered under a request id.
    pub fn told_under(&mut self, region: NodeId, key: KeyId, marker: u64, request: u8, told: Told) {
        self.exchange(region, key, Intent::Put, marker, Some(RequestId([request; 16])), told);
    }

    /// A client's put is refused.
    pub fn refused(&mut self, region: NodeId, key: KeyId, marker: u64) {
        self.exchange(region, key, Intent::Put, marker, None, Told::Refused);
    }

    /// A client reads an item with this marker, or none.
    pub fn read(&mut self, region: NodeId, key: KeyId, marker: Option<u64>) {
        self.exchange(region, key, Intent::Get, 0, None, Told::Read(marker));
    }

    fn exchange(
        &mut self,
        region: NodeId,
        key: KeyId,
        intent: Intent,
        marker: u64,
        request: Option<RequestId>,
        told: Told,
    ) {
        let issued = Issued { number: 0, key, intent, guard: Guard::Always, marker, request };
        self.ask(region, issued, told);
    }

    /// A client asks for something and is told what came of it.
    pub fn ask(&mut self, region: NodeId, issued: Issued, told: Told) {
        self.number += 1;
        let number = self.number;
        self.add(region, What::Issued(Issued { number, ..issued }));
        self.add(region, What::Told { number, told });
    }

    /// A region remembers an outcome; with a time, of a write that it made then.
    pub fn remembered(&mut self, region: NodeId, request: u8, time: Option<u64>) {
        let version = time.map(|time| version(region, time));
        let (request, outcome) = (RequestId([request; 16]), vec![1]);
        self.add(region, What::Remembered { request, version, outcome });
    }

    /// In the end a region's ledger lists the loss of its write of a time.
    pub fn ledger(&mut self, region: NodeId, key: KeyId, lost: u64, winner: (NodeId, u64), superseded: bool) {
        let entry = LedgerEntry {
            lost: self.record(region, lost, Some(lost)),
            winner: version(winner.0, winner.1),
            superseded,
        };
        self.history.finals[region].ledger.push((key, entry));
    }

    /// The history, ended with every region holding what it applied last.
    pub fn end(self) -> History {
        let mut history = self.history;
        let mut stores = Stores::new(&history);
        history.facts.iter().for_each(|fact| {
            stores.follow(fact);
        });
        let mut finals = history.finals.clone();
        for (region, held) in finals.iter_mut().enumerate() {
            for key in 0..history.keys.len() {
                held.records.extend(stores.stored(region, key).map(|record| (key, record.clone())));
            }
        }
        history.finals = finals;
        history
    }

    fn add(&mut self, region: NodeId, what: What) {
        let at_ns = self.history.facts.len() as u64;
        self.history.add(at_ns, region, what);
    }
}

fn life(node: NodeId) -> Incarnation {
    Incarnation { region: RegionId(node as u32 + 1), counter: 1 }
}

fn version(node: NodeId, time: u64) -> Version {
    Version { time: HybridTime::from_u64(time), incarnation: life(node), expired: false }
}
