//! What a partition has stored, a line for each key, and nothing left out.

use std::ops::{Bound, ControlFlow};

use storage::keys::{self, Bounds, Change, Cursor, LedgerEntry, RequestOutcome};
use storage::memory::Memory;
use storage::{Direction, Read, Record, engine};
use types::Incarnation;

use crate::notation::Result;
use crate::show::{self, Show};
use crate::world::World;

/// The stored keys, all of them or those of one kind.
pub fn lines(world: &World, wanted: Option<&str>) -> Result<String> {
    let (home, partition) = (&world.home, world.home.partition);
    let show = Show { home };
    let kinds: [(&str, Bounds); 6] = [
        ("record", keys::record::table(home.table)),
        ("change", keys::change::partition(partition)),
        ("tombstone", keys::tombstone::partition(partition)),
        ("cursor", keys::cursor::partition(partition)),
        ("request", keys::request::hashes(home.root, home.range)),
        ("ledger", keys::ledger::table(home.table)),
    ];
    let (mut out, mut count) = (String::new(), 0);
    for (kind, bounds) in kinds {
        engine::each(&world.engine, &bounds, |key, value| {
            count += 1;
            if wanted.is_none_or(|wanted| wanted == kind) {
                out += &format!("{kind} {}\n", line(&show, kind, key, value)?);
            }
            Ok(true)
        })?;
    }
    assert_eq!(count, all(&world.engine)?, "a kind of key that the script runner does not know");
    Ok(if out.is_empty() { "nothing\n".to_owned() } else { out })
}

fn line(
    show: &Show<'_>,
    kind: &str,
    key: &[u8],
    value: &[u8],
) -> std::result::Result<String, storage::Error> {
    Ok(match kind {
        "record" => {
            let key = keys::record::Key::decode(key)?;
            format!("{} = {}", show.key(key.hash, key.key), show::record(&Record::decode(value)?))
        }
        "change" => {
            let (key, change) = (keys::change::Key::decode(key)?, Change::decode(value)?);
            let (place, version) = (show.key(change.hash, &change.key), show::version(change.version));
            let (maker, time) = (show::life(change.maker), show::time(change.time));
            format!("{}.{} {place} {version}, made by {maker} at {time}", key.index, key.ordinal)
        }
        "tombstone" => {
            let key = keys::tombstone::Key::decode(key)?;
            let version = show::version(keys::tombstone::decode_value(value)?);
            format!("{} {} {version}", show::time(key.time), show.key(key.hash, key.key))
        }
        "cursor" => {
            let (key, cursor) = (keys::cursor::Key::decode(key)?, Cursor::decode(value)?);
            format!("{} at {}", show::life(Incarnation { region: key.peer, counter: 1 }), cursor.index)
        }
        "request" => {
            let (key, kept) = (keys::request::Key::decode(key)?, RequestOutcome::decode(value)?);
            let (id, expires) = (show::request(key.request), show::time(kept.expires));
            format!("{id} until {expires}: {}", show::kept(&kept.outcome))
        }
        _ => {
            let (key, entry) = (keys::ledger::Key::decode(key)?, LedgerEntry::decode(value)?);
            assert_eq!(key.lost, entry.lost.version, "an entry is under what lost");
            let superseded = if entry.superseded { ", superseded" } else { "" };
            let (lost, winner) = (show::record(&entry.lost), show::version(entry.winner));
            format!("{}: {lost} lost to {winner}{superseded}", show.key(key.hash, key.key))
        }
    })
}

fn all(engine: &Memory) -> Result<usize> {
    let mut count = 0;
    engine.scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward, &mut |_, _| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}
