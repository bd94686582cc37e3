//! Runs the golden scripts of `testscripts`.

use std::error::Error;
use std::fmt::Write as _;

use protobuf::Message as _;
use raft::eraftpb::{self, EntryType, MessageType};
use storage::engine::StateName;
use storage::log::LogWrite;
use storage::{Engine, LogBatch};

use super::GROUP;
use super::world::World;
use crate::format::{decode_entry, decode_hard_state, decode_truncated};
use crate::members::{Change, Members, Step};
use crate::{Committed, Ready};

#[derive(goldenscript::Command)]
enum Command {
    /// Creates the group on the disks of these voters.
    Create(Vec<u64>),
    /// Opens a replica whose data stands at an index.
    Open {
        replica: u64,
        #[arg(key, optional)]
        applied: u64,
    },
    Campaign(u64),
    Tick {
        replica: u64,
        times: u32,
    },
    Propose {
        replica: u64,
        data: String,
    },
    /// Collects one ready and appends its batch.
    Ready(u64),
    /// Finishes the oldest sync that was asked for.
    Sync(u64),
    /// Stops a replica, whose disk keeps the first batches of those not synced.
    Crash {
        replica: u64,
        #[arg(key, optional)]
        keep: usize,
    },
    /// Delivers the messages under way to a replica, or all; or only the first few.
    Deliver {
        to: Option<u64>,
        #[arg(key)]
        count: Option<usize>,
    },
    /// Doubles the messages under way to a replica.
    Double {
        to: u64,
    },
    /// Loses the messages under way to a replica.
    Lose {
        to: u64,
    },
    /// Runs the named replicas, or all, until nothing is left to do; messages to others are lost.
    Settle {
        #[arg(optional)]
        only: Vec<u64>,
    },
    Compact {
        replica: u64,
        to: u64,
    },
    /// Loses the entries of a disk's log from an index on, as no disk should.
    Damage {
        replica: u64,
        from: u64,
    },
    Status(u64),
    Log(u64),
    /// Makes a disk on which the group was joined, and opens it.
    Join(u64),
    /// Proposes steps: `voter4`, `learner4`, `remove4`.
    Change {
        replica: u64,
        #[arg(optional)]
        steps: Vec<String>,
    },
    Members(u64),
    Transfer {
        replica: u64,
        to: u64,
    },
    /// Gives a replica the data of another.
    Restore {
        replica: u64,
        from: u64,
    },
}

struct Runner(World);

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        let world = &mut self.0;
        let mut out = String::new();
        match command {
            Command::Create(voters) => *world = World::new(voters, 1),
            Command::Open { replica, applied } => world.open(*replica, *applied)?,
            Command::Campaign(replica) => world.campaign(*replica),
            Command::Tick { replica, times } => (0..*times).for_each(|_| world.tick(*replica)),
            Command::Propose { replica, data } => {
                let index = world.group(*replica).propose(data.clone().into_bytes())?;
                writeln!(out, "accepted at {index}")?;
            }
            Command::Ready(replica) => match world.ready(*replica) {
                None => writeln!(out, "nothing")?,
                Some((ready, batch)) => show_ready(&ready, &batch, &mut out)?,
            },
            Command::Sync(replica) => {
                let before = world.letters.len();
                if !world.sync(*replica) {
                    writeln!(out, "nothing to sync")?;
                }
                for letter in world.letters.iter().skip(before) {
                    writeln!(out, "released {}", message(&letter.bytes)?)?;
                }
            }
            Command::Crash { replica, keep } => world.crash(*replica, *keep),
            Command::Deliver { to, count } => {
                deliver(world, *to, count.unwrap_or(usize::MAX), &mut out)?;
            }
            Command::Double { to } => {
                let copy = |letter: &&crate::Message| letter.to == *to;
                let copies: Vec<_> = world.letters.iter().filter(copy).cloned().collect();
                world.letters.extend(copies);
            }
            Command::Lose { to } => world.letters.retain(|letter| letter.to != *to),
            // Shows only what became committed: what was said on the way is for other scripts.
            Command::Settle { only } => {
                let all: Vec<u64> = world.up().collect();
                for (replica, entry) in world.settle(if only.is_empty() { &all } else { only }) {
                    writeln!(out, "{replica} committed {}", committed(&entry))?;
                }
            }
            Command::Compact { replica, to } => {
                let mut batch = LogBatch::new();
                world.group(*replica).compact(*to, &mut batch)?;
                show_batch(&batch, &mut out)?;
                world.replica(*replica).disk.append(batch)?;
            }
            Command::Damage { replica, from } => damage(world, *replica, *from)?,
            Command::Status(replica) => show_status(world, *replica, &mut out)?,
            Command::Join(replica) => world.join(*replica),
            Command::Change { replica, steps } => {
                let steps = steps.iter().map(|text| step(text)).collect::<Result<_, _>>()?;
                let change = Change { steps };
                let index = world.group(*replica).propose_change(&change)?;
                writeln!(out, "accepted at {index}")?;
            }
            Command::Members(replica) => writeln!(out, "{}", members(&world.group(*replica).members()))?,
            Command::Transfer { replica, to } => world.transfer(*replica, *to),
            Command::Restore { replica, from } => {
                writeln!(out, "{}", if world.restore(*replica, *from) { "wanted" } else { "not wanted" })?;
            }
            Command::Log(replica) => show_log(world, *replica, &mut out)?,
        }
        Ok(out)
    }
}

