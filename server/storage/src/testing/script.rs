//! Golden scripts for engines: each command is one call, its output what the call returned.
//!
//! `put k=v…` · `delete k…` · `delete_range from to` · `get k… [snapshot=n]` · `scan [from=k] [after=k]
//! [to=k] [through=k] [backward=true] [limit=n] [snapshot=n]` · `snapshot n` · `release n` · `flush` ·
//! `append group index@term=data…` · `set_state group name=value` · `state group name` · `compact group to` ·
//! `remove group` · `entries group from to [max_bytes]` · `range group` · `groups` · `sync` · `log_bytes` ·
//! `crash [log_batches=n] [write_batches=n]`. States are `hard`, `configuration`, `truncated`, `clock`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::ops::{Bound, ControlFlow};
use std::path::Path;

use goldenscript::{Argument, ArgumentConsumer, Command, Context};
use types::GroupId;

use super::Machine;
use crate::engine::StateName;
use crate::log::LogWrite;
use crate::memory::Torn;
use crate::{Batch, Direction, Engine, LogBatch, LogEntry, Read};

type Output = Result<String, Box<dyn Error>>;

/// Runs one script on a machine and compares the output with the file's.
pub fn run<M: Machine>(folder: &Path, name: &str, machine: M) -> std::io::Result<()> {
    let mut runner = Runner { machine, snapshots: BTreeMap::new() };
    goldenscript::run(&mut runner, folder.join(name))
}

struct Runner<M: Machine> {
    machine: M,
    snapshots: BTreeMap<String, <M::Engine as Engine>::Snapshot>,
}

impl<M: Machine> goldenscript::Runner for Runner<M> {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &Context) -> Output {
        match command.name.as_str() {
            "put" | "delete" | "delete_range" => self.write(command),
            "get" | "scan" => self.read(command),
            "snapshot" | "release" => self.snapshot(command),
            "flush" => self.machine.engine().flush().map(|()| String::new()).map_err(Into::into),
            "sync" => self.machine.engine().sync().map(|()| String::new()).map_err(Into::into),
            "append" | "set_state" | "compact" | "remove" => self.append(command),
            "entries" | "range" | "state" | "groups" | "log_bytes" => self.look(command),
            "crash" => self.crash(command),
            other => Err(format!("unknown command {other}").into()),
        }
    }
}

impl<M: Machine> Runner<M> {
    fn write(&self, command: &Command) -> Output {
        let mut batch = Batch::new();
        let mut arguments = command.consume_args();
        match command.name.as_str() {
            "put" => {
                for argument in &command.args {
                    let Argument::KeyValue(key, value) = argument else {
                        return Err("want key=value".into());
                    };
                    batch.put(key.clone().into_bytes(), value.clone().into_bytes());
                }
            }
            "delete" => arguments.by_ref().for_each(|key| batch.delete(key.to_string().into_bytes())),
            _ => batch.delete_range(text(&mut arguments)?.into(), text(&mut arguments)?.into()),
        }
        self.machine.engine().write(batch)?;
        Ok(String::new())
    }

    fn read(&self, command: &Command) -> Output {
        let mut arguments = command.consume_args();
        match arguments.take_key("snapshot") {
            None => read_from(self.machine.engine(), &command.name, arguments),
            Some(name) => {
                let snapshot = self.snapshots.get(name).ok_or("no such snapshot")?;
                read_from(snapshot, &command.name, arguments)
            }
        }
    }

    fn snapshot(&mut self, command: &Command) -> Output {
        let name = text(&mut command.consume_args())?.to_owned();
        if command.name == "snapshot" {
            self.snapshots.insert(name, self.machine.engine().snapshot());
        } else {
            self.snapshots.remove(&name).ok_or("no such snapshot")?;
        }
        Ok(String::new())
    }

    fn append(&self, command: &Command) -> Output {
        let mut arguments = command.consume_args();
        let group = GroupId(number(&mut arguments)?);
        let write = match command.name.as_str() {
            "append" => {
                let mut entries = Vec::new();
                while let Some((place, data)) = arguments.next_key() {
                    let (index, term) = place.split_once('@').ok_or("want index@term=data")?;
                    entries.push(LogEntry { index: index.parse()?, term: term.parse()?, data: data.into() });
                }
                LogWrite::Entries { group, entries }
            }
            "set_state" => {
                let (name, value) = arguments.next_key().ok_or("want name=value")?;
                LogWrite::State { group, name: state_name(name)?, value: value.into() }
            }
            "compact" => LogWrite::Compact { group, to: number(&mut arguments)? },
            _ => LogWrite::Remove { group },
        };
        arguments.reject_next()?;
        let mut batch = LogBatch::new();
        batch.push(write);
        self.machine.engine().append(batch)?;
        Ok(String::new())
    }

