//! Finding things in an item by a document path.

use types::limits::SUBSTITUTION_TOKEN_BYTES_MAX;

use super::path::{Path, Step};
use super::substitutions::Bindings;
use crate::{AttributeValue, Item};

/// What a path leads to, if every step of it exists and fits.
pub(crate) fn find<'i>(item: &'i Item, path: &Path, bindings: &Bindings) -> Option<&'i AttributeValue> {
    let (first, rest) = path.0.split_first()?;
    let top = match first {
        Step::Name(id) => item.get(bindings.name(*id))?,
        Step::Index(_) => return None,
    };
    rest.iter().try_fold(top, |value, step| child(value, *step, bindings))
}

/// One step down from a value.
pub(crate) fn child<'i>(
    value: &'i AttributeValue,
    step: Step,
    bindings: &Bindings,
) -> Option<&'i AttributeValue> {
    match (value, step) {
        (AttributeValue::M(map), Step::Name(id)) => map.get(bindings.name(id)),
        (AttributeValue::L(list), Step::Index(index)) => list.get(index as usize),
        _ => None,
    }
}

/// Lists and maps within one another: none in a scalar or a set, 1 for a list of scalars.
pub(crate) fn levels(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::L(list) => 1 + list.iter().map(levels).max().unwrap_or(0),
        AttributeValue::M(map) => 1 + map.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// A path as DynamoDB's messages write it: `[a, [0], b]`. Long names are cut: a path may repeat one of 64 KB.
pub(crate) fn describe(steps: &[Step], bindings: &Bindings) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| match step {
            Step::Name(id) => shortened(bindings.name(*id)),
            Step::Index(index) => format!("[{index}]"),
        })
        .collect();
    format!("[{}]", steps.join(", "))
}

fn shortened(name: &str) -> String {
    let cut = name.floor_char_boundary(SUBSTITUTION_TOKEN_BYTES_MAX);
    if cut < name.len() { format!("{}...", &name[..cut]) } else { name.to_owned() }
}