fn step(text: &str) -> Result<Step, Box<dyn Error>> {
    let (kind, replica) = text.split_at(text.find(char::is_numeric).ok_or("a step names a replica")?);
    let replica = replica.parse()?;
    match kind {
        "voter" => Ok(Step::Voter(replica)),
        "learner" => Ok(Step::Learner(replica)),
        "remove" => Ok(Step::Remove(replica)),
        _ => Err("voter, learner or remove".into()),
    }
}

fn members(members: &Members) -> String {
    let mut out = format!("voters {:?}", members.voters);
    for (name, list) in [
        ("learners", &members.learners),
        ("outgoing", &members.outgoing),
        ("learners next", &members.learners_next),
    ] {
        if !list.is_empty() {
            out.push_str(&format!(" {name} {list:?}"));
        }
    }
    out
}

fn deliver(
    world: &mut World,
    to: Option<u64>,
    mut count: usize,
    out: &mut String,
) -> Result<(), Box<dyn Error>> {
    let mut place = 0;
    while let Some(letter) = world.letters.get(place).filter(|_| count > 0) {
        if to.is_some_and(|to| to != letter.to) {
            place += 1;
            continue;
        }
        writeln!(out, "{}", message(&letter.bytes)?)?;
        world.deliver(place)?;
        count -= 1;
    }
    Ok(())
}

/// Rewrites a disk's log without its end: drops the group and puts its states and first entries back.
fn damage(world: &mut World, replica: u64, from: u64) -> Result<(), Box<dyn Error>> {
    let disk = &world.replica(replica).disk;
    let mut batch = LogBatch::new();
    batch.push(LogWrite::Remove { group: GROUP });
    for name in [StateName::Configuration, StateName::Truncated, StateName::HardState] {
        let value = disk.state(GROUP, name)?.ok_or("no such state")?;
        batch.push(LogWrite::State { group: GROUP, name, value });
    }
    let (first, _) = disk.log_range(GROUP)?.ok_or("no log")?;
    let entries = disk.entries(GROUP, first, from, u64::MAX)?;
    batch.push(LogWrite::Entries { group: GROUP, entries });
    disk.append(batch)?;
    Ok(disk.sync()?)
}

fn show_ready(ready: &Ready, batch: &LogBatch, out: &mut String) -> Result<(), Box<dyn Error>> {
    show_batch(batch, out)?;
    for sent in &ready.messages {
        writeln!(out, "send {}", message(&sent.bytes)?)?;
    }
    if let Some(point) = &ready.restored {
        writeln!(out, "restored {}@{} {}", point.index, point.term, members(&point.members))?;
    }
    for entry in &ready.committed {
        writeln!(out, "committed {}", committed(entry))?;
    }
    for lacking in &ready.lacking {
        writeln!(out, "replica {lacking} lacks what the log no longer holds")?;
    }
    if let Some(number) = ready.sync {
        writeln!(out, "sync as {number}")?;
    }
    Ok(())
}

