//! How scripts show decisions: steps, records, answers and pages.
//!
//! Encoded keys are shown as the attributes they are of, after a check that they are where these belong.

use item::outcome::Page;
use item::{Error, Item, Key, Outcome, json, key};
use partition::effect::{Place, Step};
use partition::{Home, remembered};
use storage::Record;
use types::{HybridTime, Incarnation, KeyHash, RequestId, Seen, Version};

/// Shows what belongs to a table.
pub struct Show<'a> {
    pub home: &'a Home,
}

impl Show<'_> {
    /// One step of an effect.
    pub fn step(&self, step: &Step) -> String {
        match step {
            Step::Record { place, record: put, made } => {
                let made = made.map_or(String::new(), |made| {
                    format!(", made by {} at {}", life(made.maker), time(made.time))
                });
                format!("record {} = {}{made}", self.place(place), record(put))
            }
            Step::Erase { place } => format!("erase {}", self.place(place)),
            Step::Remember { request: id, expires, outcome, .. } => {
                format!("remember {} until {}: {}", request(*id), time(*expires), kept(outcome))
            }
            Step::Forget { outcomes } => {
                let ids: Vec<_> = outcomes.iter().map(|(_, _, id)| request(*id)).collect();
                format!("forget {}", ids.join(" "))
            }
            Step::Ledger { place, lost, winner } => {
                format!("ledger {}: {} lost to {}", self.place(place), record(lost), version(*winner))
            }
            Step::Supersede { place, lost, winner } => {
                format!("supersede {}: {} lost to {}", self.place(place), record(lost), version(*winner))
            }
            Step::Cursor { peer, index } => {
                format!("cursor {} at {index}", life(Incarnation { region: *peer, counter: 1 }))
            }
            Step::Mark { upto, mark } => format!("mark up to {}, once past {}", time(*upto), time(*mark)),
            Step::Collect { floor, tombstones, stale, done } => {
                let end = if *done { ", done" } else { "" };
                let (tombstones, stale) = (self.timed(tombstones), self.timed(stale));
                format!("collect floor {}, tombstones [{tombstones}], stale [{stale}]{end}", time(*floor))
            }
            Step::Trim { changes } => {
                let places = changes.iter().map(|(index, ordinal)| format!("{index}.{ordinal}"));
                format!("trim {}", places.collect::<Vec<_>>().join(" "))
            }
            Step::Split { at, child } => format!("split at {:016x} for {}", at.0, child.0),
        }
    }

    /// A place, by its key's attributes.
    pub fn place(&self, place: &Place) -> String {
        self.key(place.hash, &place.key)
    }

    /// An encoded key, by its attributes.
    pub fn key(&self, hash: KeyHash, bytes: &[u8]) -> String {
        let attributes = key::decode(&self.home.key, bytes).expect("an encoded key");
        let key = Key::of_key(&self.home.key, &attributes).expect("attributes of a key");
        assert_eq!(key.hash, hash, "{attributes:?} is not where its hash says");
        item(&attributes)
    }

    fn timed(&self, places: &[(HybridTime, Place)]) -> String {
        let shown = places.iter().map(|(at, place)| format!("{} at {}", self.place(place), time(*at)));
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// A request outcome as it is kept.
pub fn kept(outcome: &[u8]) -> String {
    answer(&remembered::decode(outcome).expect("a kept outcome"))
}

/// What a write is answered with.
pub fn answer(answer: &remembered::Answer) -> String {
    match answer {
        Ok(Outcome::Written(None)) => "written".to_owned(),
        Ok(Outcome::Written(Some(returned))) => format!("written, returns {}", item(returned)),
        Ok(other) => format!("{other:?}"),
        Err(Error::ConditionFailed { item: Some(stored) }) => format!("condition failed on {}", item(stored)),
        Err(Error::ConditionFailed { item: None }) => "condition failed".to_owned(),
        Err(error) => format!("refused: {error}"),
    }
}

/// A page of a query or scan: an item a line, then the counts.
pub fn page(page: &Page) -> String {
    let mut out: String = page.items.iter().map(|found| item(found) + "\n").collect();
    out += &format!("{} of {}", page.count, page.scanned);
    if let Some(last) = &page.last {
        out += &format!(", more after {}", item(last));
    }
    out
}

/// Version, history and body.
pub fn record(record: &Record) -> String {
    let body = match &record.body {
        Some(body) => item(&item::codec::decode(body).expect("a body")),
        None => "gone".to_owned(),
    };
    format!("{} {body}{}", version(record.version), history(&record.seen))
}

fn history(seen: &Seen) -> String {
    let parts =
        seen.iter().map(|(incarnation, at)| version(Version { time: at, incarnation, expired: false }));
    match seen.is_empty() {
        true => String::new(),
        false => format!(" having seen {}", parts.collect::<Vec<_>>().join("/")),
    }
}

/// An item as plain JSON.
pub fn item(item: &Item) -> String {
    json::plain::write_item(item).to_string()
}

/// As `notation` reads it.
pub fn version(version: Version) -> String {
    let expired = if version.expired { "-expired" } else { "" };
    format!("{}@{}{expired}", time(version.time), life(version.incarnation))
}

/// As `notation` reads it.
pub fn time(time: HybridTime) -> String {
    match time.as_u64() & 0xffff {
        0 => time.millis().to_string(),
        logic => format!("{}.{logic}", time.millis()),
    }
}

/// As `notation` reads it.
pub fn life(life: Incarnation) -> String {
    let letter = char::from(b'a' + (life.region.0 as u8 - 1));
    if life.counter == 1 { letter.to_string() } else { format!("{letter}{}", life.counter) }
}

/// As `notation` reads it.
pub fn request(request: RequestId) -> String {
    u128::from_be_bytes(request.0).to_string()
}
