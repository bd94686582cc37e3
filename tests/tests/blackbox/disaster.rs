//! What kill and power cut have in common: load everywhere, one region struck at a random moment, and the
//! question what is left.

use std::time::Instant;

use blackbox::chance::Chance;
use blackbox::command_line::{meridian, verify};
use blackbox::history::Book;
use blackbox::load::{self, Load};
use blackbox::power;
use blackbox::regions::Regions;

const TABLE: &str = "struck";

/// How a region goes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strike {
    /// Its process is killed; what it handed to the kernel survives.
    Kill,
    /// Its process is killed, and what it had not synced is lost or garbled.
    PowerCut,
    /// The same for all of them at once.
    PowerCutOfAll,
}

/// What rounds of strikes came to.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// What the writers know.
    pub book: Book,
    /// What cannot be explained; empty, unless something was lost.
    pub violations: Vec<String>,
    /// Bytes that power cuts took or garbled.
    pub bytes_lost: u64,
    /// Rounds that were played; the first violation ends them.
    pub rounds: usize,
    /// The longest time from a strike's restart to regions that agree, in milliseconds.
    pub converged_ms_max: u128,
}

/// Plays so many rounds, or until something was lost.
pub async fn strike(regions: &mut Regions, strike: Strike, rounds: usize, chance: &mut Chance) -> Aftermath {
    create(regions).await;
    let mut aftermath = Aftermath::default();
    while aftermath.rounds < rounds && aftermath.violations.is_empty() {
        round(regions, strike, chance, &mut aftermath).await;
        aftermath.rounds += 1;
    }
    assert!(aftermath.book.acknowledged > 0, "no write was ever acknowledged");
    aftermath
}

async fn create(regions: &Regions) {
    let mut words = vec!["table", "create", TABLE, "--key", "id:S", "--partitions", "4"];
    let names = regions.names().join(",");
    words.extend(["--regions", &names]);
    let created = meridian(&regions.endpoint(0), &words).await;
    assert_eq!(created.status, 0, "{created:?}");
}

async fn round(regions: &mut Regions, strike: Strike, chance: &mut Chance, aftermath: &mut Aftermath) {
    let struck = chance.below(regions.count());
    let load = Load::start(regions, TABLE, &aftermath.book, aftermath.rounds, chance);
    // The moment is the point: nothing tells it, so that it falls on every step of a write.
    tokio::time::sleep(chance.between_ms(200, 1500)).await;
    let all = match strike {
        Strike::Kill | Strike::PowerCut => vec![struck],
        Strike::PowerCutOfAll => (0..regions.count()).collect(),
    };
    for struck in &all {
        regions.kill(*struck).await;
    }
    if strike != Strike::Kill {
        aftermath.bytes_lost +=
            all.iter().map(|struck| power::cut(&regions.data(*struck), chance)).sum::<u64>();
    }
    let restarted = regions.restart_all(&all).await;
    load.finish(&mut aftermath.book).await;
    if let Err(last_words) = restarted {
        aftermath.violations.push(last_words);
        return;
    }
    aftermath.violations = load::violations(regions, TABLE, &aftermath.book, Some(struck)).await;
    if aftermath.violations.is_empty() {
        let endpoints: Vec<String> = (0..regions.count()).map(|region| regions.endpoint(region)).collect();
        let start = Instant::now();
        if let Err(differences) = verify(TABLE, &endpoints).await {
            aftermath.violations.push(differences);
            return;
        }
        aftermath.converged_ms_max = aftermath.converged_ms_max.max(start.elapsed().as_millis());
        aftermath.violations = load::violations(regions, TABLE, &aftermath.book, None).await;
    }
}
