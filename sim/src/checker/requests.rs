//! A write that a client names happens at most once, and has one outcome (`P3`).

use std::collections::BTreeMap;

use super::Finding;
use crate::history::{self, History, Told, What};

/// Checks a run.
pub fn check(history: &History) -> Finding {
    one_version_per_write(history)?;
    one_outcome_per_request(history)?;
    let mut issued = BTreeMap::new();
    let mut answers = BTreeMap::new();
    for fact in &history.facts {
        match &fact.what {
            What::Issued(request) => {
                issued.insert(request.number, *request);
            }
            What::Told { number, told: Told::Written { .. } | Told::ConditionFailed { .. } } => {
                let Some(request) = issued.get(number).and_then(|issued| issued.request) else { continue };
                let What::Told { told, .. } = fact.what else { continue };
                let done = matches!(told, Told::Written { .. });
                if *answers.entry(request).or_insert(done) != done {
                    return Err(format!("request {number} had two outcomes under {request:?}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn one_version_per_write(history: &History) -> Finding {
    let mut versions = BTreeMap::new();
    for (_, region, applied) in history.applied_once() {
        let Some(marker) = history::marker(&applied.record).filter(|_| history.is_own(region, applied))
        else {
            continue;
        };
        let version = applied.record.version;
        let first = *versions.entry(marker).or_insert(version);
        if first != version {
            return Err(format!("region {region} did write {marker} twice: as {first:?} and as {version:?}"));
        }
    }
    Ok(())
}

fn one_outcome_per_request(history: &History) -> Finding {
    let mut outcomes = BTreeMap::new();
    for fact in &history.facts {
        let What::Remembered { request, version, outcome } = &fact.what else { continue };
        let first = *outcomes.entry(*request).or_insert((version, outcome));
        if first != (version, outcome) {
            let (one, region) = (first.0, fact.region);
            return Err(format!("region {region} remembered {request:?} twice: {one:?} and {version:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::story::Story;
    use super::*;

    #[test]
    fn a_retry_that_gets_the_first_answer_is_right() {
        let mut story = Story::begin();
        story.put_everywhere(0, 0, 5);
        story.remembered(0, 1, Some(5));
        story.acknowledged_under(0, 0, 5, 1);
        story.acknowledged_under(0, 0, 5, 1);
        assert_eq!(check(&story.end()), Ok(()));
    }

    #[test]
    fn a_write_done_twice_is_found() {
        let mut story = Story::begin();
        story.put(0, 0, 5);
        let again = story.record(0, 6, Some(5));
        story.arrive(0, 0, 0, &again);
        assert!(check(&story.end()).unwrap_err().contains("did write 5 twice"));
    }

    #[test]
    fn a_delete_done_twice_is_found() {
        let mut story = Story::begin();
        story.delete(0, 0, 5);
        story.remembered(0, 1, Some(5));
        story.delete(0, 0, 6);
        story.remembered(0, 1, Some(6));
        assert!(check(&story.end()).unwrap_err().contains("remembered"));
    }

    #[test]
    fn two_answers_to_one_request_are_found() {
        let mut story = Story::begin();
        story.acknowledged_under(0, 0, 5, 1);
        story.told_under(0, 0, 5, 1, Told::ConditionFailed { shown: None });
        assert!(check(&story.end()).unwrap_err().contains("two outcomes"));
    }
}