    fn look(&self, command: &Command) -> Output {
        let engine = self.machine.engine();
        let mut arguments = command.consume_args();
        match command.name.as_str() {
            "groups" => {
                let groups = engine.groups()?.into_iter().map(|group| group.0.to_string());
                return Ok(groups.collect::<Vec<_>>().join(" "));
            }
            "log_bytes" => return Ok(engine.log_bytes().to_string()),
            _ => {}
        }
        let group = GroupId(number(&mut arguments)?);
        match command.name.as_str() {
            "entries" => {
                let (from, to) = (number(&mut arguments)?, number(&mut arguments)?);
                let max_bytes = arguments.next_pos().map_or(Ok(u64::MAX), str::parse)?;
                let mut output = String::new();
                for LogEntry { index, term, data } in engine.entries(group, from, to, max_bytes)? {
                    writeln!(output, "{index}@{term}={}", data.escape_ascii())?;
                }
                Ok(output)
            }
            "range" => Ok(match engine.log_range(group)? {
                Some((first, last)) => format!("{first} to {last}"),
                None => "empty".to_owned(),
            }),
            _ => Ok(match engine.state(group, state_name(text(&mut arguments)?)?)? {
                Some(value) => value.escape_ascii().to_string(),
                None => "none".to_owned(),
            }),
        }
    }

    fn crash(&mut self, command: &Command) -> Output {
        let mut arguments = command.consume_args();
        let mut count = |name| arguments.take_key(name).map_or(Ok(0), str::parse);
        let torn = Torn { log_batches: count("log_batches")?, write_batches: count("write_batches")? };
        arguments.reject_next()?;
        self.snapshots.clear();
        let left = self.machine.crash(torn)?;
        if left == torn { Ok(String::new()) } else { Err(format!("left {left:?}").into()) }
    }
}

fn read_from(source: &impl Read, verb: &str, mut arguments: ArgumentConsumer<'_>) -> Output {
    let mut output = String::new();
    if verb == "get" {
        while let Some(key) = arguments.next_pos() {
            let value = source.get(key.as_bytes())?;
            let value = value.map_or("none".to_owned(), |value| value.escape_ascii().to_string());
            writeln!(output, "{key}: {value}")?;
        }
        return Ok(output);
    }
    let mut take =
        |included: &str, excluded: &str| match (arguments.take_key(included), arguments.take_key(excluded)) {
            (Some(key), _) => Bound::Included(key.as_bytes()),
            (None, Some(key)) => Bound::Excluded(key.as_bytes()),
            (None, None) => Bound::Unbounded,
        };
    let bounds = (take("from", "after"), take("through", "to"));
    let backward = arguments.take_key("backward").map_or(Ok(false), str::parse)?;
    let mut limit = arguments.take_key("limit").map_or(Ok(usize::MAX), str::parse)?;
    arguments.reject_next()?;
    let direction = if backward { Direction::Backward } else { Direction::Forward };
    source.scan(bounds.0, bounds.1, direction, &mut |key, value| {
        let line = writeln!(output, "{}={}", key.escape_ascii(), value.escape_ascii());
        line.expect("a string takes all text");
        limit -= 1;
        if limit == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(output)
}

fn text<'a>(arguments: &mut ArgumentConsumer<'a>) -> Result<&'a str, Box<dyn Error>> {
    arguments.next_pos().ok_or("an argument is missing".into())
}

fn number(arguments: &mut ArgumentConsumer<'_>) -> Result<u64, Box<dyn Error>> {
    Ok(text(arguments)?.parse()?)
}

fn state_name(name: &str) -> Result<StateName, Box<dyn Error>> {
    match name {
        "hard" => Ok(StateName::HardState),
        "configuration" => Ok(StateName::Configuration),
        "truncated" => Ok(StateName::Truncated),
        "clock" => Ok(StateName::ClockCeiling),
        other => Err(format!("unknown state {other}").into()),
    }
}
