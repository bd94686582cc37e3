//! The commands of the other regions and of housekeeping: receive, collect, trim, forget, digest.

use goldenscript::ArgumentConsumer;
use item::Key;
use partition::effect::{Effect, Place, Step};
use partition::receive::{self, Incoming};
use partition::{collect, digest, trim, versions};
use storage::{Record, keys};
use types::{HybridTime, Incarnation};

use crate::notation::{self, Result};
use crate::show::{self, Show};
use crate::world::World;

/// `receive MAKER (VERSION ITEM)… [seen=VERSIONS] [time=TIME] [at=TIME]`; `gone KEY` instead of an item is
/// a tombstone. `seen` and `time` are of all the records.
pub fn receive(world: &mut World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let moment = world.tick(arguments.take_key("at").map(notation::time).transpose()?);
    let seen = arguments.take_key("seen").map(notation::seen).transpose()?.unwrap_or_default();
    let time = arguments.take_key("time").map(notation::time).transpose()?;
    let maker = notation::life(arguments.next_pos().ok_or("a maker is missing")?)?;
    let mut share = Vec::new();
    while let Some(version) = arguments.next_pos() {
        let version = notation::version(version)?;
        let text = arguments.next_pos().ok_or("an item is missing")?;
        let (key, body) = match text.strip_prefix("gone ") {
            Some(key) => (Key::of_key(&world.home.key, &notation::item(key)?)?, None),
            None => {
                let item = notation::item(text)?;
                (Key::of_item(&world.home.key, &item)?, Some(item::codec::encode(&item)))
            }
        };
        let place = Place { hash: key.hash, key: key.bytes };
        let record = Record { version, seen: seen.clone(), body };
        share.push(Incoming { place, record, time: time.unwrap_or(version.time) });
    }
    let mut empty = world.waiting() == 0;
    storage::engine::each(&world.engine, &keys::ledger::table(world.home.table), |_, _| {
        empty = false;
        Ok(false)
    })?;
    let decision = receive::decide(&world.view(), &world.home, moment, maker, share, empty)?;
    Ok(world.take(decision, |_, won| format!("{won} won")))
}

/// `collect passed=TIME [at=TIME]`.
pub fn collect(world: &mut World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let moment = world.tick(arguments.take_key("at").map(notation::time).transpose()?);
    let passed = passed(arguments)?;
    let effect = collect::decide(&world.view(), &world.home, &world.state, passed, moment.now)?;
    Ok(propose(world, effect))
}

/// `trim cursor=INDEX passed=TIME`.
pub fn trim(world: &mut World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let cursor = arguments.take_key("cursor").ok_or("cursor is missing")?.parse()?;
    let effect = trim::decide(&world.engine, &world.home, cursor, passed(arguments)?)?;
    Ok(propose(world, effect))
}

/// `forget [at=TIME]`.
pub fn forget(world: &mut World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let moment = world.tick(arguments.take_key("at").map(notation::time).transpose()?);
    let effect = world.round.decide(&world.engine, &world.home, moment.now)?;
    Ok(propose(world, effect))
}

/// `cursor PEER INDEX`.
pub fn cursor(world: &mut World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let Incarnation { region: peer, .. } = notation::life(arguments.next_pos().ok_or("a peer is missing")?)?;
    let index = arguments.next_pos().ok_or("an index is missing")?.parse()?;
    Ok(world.propose(Effect { steps: vec![Step::Cursor { peer, index }] }))
}

/// `digest [parts=N]`.
pub fn digest(world: &World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let parts = arguments.take_key("parts").map(str::parse).transpose()?.unwrap_or(1);
    let digests = digest::read(&world.engine, world.home.table, world.home.range, parts)?;
    let line = |part: &types::command::PartDigest| {
        format!("{:016x}.. {} live, {:032x}\n", part.range.first.0, part.count, part.digest)
    };
    Ok(digests.iter().map(line).collect())
}

/// `versions [limit=N] [after=KEY]`.
pub fn versions(world: &World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let limit = arguments.take_key("limit").map(str::parse).transpose()?.unwrap_or(usize::MAX);
    let home = &world.home;
    let after = arguments.take_key("after").map(notation::item).transpose()?;
    let after = after.map(|key| item::codec::encode(&key));
    let plan = versions::plan(&home.key, home.range, after.as_deref(), limit)?;
    let (found, more) = versions::read(&world.engine, home.table, &plan)?;
    let mut out = String::new();
    for version in found {
        let key = item::codec::decode(&version.key).map_err(|_| "not a key")?;
        out += &format!("{} at {}, {:016x}\n", show::item(&key), show::time(version.time), version.digest);
    }
    Ok(out + if more { "and more\n" } else { "no more\n" })
}

/// `ledger KEY`.
pub fn ledger(world: &World, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    let key = notation::item(arguments.next_pos().ok_or("a key is missing")?)?;
    let key = Key::of_key(&world.home.key, &key)?;
    let place = Place { hash: key.hash, key: key.bytes };
    let entries = receive::ledgered(&world.engine, &world.home, &place)?;
    let show = Show { home: &world.home };
    let line = |entry: &keys::LedgerEntry| {
        let superseded = if entry.superseded { ", superseded" } else { "" };
        let (lost, winner) = (show::record(&entry.lost), show::version(entry.winner));
        format!("{}: {lost} lost to {winner}{superseded}\n", show.place(&place))
    };
    Ok(entries.iter().map(line).collect())
}

/// `state`: what the leader knows beside the keys.
pub fn state(world: &World) -> String {
    let (state, overlay) = (&world.state, &world.overlay);
    let collecting = state.collecting.map_or("not collecting".to_owned(), |round| {
        format!("collecting up to {}, once past {}", show::time(round.upto), show::time(round.mark))
    });
    let least = overlay.least_stamp().map_or("none".to_owned(), show::time);
    let in_flight = world.waiting();
    assert_eq!(overlay.is_empty(), in_flight == 0, "the overlay holds what is in flight");
    assert_eq!(overlay.is_empty(), overlay.bytes() == 0, "and its bytes");
    let (applied, floor, above) = (state.applied, show::time(state.floor), show::time(overlay.floor()));
    format!(
        "applied {applied}, floor {floor}, {collecting}\nin flight {in_flight}, floor {above}, least {least}"
    )
}

fn passed(arguments: &mut ArgumentConsumer<'_>) -> Result<HybridTime> {
    notation::time(arguments.take_key("passed").ok_or("passed is missing")?)
}

fn propose(world: &mut World, effect: Option<Effect>) -> String {
    effect.map_or("nothing to do".to_owned(), |effect| world.propose(effect))
}
