//! Another region's records: the greater version wins, and what loses at home goes on the ledger.
//!
//! It must accept the same record twice, in any order with others, and come to the same result.

use storage::{Error, Read, Record, keys};
use types::{HybridTime, Incarnation, Planted, Version};

use crate::effect::{Effect, Made, Place, Step};
use crate::write::{Decision, Moment};
use crate::{Home, View};

/// A record as a batch brings it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming {
    /// Where it goes.
    pub place: Place,
    /// The record.
    pub record: Record,
    /// The time of its change (`P12`).
    pub time: HybridTime,
}

/// Decides a partition's share of a batch; each place occurs once. The answer tells how many records won, and
/// may be given once everything that they were compared with is committed (`P13`): a record that lost to a
/// local write which a crash then takes back would be lost for good.
pub fn decide<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    moment: Moment,
    maker: Incarnation,
    share: Vec<Incoming>,
    ledger_empty: bool,
) -> Result<Decision<usize>, Error> {
    let mut steps = Vec::new();
    let (mut after, mut won) = (0, 0);
    for incoming in share {
        let stored = view.record(home, &incoming.place)?;
        after = after.max(stored.after);
        if !ledger_empty {
            supersede(view, home, &incoming, &mut steps)?;
        }
        if !wins(home, moment, &incoming.record, stored.record.as_ref()) {
            continue;
        }
        if let Some(lost) = stored.record.filter(|lost| unseen_loss(home, lost, &incoming.record)) {
            let (place, winner) = (incoming.place.clone(), incoming.record.version);
            steps.push(Step::Ledger { place, lost, winner });
        }
        won += 1;
        let made = Some(Made { maker, time: incoming.time });
        steps.push(Step::Record { place: incoming.place, record: incoming.record, made });
    }
    Ok(match steps.is_empty() {
        true => Decision::Answer { answer: won, after },
        false => Decision::Propose { effect: Effect { steps }, answer: won },
    })
}

/// Last writer wins; an absent key counts as deleted at the floor (`P11`).
fn wins(home: &Home, moment: Moment, incoming: &Record, stored: Option<&Record>) -> bool {
    let greater = |stored: Version| match home.faults.has(Planted::TieByTimeOnly) {
        true => incoming.version.time > stored.time,
        false => incoming.version > stored,
    };
    match stored {
        Some(stored) => greater(stored.version),
        None => incoming.version.time > moment.floor,
    }
}

/// Whether a local write is replaced by one whose writer had not seen it (`P14`). Comparing times leaves the
/// `expired` bit out, as `P9` asks.
fn unseen_loss(home: &Home, lost: &Record, winner: &Record) -> bool {
    lost.version.incarnation == home.incarnation
        && winner.version.incarnation.region != home.incarnation.region
        && winner.seen.of(home.incarnation) < lost.version.time
}

/// Marks the entries of a key that an arriving record had seen after all (`P14`).
fn supersede<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    incoming: &Incoming,
    steps: &mut Vec<Step>,
) -> Result<(), Error> {
    let seen = incoming.record.seen.of(home.incarnation);
    if seen == HybridTime::ZERO {
        return Ok(());
    }
    let committed = ledgered(view.engine, home, &incoming.place)?.into_iter();
    let committed = committed.filter(|entry| !entry.superseded).map(|entry| (entry.lost, entry.winner));
    let flying =
        view.overlay.ledgered(&incoming.place).iter().map(|entry| (entry.lost.clone(), entry.winner));
    for (lost, winner) in committed.chain(flying) {
        if lost.version.time <= seen {
            steps.push(Step::Supersede { place: incoming.place.clone(), lost, winner });
        }
    }
    Ok(())
}

/// The committed ledger entries of a key, oldest lost version first.
pub fn ledgered(engine: &impl Read, home: &Home, place: &Place) -> Result<Vec<keys::LedgerEntry>, Error> {
    let bounds = keys::ledger::item(home.table, place.hash, &place.key);
    let mut found = Vec::new();
    storage::engine::each(engine, &bounds, |_, value| {
        found.push(keys::LedgerEntry::decode(value)?);
        Ok(true)
    })?;
    Ok(found)
}
