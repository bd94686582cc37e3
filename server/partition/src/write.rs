//! What all single-item writes share: the stored item, the condition, the stamp, the record, the outcome.
//!
//! Each write is decided once, here, at the leader; what it decides is an effect that no replica evaluates
//! again.

use item::operation::{ReturnValues, WriteOptions};
use item::{Error, Item, Key, Outcome};
use storage::{Error as Fatal, Read, Record};
use types::bytes::Malformed;
use types::{HybridTime, KeyHash, Planted, Seen, Version, limits};

use crate::effect::{Effect, Made, Place, Step};
use crate::remembered::{self, Answer, Asked};
use crate::{Home, View};

/// The times that a decision is made at.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The leader's hybrid time, ticked for this command.
    pub now: HybridTime,
    /// The wall clock: only a planted bug stamps by it.
    pub wall_ms: u64,
    /// The partition's floor (`P11`).
    pub floor: HybridTime,
    /// The largest closed time that the leader chose (`P8`).
    pub closed: HybridTime,
}

/// What came of a command at the leader.
#[derive(Debug)]
pub enum Decision<T> {
    /// To be proposed; the answer is given once it is applied.
    Propose {
        /// What the log will carry.
        effect: Effect,
        /// What to say then.
        answer: T,
    },
    /// Nothing to propose; the answer reveals state up to an index and waits for it (0: none).
    Answer {
        /// What to say.
        answer: T,
        /// What must be applied first.
        after: u64,
    },
}

/// The new item that a write wants in the place of the stored one.
pub(crate) struct Wanted {
    /// The item; `None` to delete.
    pub item: Option<Item>,
    /// What the write returns.
    pub returned: Option<Item>,
}

/// What a write asks, whatever its verb.
pub(crate) struct Request<'o> {
    /// Condition and return values.
    pub options: &'o WriteOptions,
    /// What to remember its outcome by.
    pub asked: Option<Asked>,
    /// What the verb itself must know of what is stored.
    pub needs: Needs,
}

/// How much of what is stored a write must know, in ascending order. Reading and decoding for nobody would
/// cost more than all the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Needs {
    /// It is replaced, whatever it is.
    Nothing,
    /// Whether it is there, its version and its history.
    Version,
    /// The item.
    Item,
}

impl Request<'_> {
    fn needs(&self, home: &Home) -> Needs {
        let returns = self.options.return_values != ReturnValues::None;
        if returns || self.options.condition.is_some() {
            return Needs::Item;
        }
        // Where no other region writes, every stored version is below the clock (`P7`), and no history is
        // kept.
        self.needs.max(if home.replicated() { Needs::Version } else { Needs::Nothing })
    }
}

/// Decides a write. `make` builds the item from the stored one, which is absent when nobody looks at it,
/// after the condition held.
pub(crate) fn decide<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    moment: Moment,
    key: Key,
    request: Request<'_>,
    make: impl FnOnce(Option<Item>) -> Result<Wanted, Error>,
) -> Result<Decision<Answer>, Fatal> {
    let needs = request.needs(home);
    let Request { options, asked, .. } = request;
    let place = Place { hash: key.hash, key: key.bytes };
    let remembers = !home.faults.has(Planted::ForgetRequests);
    if let Some(decision) = replay(view, home, place.hash, asked.filter(|_| remembers))? {
        return Ok(decision);
    }
    let seen = match needs {
        Needs::Nothing => crate::view::Seen { record: None, after: 0 },
        Needs::Item | Needs::Version => view.record(home, &place)?,
    };
    let stored = if needs == Needs::Item { stored_item(seen.record.as_ref())? } else { None };
    let wanted = match holds(options, stored.as_ref()) {
        true => make(stored),
        false => {
            let item = if options.return_on_failure { stored.map(Box::new) } else { None };
            Err(Error::ConditionFailed { item })
        }
    };
    let (mut steps, answer) = match wanted {
        Ok(wanted) => {
            let body = wanted.item.as_ref().map(item::codec::encode);
            let step = replace(home, moment, place.clone(), seen.record.as_ref(), body);
            (Vec::from_iter(step), Ok(Outcome::Written(wanted.returned)))
        }
        Err(error) => (Vec::new(), Err(error)),
    };
    if let (Some(Asked { request, digest }), Some(outcome)) = (asked, remembered::encode(&answer)) {
        let expires = moment.now.plus_millis(limits::REQUEST_OUTCOME_MS);
        steps.push(Step::Remember { hash: place.hash, request, expires, digest, outcome });
    }
    Ok(match steps.is_empty() {
        true => Decision::Answer { answer, after: seen.after },
        false => Decision::Propose { effect: Effect { steps }, answer },
    })
}

