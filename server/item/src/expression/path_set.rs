//! Document paths that do not get in each other's way, and the part of an item that they select.
//!
//! Sorted, a path stands right before one of those that it contains, and a path into a map right before one
//! that wants a list in its place, so neighbours alone need to be compared.

use std::sync::Arc;

use super::document::{child, describe};
use super::error::Cause;
use super::path::{Path, Step};
use super::substitutions::Bindings;
use crate::{AttributeValue, Item};

/// Paths in canonical order.
#[derive(Clone)]
pub(crate) struct PathSet {
    bindings: Arc<Bindings>,
    paths: Arc<[Vec<Step>]>,
}

impl PathSet {
    /// Refuses paths of which one contains the other, or which need different things in one place.
    pub(crate) fn new<'p>(
        paths: impl Iterator<Item = &'p Path>,
        bindings: &Arc<Bindings>,
    ) -> Result<Self, Cause> {
        let mut written: Vec<(Vec<Step>, usize)> =
            paths.map(|path| bindings.canonical(path)).zip(0..).collect();
        written.sort();
        for pair in written.windows(2) {
            let (one, two) =
                if pair[0].1 < pair[1].1 { (&pair[0].0, &pair[1].0) } else { (&pair[1].0, &pair[0].0) };
            let text = |steps: &[Step]| describe(steps, bindings);
            match one.iter().zip(two).find(|(a, b)| a != b) {
                None => return Err(Cause::PathsOverlap { one: text(one), two: text(two) }),
                Some((Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_))) => {
                    return Err(Cause::PathsConflict { one: text(one), two: text(two) });
                }
                Some(_) => {}
            }
        }
        let paths = written.into_iter().map(|(steps, _)| steps).collect();
        Ok(PathSet { bindings: bindings.clone(), paths })
    }

    /// The names of the top-level attributes that the paths lead into; one may come twice.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().filter_map(|steps| match steps.first() {
            Some(Step::Name(id)) => Some(self.bindings.name(*id)),
            _ => None,
        })
    }

    /// What the paths lead to, in its place; elements of lists close ranks, what leads nowhere is left out.
    pub(crate) fn select(&self, item: &Item) -> Item {
        let mut selected = Item::new();
        for group in self.paths.chunk_by(|a, b| a[0] == b[0]) {
            if let Step::Name(id) = group[0][0] {
                let name = self.bindings.name(id);
                let value = item.get(name).and_then(|value| self.select_value(value, group, 1));
                selected.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        selected
    }

    /// What of a value the paths lead to, all of which lead to the value by their first `depth` steps. As
    /// deep as a path, which the parser bounds.
    fn select_value(
        &self,
        value: &AttributeValue,
        paths: &[Vec<Step>],
        depth: usize,
    ) -> Option<AttributeValue> {
        if paths[0].len() == depth {
            return Some(value.clone());
        }
        let children = paths.chunk_by(|a, b| a[depth] == b[depth]).filter_map(|group| {
            let step = group[0][depth];
            let child = child(value, step, &self.bindings)?;
            Some((step, self.select_value(child, group, depth + 1)?))
        });
        let selected = match value {
            AttributeValue::L(_) => AttributeValue::L(children.map(|(_, child)| child).collect()),
            AttributeValue::M(_) => AttributeValue::M(
                children
                    .filter_map(|(step, child)| match step {
                        Step::Name(id) => Some((self.bindings.name(id).to_owned(), child)),
                        Step::Index(_) => None,
                    })
                    .collect(),
            ),
            _ => return None,
        };
        match &selected {
            AttributeValue::L(list) if list.is_empty() => None,
            AttributeValue::M(map) if map.is_empty() => None,
            _ => Some(selected),
        }
    }
}
