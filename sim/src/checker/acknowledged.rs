//! What a client was told stays true: an acknowledged write is there unless a greater version replaced it,
//! and a strong read shows nothing older than what its region had shown or acknowledged before, and nothing
//! uncommitted.

use std::collections::BTreeMap;

use types::{RequestId, Version};

use super::Finding;
use super::accepted::Accepted;
use crate::event::NodeId;
use crate::history::{self, History, Intent, Issued, KeyId, Told, What};

/// Which version a write got, by its marker and by its request id.
struct Writes {
    by_marker: BTreeMap<u64, Version>,
    by_request: BTreeMap<RequestId, Version>,
}

impl Writes {
    fn of(history: &History) -> Self {
        let mut writes = Writes { by_marker: BTreeMap::new(), by_request: BTreeMap::new() };
        for (_, region, applied) in history.applied_once() {
            if history.is_own(region, applied)
                && let Some(marker) = history::marker(&applied.record)
            {
                writes.by_marker.entry(marker).or_insert(applied.record.version);
            }
        }
        for fact in &history.facts {
            if let What::Remembered { request, version: Some(version), .. } = &fact.what {
                writes.by_request.entry(*request).or_insert(*version);
            }
        }
        writes
    }

    fn of_issued(&self, issued: &Issued) -> Option<Version> {
        let by_request = issued.request.and_then(|request| self.by_request.get(&request));
        by_request.or_else(|| self.by_marker.get(&issued.marker)).copied()
    }
}

/// Checks a run.
pub fn check(history: &History) -> Finding {
    let (writes, accepted) = (Writes::of(history), Accepted::of(history));
    let mut shown: BTreeMap<(NodeId, KeyId), Version> = BTreeMap::new();
    let mut issued: BTreeMap<u64, (Issued, Option<Version>)> = BTreeMap::new();
    for fact in &history.facts {
        match fact.what {
            What::Issued(request) => {
                let before = shown.get(&(fact.region, request.key)).copied();
                issued.insert(request.number, (request, before));
            }
            What::Told { number, told } => {
                let Some((request, before)) = issued.get(&number) else { continue };
                let version = match told {
                    Told::Written { shown } => {
                        readable(&writes, request, shown)?;
                        let version = written(&writes, &accepted, history, fact.region, request)?;
                        if version.is_none()
                            && !(request.intent == Intent::Delete && request.request.is_none())
                        {
                            return Err(format!("{request:?} was acknowledged and its write never applied"));
                        }
                        version
                    }
                    Told::Read(marker) => {
                        let version = readable(&writes, request, marker)?;
                        not_older(&accepted, request, version, *before)?;
                        version
                    }
                    Told::ConditionFailed { shown } => {
                        readable(&writes, request, shown)?;
                        None
                    }
                    Told::Refused | Told::Unknown => None,
                };
                if let Some(version) = version {
                    let newest = shown.entry((fact.region, request.key)).or_insert(version);
                    *newest = (*newest).max(version);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The version of an acknowledged write, which must not be missing from its region in the end.
fn written(
    writes: &Writes,
    accepted: &Accepted<'_>,
    history: &History,
    region: NodeId,
    request: &Issued,
) -> Result<Option<Version>, String> {
    let Some(version) = writes.of_issued(request) else { return Ok(None) };
    let held = history.finals[region].records.get(&request.key).map(|record| record.version);
    let there = match held {
        Some(held) => held >= version,
        None => accepted.deleted_since(request.key, version),
    };
    match there {
        true => Ok(Some(version)),
        false => Err(format!("{request:?} was acknowledged as {version:?}; region {region} holds {held:?}")),
    }
}

/// The version of a write that an answer showed: it must have been applied somewhere.
fn readable(writes: &Writes, request: &Issued, marker: Option<u64>) -> Result<Option<Version>, String> {
    let Some(marker) = marker else { return Ok(None) };
    match writes.by_marker.get(&marker) {
        Some(version) => Ok(Some(*version)),
        None => Err(format!("{request:?} showed write {marker}, which no region ever applied")),
    }
}

fn not_older(
    accepted: &Accepted<'_>,
    request: &Issued,
    version: Option<Version>,
    before: Option<Version>,
) -> Finding {
    let Some(before) = before else { return Ok(()) };
    let fresh = match version {
        Some(version) => version >= before,
        None => accepted.deleted_since(request.key, before),
    };
    match fresh {
        true => Ok(()),
        false => Err(format!("{request:?} read {version:?} after {before:?} had been shown or acknowledged")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    #[test]
    fn acknowledged_writes_that_are_there_or_replaced_are_right() {
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        story.acknowledged(0, 0, 5);
        story.put_everywhere(1, 0, 7);
        story.acknowledged(1, 0, 7);
        story.read(0, 0, Some(7));
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_write_that_was_never_applied_is_found() {
        let mut story = Story::begin();
        story.acknowledged(0, 0, 5);
        assert!(check(&story.end()).unwrap_err().contains("never applied"));
    }

    #[test]
    fn a_write_that_is_gone_in_the_end_is_found() {
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        story.acknowledged(0, 0, 5);
        let mut history = story.end();
        history.finals[0].records.clear();
        assert!(check(&history).unwrap_err().contains("holds None"));
    }

    #[test]
    fn a_stale_read_is_found() {
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        story.put_everywhere(0, 0, 7);
        story.acknowledged(0, 0, 7);
        story.read(0, 0, Some(5));
        assert!(check(&story.end()).unwrap_err().contains("read Some"));
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        story.acknowledged(0, 0, 5);
        story.read(0, 0, None);
        assert!(check(&story.end()).unwrap_err().contains("read None"));
    }

    #[test]
    fn a_read_of_what_was_never_committed_is_found() {
        let mut story = Story::begin();
        story.read(0, 0, Some(3));
        assert!(check(&story.end()).unwrap_err().contains("no region ever applied"));
    }
}