/// The first answer to a request that was decided before (`P3`).
fn replay<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    hash: KeyHash,
    asked: Option<Asked>,
) -> Result<Option<Decision<Answer>>, Fatal> {
    let Some(Asked { request, digest }) = asked else { return Ok(None) };
    let Some(kept) = view.outcome(home, hash, request)? else { return Ok(None) };
    let answer = match kept.digest == digest {
        true => {
            remembered::decode(&kept.outcome).map_err(|Malformed| Fatal::undecodable("request outcome"))?
        }
        false => Err(Error::RequestMismatch),
    };
    Ok(Some(Decision::Answer { answer, after: kept.index }))
}

fn holds(options: &WriteOptions, stored: Option<&Item>) -> bool {
    let absent = Item::new();
    options.condition.as_ref().is_none_or(|condition| condition.evaluate(stored.unwrap_or(&absent)))
}

/// The item of a record, `None` for a tombstone.
pub(crate) fn stored_item(record: Option<&Record>) -> Result<Option<Item>, Fatal> {
    let Some(body) = record.and_then(|record| record.body.as_ref()) else { return Ok(None) };
    item::codec::decode(body).map(Some).map_err(|_| Fatal::undecodable("record body"))
}

/// The step that puts a body, or a tombstone, in the place of a stored record. A delete of what is absent
/// still leaves a tombstone where there are other regions (`P10`).
pub(crate) fn replace(
    home: &Home,
    moment: Moment,
    place: Place,
    stored: Option<&Record>,
    body: Option<Vec<u8>>,
) -> Option<Step> {
    if !home.replicated() && body.is_none() {
        return stored.map(|_| Step::Erase { place });
    }
    let version =
        Version { time: stamp(home, moment, stored), incarnation: home.incarnation, expired: false };
    let made = home.replicated().then_some(Made { maker: home.incarnation, time: version.time });
    Some(Step::Record { place, record: Record { version, seen: history(home, moment, stored), body }, made })
}

/// The time of a write: above the clock, the stored version, the floor and every closed time, so that an
/// acknowledged local write never loses to what it overwrote and no closed time is broken (`P7`, `P8`,
/// `P11`).
fn stamp(home: &Home, moment: Moment, stored: Option<&Record>) -> HybridTime {
    if home.faults.has(Planted::WallClockStamps) {
        return HybridTime::from_millis(moment.wall_ms);
    }
    let stored = stored.map_or(HybridTime::ZERO, |record| record.version.time);
    moment.now.max(stored.next()).max(moment.floor.next()).max(moment.closed.next())
}

/// What a write has seen (`P9`): the stored record's history and its version, or, above nothing, the floor
/// for every other region (`P11`).
fn history(home: &Home, moment: Moment, stored: Option<&Record>) -> Seen {
    match stored {
        _ if home.faults.has(Planted::OmitSeen) => Seen::new(),
        Some(record) => record.seen.succeeding(record.version, home.incarnation, |of| home.lives(of)),
        None if moment.floor > HybridTime::ZERO => {
            home.others.iter().map(|other| (*other, moment.floor)).collect()
        }
        None => Seen::new(),
    }
}

/// What a put or delete returns of the item that it replaced.
pub(crate) fn returned_old(options: &WriteOptions, stored: Option<Item>) -> Option<Item> {
    match options.return_values {
        ReturnValues::AllOld => stored,
        _ => None,
    }
}
