//! raft-rs's log lines as tracing events.
//!
//! Its debug and trace lines are dropped: they hold whole messages and entries, hence item values, and
//! timeouts of its own drawing that differ from run to run. Its informative lines speak of each election of
//! each group: debug for us.

use std::fmt;

use slog::{Drain, KV, Key, Level, Logger, Never, OwnedKVList, Record, Serializer, o};
use types::GroupId;

/// The logger of one group.
pub fn logger(group: GroupId) -> Logger {
    Logger::root(Bridge, o!("group" => group.0))
}

struct Bridge;

impl Drain for Bridge {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, context: &OwnedKVList) -> Result<(), Never> {
        let line = Line { record, context };
        match record.level() {
            Level::Critical | Level::Error => tracing::error!(target: "raft", "{line}"),
            Level::Warning => tracing::warn!(target: "raft", "{line}"),
            Level::Info => tracing::debug!(target: "raft", "{line}"),
            Level::Debug | Level::Trace => {}
        }
        Ok(())
    }
}

/// A record as text: the message, then its values and its logger's.
struct Line<'a> {
    record: &'a Record<'a>,
    context: &'a OwnedKVList,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.record.msg())?;
        let mut values = Values(f);
        self.record.kv().serialize(self.record, &mut values).map_err(|_| fmt::Error)?;
        self.context.serialize(self.record, &mut values).map_err(|_| fmt::Error)
    }
}

struct Values<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Serializer for Values<'_, '_> {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        Ok(write!(self.0, ", {key}: {value}")?)
    }
}