fn show_batch(batch: &LogBatch, out: &mut String) -> Result<(), Box<dyn Error>> {
    for write in batch.writes() {
        match write {
            LogWrite::Entries { entries, .. } => {
                for stored in entries {
                    writeln!(out, "append {}", entry(&decode_entry(stored)?))?;
                }
            }
            LogWrite::State { name: StateName::HardState, value, .. } => {
                let state = decode_hard_state(value)?;
                writeln!(out, "state term={} vote={} commit={}", state.term, state.vote, state.commit)?;
            }
            LogWrite::State { name: StateName::Truncated, value, .. } => {
                let at = decode_truncated(value)?;
                writeln!(out, "truncated {}@{}", at.index, at.term)?;
            }
            other => writeln!(out, "{other:?}")?,
        }
    }
    Ok(())
}

fn show_log(world: &mut World, replica: u64, out: &mut String) -> Result<(), Box<dyn Error>> {
    let disk = &world.replica(replica).disk;
    if let Some((first, last)) = disk.log_range(GROUP)? {
        for stored in disk.entries(GROUP, first, last + 1, u64::MAX)? {
            writeln!(out, "{}", entry(&decode_entry(&stored)?))?;
        }
    }
    Ok(())
}

fn show_status(world: &mut World, replica: u64, out: &mut String) -> Result<(), Box<dyn Error>> {
    let group = world.group(replica);
    let role = format!("{:?}", group.standing.role).to_lowercase();
    let leader = group.leader().map_or("none".to_owned(), |leader| leader.to_string());
    writeln!(out, "{role} term={} leader={leader} decides={}", group.term(), group.decides())?;
    let (first, last, persisted) = (group.first_index(), group.last_index(), group.persisted_index());
    let (commit, applied) = (group.commit_index(), group.applied_index());
    writeln!(out, "log {first}..{last} persisted={persisted} commit={commit} applied={applied}")?;
    Ok(())
}

/// Index, term and data; an empty entry is shown as `-`.
fn entry(entry: &eraftpb::Entry) -> String {
    if entry.entry_type != EntryType::EntryNormal {
        let change = Change::of_raft_bytes(&entry.data);
        let steps = change.map(|change| change.steps).unwrap_or_default();
        return format!("{}@{} {steps:?}", entry.index, entry.term);
    }
    let data = if entry.data.is_empty() { "-".into() } else { String::from_utf8_lossy(&entry.data) };
    format!("{}@{} {data}", entry.index, entry.term)
}

fn committed(entry: &Committed) -> String {
    if let Some(change) = &entry.change {
        return format!("{}@{} {:?}", entry.index, entry.term, change.steps);
    }
    let data = if entry.data.is_empty() { "-".into() } else { String::from_utf8_lossy(&entry.data) };
    format!("{}@{} {data}", entry.index, entry.term)
}

fn message(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let message = eraftpb::Message::parse_from_bytes(bytes)?;
    let mut out = format!("{}→{} {:?} term={}", message.from, message.to, message.msg_type, message.term);
    match message.msg_type {
        MessageType::MsgAppend => {
            write!(out, " after {}@{}", message.index, message.log_term)?;
            let entries: Vec<String> = message.entries.iter().map(entry).collect();
            write!(out, " commit={} [{}]", message.commit, entries.join(", "))?;
        }
        MessageType::MsgAppendResponse if message.reject => {
            write!(out, " refused {} hint={}@{}", message.index, message.reject_hint, message.log_term)?;
        }
        MessageType::MsgAppendResponse => write!(out, " has {}", message.index)?,
        MessageType::MsgHeartbeat => write!(out, " commit={}", message.commit)?,
        MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => {
            write!(out, " last {}@{}", message.index, message.log_term)?;
        }
        MessageType::MsgRequestVoteResponse | MessageType::MsgRequestPreVoteResponse => {
            out.push_str(if message.reject { " no" } else { " yes" });
        }
        _ => {}
    }
    Ok(out)
}

fn run(name: &str) {
    let path = format!("{}/src/testscripts/{name}", env!("CARGO_MANIFEST_DIR"));
    goldenscript::run(&mut Runner(World::new(&[], 1)), path).unwrap();
}

/// One test for each script.
macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*
    };
}

scripts! {
    compact,
    divergence,
    election,
    election_vote_waits,
    follower_pipelined,
    joint,
    lagging_behind_compaction,
    leader_loss,
    log_lost,
    learner,
    one_voter,
    one_voter_crash,
    one_voter_pipelined,
    replication,
    restore_over_a_divergent_log,
    transfer,
}
